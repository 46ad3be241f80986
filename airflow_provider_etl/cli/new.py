"""`new NAME --from KIND --to KIND`: a commented pipeline file that lints, and a test file that it passes."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec import Environment, load_file
from airflow_provider_etl.spec.diagnostics import nearest
from airflow_provider_etl.spec.environment import chosen, load_environment
from airflow_provider_etl.spec.files import is_environments, is_pipeline
from airflow_provider_etl.spec.verbs import REGISTRIES
from airflow_provider_etl.starter.pipeline import Starter
from spark_jobs import kinds
from spark_jobs.errors import ConfigError

NAME: Final = "new"
HELP: Final = "write a commented pipeline file that lints, and its test file"
_FOLDER: Final = "dags/pipelines"
_SCHEMAS: Final = ("config/pipeline.schema.json", "config/pipeline.test.schema.json")
_ENVIRONMENT: Final = """\
# What differs between environments; pipeline files never do. Paths are relative to the project folder, or URIs.
variables:
  raw: data/raw
  lake: data/lake
  staging: data/staging
  quarantine: data/quarantine
roots: [data] # every path in a pipeline file must lie under one of these
engines:
  local: {kind: local, cores: 2, memory: 2g, jars: jars}
defaults: {engine: local}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", help="the DAG's id, and the file's name without its ending")
    for flag, destination, group in (("--from", "source", "extract"), ("--to", "destination", "load")):
        known = ", ".join(REGISTRIES[group])
        parser.add_argument(flag, dest=destination, required=True, metavar="KIND", help=f"{group} kind: {known}")
    parser.add_argument(
        "--folder", metavar="FOLDER", help=f"where the files go; default: {_FOLDER} if it is there, else here"
    )


def execute(options: argparse.Namespace) -> int:
    """Write the files and say which; nothing that is there is overwritten."""
    for kind, group in ((options.source, "extract"), (options.destination, "load")):
        _refuse_unknown(kind, group)
    folder = Path(os.path.normpath(options.folder or (_FOLDER if Path(_FOLDER).is_dir() else ".")))
    pipeline, tests = folder / f"{options.name}.yaml", folder / f"{options.name}.test.yaml"
    _refuse_bad_name(options.name, pipeline, tests)
    folder.mkdir(parents=True, exist_ok=True)
    environment, made = _environment(options.environment, folder)
    starter = _starter(options, folder, environment)
    made += [*_schemas(environment.project), _written(pipeline, starter.pipeline()), _written(tests, starter.tests())]
    for path in made:
        print(f"wrote {path}")
    loaded = load_file(pipeline, environment=options.environment)
    for diagnostic in loaded.diagnostics:
        print(diagnostic)
    print(f"next: airflow-etl lint {pipeline}; airflow-etl explain {pipeline}; airflow-etl test {pipeline}")
    return 1 if loaded.errors else 0


def _refuse_unknown(kind: str, group: str) -> None:
    try:
        found = kinds.find(REGISTRIES[group], kind, group)
    except ConfigError as error:
        raise ConfigError(error.what, where="new", remedy=nearest(kind, REGISTRIES[group])) from error
    if kinds.reads_datasets(found):
        raise ConfigError(
            f"a {kind} source is made of other sources", where="new", remedy="begin with one of those, and add it below"
        )


def _refuse_bad_name(name: str, pipeline: Path, tests: Path) -> None:
    from airflow_provider_etl.spec.dag_names import name_problem

    complaint = name_problem(name)
    if name.endswith(".test"):
        complaint = f"{name}.yaml would be a test file", "choose a name that doesn't end with .test"
    elif not complaint and not is_pipeline(pipeline.name):
        message = f"{name}.yaml would be a base for others to extend, and no pipeline"
        complaint = message, "choose a name that doesn't begin with _"
    elif not complaint and not _is_found(pipeline):
        complaint = f"no command would find {pipeline}", "choose a folder whose files are pipelines: --folder"
    if complaint:
        raise ConfigError(complaint[0], where="new", remedy=complaint[1])
    for path in (pipeline, pipeline.with_suffix(".yml"), tests):
        if os.path.lexists(path):
            raise ConfigError("the file is there already", where=str(path), remedy="choose another name, or remove it")


def _is_found(pipeline: Path) -> bool:
    """Whether a file in this folder is taken when the project's folder is looked through."""
    home, here = _whole(pipeline.parent), Path.cwd()
    below = home.relative_to(here).parts if home.is_relative_to(here) else home.parts[-1:]
    entered = (home, *home.parents)[: len(below) + 1]
    return not any(part.startswith((".", "_")) for part in below) and not any(map(is_environments, entered))


def _whole(folder: Path) -> Path:
    """A folder from the root, without the `..` that Path.absolute() leaves: it would read as a hidden folder."""
    return Path(os.path.abspath(folder))  # noqa: PTH100 - see above


def _environment(asked: str | None, folder: Path) -> tuple[Environment, list[Path]]:
    """The environment of the folder; in a project that has none yet, and where none is asked for, a first one is made.

    Raises:
        ConfigError: it has errors, or there is none of the name that is asked for.
    """
    found = load_environment(asked, _whole(folder))
    made: list[Path] = []
    if isinstance(found, str):
        if chosen(asked) != "local":
            raise ConfigError(found, where="new", remedy="write it, or choose another with --environment")
        # Above the files: here where they are below, else beside them, where another project may be around us.
        home = Path() if folder.resolve().is_relative_to(Path.cwd()) else folder
        made = [_written(home / "config/environments/local.yaml", _ENVIRONMENT)]
        found = load_environment(asked, _whole(folder))
    if isinstance(found, str):
        raise ConfigError(found, where="new", remedy="run it in the project's folder")
    if found.environment is None:
        raise ConfigError(str(found.diagnostics[0]), where="new", remedy="mend the environment first")
    return found.environment, made


def _starter(options: argparse.Namespace, folder: Path, environment: Environment) -> Starter:
    home = _whole(folder)
    schema, tests_schema = (Path(os.path.relpath(environment.project / name, home)).as_posix() for name in _SCHEMAS)
    return Starter(
        name=options.name,
        source=options.source,
        destination=options.destination,
        raw=_root(environment, "raw"),
        lake=_root(environment, "lake"),
        day=datetime.now(UTC).date().replace(day=1),
        schema=schema,
        tests_schema=tests_schema,
    )


def _root(environment: Environment, name: str) -> str:
    """A variable for paths: the one of that name, else a root that the environment allows."""
    return f"${{env.{name}}}" if name in environment.variables else f"{environment.roots[0]}/{name}"


def _schemas(project: Path) -> list[Path]:
    """The JSON Schemas, which editors read, where they aren't there yet."""
    from airflow_provider_etl.schemas import text_of

    missing = [(project / name, place) for place, name in enumerate(_SCHEMAS) if not (project / name).exists()]
    return [_written(path, text_of("tests" if place else "pipeline")) for path, place in missing]


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return path
