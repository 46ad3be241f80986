"""`doctor`: what is there, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from airflow_provider_etl.cli.doctor_jars import of_engines
from airflow_provider_etl.engines.java import require_java
from airflow_provider_etl.spec import Engine, Environment
from airflow_provider_etl.spec.engines import LOCAL
from spark_jobs.errors import ConfigError
from spark_jobs.object_store.s3 import bucket_of, unsafe

NAME: Final = "doctor"
HELP: Final = "say what is there, what is missing and how to get it; fetch the jars"
ARCHIVE: Final = ".cache/spark.jsa"
_ENCODED: Final = re.compile(r"[^\w./~!*'():@&=+$,-]", re.ASCII)  # what sun.net.www.ParseUtil.encodePath encodes

_PACKAGES: Final = {
    "pyspark": "spark",
    "pyspark-client": "spark",
    "delta-spark": "delta",
    "deltalake": "delta",
}


@dataclass(frozen=True)
class Finding:
    """One line of what was found."""

    state: Literal["ok", "missing", "optional"]
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        """`state  what: remedy`."""
        return f"{self.state:8} {self.what}" + (f"\n         -> {self.remedy}" if self.remedy else "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    told = "pipeline files, or folders that hold some: whether this Airflow has the connections that they name"
    parser.add_argument("paths", nargs="*", default=[], metavar="PATH", help=told)
    parser.add_argument("--fetch-jars", action="store_true", help="fetch the jars that are missing, once")
    parser.add_argument("--for-s3", action="store_true", help="as if the environment had a root on S3")
    parser.add_argument("--archive", action="store_true", help="make the archive that shortens the start of Spark")


def execute(options: argparse.Namespace) -> int:
    """Look at everything; 1 where something that is needed is missing."""
    environment = _environment(options.environment)
    engines = _engines(environment)
    beside = [engine for engine in engines if engine.kind in LOCAL]
    on_s3 = options.for_s3 or _on_s3(environment)
    if options.fetch_jars:
        _fetch(_with_folder(engines), on_s3=on_s3)
    if options.archive:
        _archive(_with_folder(beside), environment)
    findings = [*_java(), *_packages(), *_environments(options.environment, environment)]
    findings += [*of_engines(_with_our_spark(engines), _version("pyspark")), *_jars(_with_folder(engines))]
    findings += [*_jars_for_s3(_with_folder(engines)), *_commits(engines)] if on_s3 else []
    findings += [
        *_archives(_with_folder(beside)),
        *_folders(environment),
        *_connections(options, environment),
        *_commands(),
    ]
    for finding in findings:
        print(finding)
    return 1 if any(finding.state == "missing" for finding in findings) else 0


def _environment(asked: str | None) -> Environment | str:
    """The environment, or in words what is wrong with it."""
    from airflow_provider_etl.spec.environment import load_environment

    found = load_environment(asked, Path.cwd())
    if isinstance(found, str):
        return found
    return found.environment or "\n".join(map(str, found.diagnostics))


def _engines(environment: Environment | str) -> list[Engine]:
    """The engines, whose jars are here; with no environment, one that has its jars in ./jars."""
    if isinstance(environment, str):
        return [Engine(name="local", jars=str(Path.cwd() / "jars"))]
    return list(environment.engines.values())


def _with_folder(engines: list[Engine]) -> list[Engine]:
    """Those whose jars lie in a folder: for the others Spark fetches them itself, or a service brings them."""
    return [engine for engine in _with_our_spark(engines) if engine.packages == "folder"]


def _with_our_spark(engines: list[Engine]) -> list[Engine]:
    """Those whose Spark is the one that is installed, or must be of one version with it; a service has its own."""
    return [engine for engine in engines if not engine.service]


def _on_s3(environment: Environment | str) -> bool:
    """Whether pipelines may read or write on S3."""
    if isinstance(environment, str):
        return False
    warehouses = [catalog.warehouse for catalog in environment.catalogs.values()]
    places = (*environment.roots, *environment.variables.values(), *warehouses)
    return bool(environment.stores) or any(map(bucket_of, places))


def _fetch(engines: list[Engine], *, on_s3: bool) -> None:
    from airflow_provider_etl.cli.jars import fetch
    from airflow_provider_etl.spec.locks import locked_for_s3

    for folder in dict.fromkeys(engine.jars for engine in engines):
        more = fetch(Path(folder, "s3"), locked_for_s3()) if on_s3 else []
        for path in [*fetch(Path(folder)), *more]:
            print(f"fetched  {path}")


def _archive(engines: list[Engine], environment: Environment | str) -> None:
    from airflow_provider_etl.cli.archive import make

    project = Path.cwd() if isinstance(environment, str) else environment.project
    for engine in engines:
        path = make(engine, Path(engine.archive or project / ARCHIVE))
        print(f"made     {path} ({path.stat().st_size / 1e6:.0f} MB), for engine {engine.name}")


def _java() -> Iterator[Finding]:
    try:
        command, major = require_java(os.environ)
    except ConfigError as error:
        yield Finding("missing", f"Java: {error.what}; expected {error.expected}", error.remedy)
    else:
        yield Finding("ok", f"Java {major}: {command}")


def _packages() -> Iterator[Finding]:
    found = {name: _version(name) for name in _PACKAGES}
    for name, extra in _PACKAGES.items():
        if found[name]:
            yield Finding("ok", f"{name} {found[name]}")
        else:
            yield Finding("missing", name, f"pip install 'airflow-provider-etl[{extra}]'")
    spark, client = found["pyspark"], found["pyspark-client"]
    if spark and client and spark != client:
        # Both own the folder pyspark/: the one that was installed last has overwritten the other's files.
        remedy = f"pip install --force-reinstall pyspark=={spark} pyspark-client=={spark}"
        yield Finding("missing", f"pyspark {spark} and pyspark-client {client} must be equal", remedy)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _environments(asked: str | None, environment: Environment | str) -> Iterator[Finding]:
    if isinstance(environment, Environment):
        yield Finding("ok", f"environment {environment.name}: {environment.path}")
    else:
        yield Finding("missing", environment, f"write config/environments/{asked or 'local'}.yaml, or name a file")


def _jars(engines: list[Engine]) -> Iterator[Finding]:
    from airflow_provider_etl.cli.jars import problem
    from airflow_provider_etl.spec.locks import locked

    for folder in dict.fromkeys(engine.jars for engine in engines):
        for jar in locked():
            if said := problem(jar, Path(folder)):
                yield Finding("missing", f"{jar.coordinates}: {said}", "airflow-etl doctor --fetch-jars")
            else:
                yield Finding("ok", f"{jar.coordinates} in {folder}")


def _jars_for_s3(engines: list[Engine]) -> Iterator[Finding]:
    """They are many, so they are told in one line where they are all there."""
    from airflow_provider_etl.cli.jars import problem
    from airflow_provider_etl.spec.locks import locked_for_s3

    for folder in dict.fromkeys(engine.jars for engine in engines):
        place = Path(folder, "s3")
        lacking = [f"{jar.coordinates}: {said}" for jar in locked_for_s3() if (said := problem(jar, place))]
        for what in lacking:
            yield Finding("missing", what, "airflow-etl doctor --fetch-jars --for-s3")
        if not lacking:
            yield Finding("ok", f"the jars for S3 in {place}")


def _commits(engines: list[Engine]) -> Iterator[Finding]:
    """Whether an engine has Delta commit in a way that loses commits on S3."""
    for engine in engines:
        for key in unsafe(engine.conf):
            what = f"engine {engine.name} sets {key}: commits of concurrent writers could get lost on S3"
            yield Finding(
                "missing", what, "take it out of the engine's conf: the log store that is safe is set by itself"
            )
        if not unsafe(engine.conf):
            yield Finding("ok", f"engine {engine.name} commits to S3 by conditional puts")


def _archives(engines: list[Engine]) -> Iterator[Finding]:
    for engine in engines:
        if engine.archive and Path(engine.archive).is_file():
            yield Finding("ok", f"engine {engine.name} starts with {engine.archive}")
            yield from _not_shared(engine)
        else:
            named = "" if engine.archive else f" and name it in the environment: archive: {ARCHIVE}"
            remedy = f"airflow-etl doctor --archive makes one{named}"
            yield Finding("optional", f"engine {engine.name} has no archive: Spark starts some seconds later", remedy)


def _not_shared(engine: Engine) -> Iterator[Finding]:
    """Java 17 leaves a class out of the archive when the URL of its jar isn't its path: a%20b for `a b`."""
    spark = find_spec("pyspark")
    for folder in (engine.jars, str(Path(spark.origin).parent) if spark and spark.origin else ""):
        if _ENCODED.search(folder):
            what = f"engine {engine.name}: Java shares no classes of {folder}, so Spark starts some seconds later"
            yield Finding("optional", what, "a path of ASCII letters, digits and . _ - only, and make the archive anew")


