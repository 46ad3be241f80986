"""The jars that Spark needs: which they are, whether they are there, and fetching them once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.locks import Jar, locked
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.packages import EXCLUDED

_PATIENCE: Final = 600  # seconds for one download
_POM: Final = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>wanted</groupId><artifactId>jars</artifactId>"
    "<version>1</version><dependencies>\n{}</dependencies></project>\n"
)


def problem(jar: Jar, folder: Path) -> str:
    """Why a folder hasn't got a jar; empty where it has, with the locked content, under whatever name."""
    candidates = sorted(folder.glob(f"*{jar.artifact}*.jar"), key=lambda path: path.name != jar.name)
    if not candidates:
        return f"not in {folder}"
    if all(_digest(path) != jar.sha256 for path in candidates):
        return f"{candidates[0]} isn't what the lock names (SHA-256)"
    return ""


def fetch(folder: Path, lock: Iterable[Jar] | None = None) -> list[Path]:
    """Fetch the jars that a folder hasn't got; each is checked against the lock before it gets in.

    Args:
        folder: where they go; made where it isn't there.
        lock: which jars. Default: those of jars.lock.

    Returns:
        The files that were fetched.

    Raises:
        InfrastructureError: a jar can't be had: no network, or no server that has it.
        ConfigError: what was fetched isn't what the lock names.
    """
    folder = folder.absolute()
    wanted = [jar for jar in (locked() if lock is None else lock) if problem(jar, folder)]
    if not wanted:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    # In the folder itself: the last step is a rename on one file system, so nobody ever sees half a jar.
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder) as scratch:
        _download(wanted, Path(scratch))
        return [_accept(jar, Path(scratch), folder) for jar in wanted]


def _accept(jar: Jar, scratch: Path, folder: Path) -> Path:
    # As Maven and Spark's resolver name it, with its group or without: auth is not http-auth.
    name = jar.file
    names = (name, f"{jar.group}.{name}", f"{jar.group}_{name}")
    candidates = sorted(path for path in scratch.rglob(f"*{name}") if path.name in names)
    if not candidates:
        raise InfrastructureError(f"{jar.coordinates} wasn't found", where=str(folder), remedy=_OFFLINE)
    found = _digest(candidates[0])
    if found != jar.sha256:
        raise ConfigError(
            f"{jar.coordinates} came with SHA-256 {found}",
            where=str(folder),
            expected=jar.sha256,
            remedy="don't use it: find out who changed it, or whether jars.lock is out of date",
        )
    return candidates[0].replace(folder / jar.name)


_OFFLINE: Final = (
    "check the network (and the mirror in Maven's settings.xml where there must be one), "
    "or copy the jars that airflow_provider_etl/jars.lock names into the folder"
)


def _download(jars: Sequence[Jar], scratch: Path) -> None:
    """By Maven's client where it is installed, since it knows the site's mirrors; else by Spark's own resolver."""
    tools = [_by_spark] if shutil.which("mvn") is None else [_by_maven, _by_spark]
    said = ""
    for tool in tools:
        said = tool(jars, scratch)
        if not said:
            return
    raise InfrastructureError(f"the jars can't be fetched: {said}", where=str(scratch.parent), remedy=_OFFLINE)


def _by_maven(jars: Sequence[Jar], scratch: Path) -> str:
    """In one call, which takes as long as one jar did: each is a dependency without dependencies of its own."""
    pom = scratch / "pom.xml"
    pom.write_text(_POM.format("".join(map(_dependency, jars))), encoding="utf-8")
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-Dmdep.prependGroupId=true"]
    return _told([*command, f"-DoutputDirectory={scratch}"], scratch, dict(os.environ))


def _dependency(jar: Jar) -> str:
    classifier = f"<classifier>{jar.classifier}</classifier>" if jar.classifier else ""
    alone = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    return (
        f"<dependency><groupId>{jar.group}</groupId><artifactId>{jar.artifact}</artifactId>"
        f"<version>{jar.version}</version>{classifier}{alone}</dependency>\n"
    )


def _by_spark(jars: Sequence[Jar], scratch: Path) -> str:
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        return "pyspark isn't installed"
    home = Path(spec.origin).parent
    nothing = scratch / "nothing.py"
    nothing.touch()
    conf = {"spark.jars.ivy": str(scratch / "ivy"), "spark.jars.excludes": EXCLUDED, "spark.ui.enabled": "false"}
    options = [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
    packages = ",".join(jar.coordinates for jar in jars)
    command = [str(home / "bin/spark-submit"), "--master", "local[1]", "--packages", packages, *options, str(nothing)]
    environment = {**os.environ, "SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    return _told(command, scratch, environment)


def _told(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command complained of; empty where it ended well."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    marks = ("ERROR", "not found", "unresolved", "Exception", "UnknownHost")
    told = [line for line in lines if any(mark in line for mark in marks)] or lines
    return f"{Path(command[0]).name}: {told[0][:300] if told else f'exit code {done.returncode}'}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