def _folders(environment: Environment | str) -> Iterator[Finding]:
    if isinstance(environment, str):
        return
    from airflow_provider_etl.spec.paths import absolute, is_uri

    for name, value in environment.variables.items():
        path = absolute(value, environment.project)
        if not value or is_uri(path):
            continue
        if _writable(Path(path)):
            yield Finding("ok", f"{name}: {path}")
        else:
            yield Finding("missing", f"{name}: {path} can't be written", "give this user the right to, or another path")


def _connections(options: argparse.Namespace, environment: Environment | str) -> Iterator[Finding]:
    """Asked only where pipelines are named: it takes Airflow, which takes seconds to import."""
    if options.paths:
        from airflow_provider_etl.cli.doctor_connections import findings

        yield from findings(options, environment)


def _commands() -> Iterator[Finding]:
    """Whether `airflow dags backfill` is there."""
    code, said = _asked()
    if code:
        yield Finding("missing", f"Airflow's command line: {said or 'no answer'}", "try: airflow version")
    elif said:
        yield Finding("optional", f"airflow dags backfill isn't there: {said}", "airflow-etl backfill does the same")
    else:
        yield Finding("ok", "airflow dags backfill")


@functools.cache  # it takes seconds, and an installation doesn't change under our feet
def _asked() -> tuple[int, str]:
    """Ask Airflow, in a process of its own, which nothing can upset: (exit code, last line)."""
    command = [sys.executable, "-m", "airflow_provider_etl.cli.provider"]
    alone = os.environ | {"_AIRFLOW__AS_LIBRARY": "1"}  # no database, and nothing is made in its home
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, (done.stderr if done.returncode else done.stdout).strip().rpartition("\n")[2]


def _writable(path: Path) -> bool:
    """Whether files can be written in a folder, or the folder can be made."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
