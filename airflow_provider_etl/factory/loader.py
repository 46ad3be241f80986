"""Pipeline files of a folder as DAGs of the module that asks for them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.compat import DAG, ERRORS_PER_FILE, get_parsing_context, importers
from airflow_provider_etl.factory.attempt import attempt
from airflow_provider_etl.factory.broken import BrokenPipeline, PipelineFileError, errors_dag
from airflow_provider_etl.factory.collector import held_back
from airflow_provider_etl.factory.verdict import configured, refused
from airflow_provider_etl.spec import Clashes, Diagnostic, Loaded, duplicate_names, find_files, load_file
from airflow_provider_etl.spec.contracts.alone import is_contract, without_contracts
from airflow_provider_etl.spec.files import left_out

_IMPORTER: Final = "airflow_provider_etl.factory.importer.PipelineImporter"


def load_pipelines(
    module: dict[str, Any], folder: str | None = None, *, environment: str | None = None
) -> dict[str, DAG]:
    """Make a DAG of each pipeline file of a folder and put it among a module's globals.

    A file with errors is shown under its own name and harms no other. Where Airflow asks for one DAG alone, as it does
    when a task starts, only that file is read.

    Args:
        module: `globals()` of a file in the dags folder.
        folder: relative to that file; by default `[etl] pipelines_folder`.
        environment: name or path of an environment; by default `[etl] environment`.

    Returns:
        DAG id -> DAG, of the files without errors; none where Airflow 3.4 has our importer, whose business they are.

    Raises:
        PipelineFileError: the one file that is asked for has errors.
    """
    if _IMPORTER in importers():
        return {}
    home = Path(module["__file__"]).resolve().parent
    asked = get_parsing_context().dag_id
    below = home / (folder or configured().pipelines_folder)
    found = without_contracts(find_files(below, name=_file_of(asked)))
    files = found[: 1 if asked else None]  # the others of its name are errors already
    taken = {item.path: str(replace(item, path=_name(home, item.path))) for item in duplicate_names(files)}
    dags: dict[str, DAG] = {}
    broken = {} if asked else _left_out(home, below)
    clashes = Clashes()
    for path in files:
        name = _name(home, path)
        with held_back():
            loaded = load_file(path, environment=environment)
            why = taken.get(str(path)) or _refused(loaded, name, clashes, home)
            if loaded.pipeline is not None and not why:
                made, why = attempt(loaded.pipeline, name, source=name, environment=environment, text=loaded.text)
                dags |= {item.dag_id: item for item in made}
        if why and not is_contract(path):  # which few files are: asked where one is no pipeline
            broken[_printable(name)] = why
    if asked and broken:
        raise PipelineFileError("\n".join(broken.values()))
    for dag in dags.values():
        dag.fileloc = str(module["__file__"])
    module.update(dags)
    module.update(_shown(broken))
    return dags


def _file_of(dag: str | None) -> str | None:
    """The name of the file that makes a DAG; None where all are asked for."""
    return dag and re.sub(r"\.maintenance(_\d+)?$", "", dag)


def _refused(loaded: Loaded, name: str, clashes: Clashes, home: Path) -> str:
    """Why a file is no DAG, a line each; empty where it is one."""
    told = refused(loaded)
    if told:
        return "\n".join(str(_placed(item, home)) for item in told)
    return "\n".join(map(str, clashes.told(replace(loaded, path=name), tables=False)))


def _left_out(home: Path, folder: Path) -> dict[str, str]:
    """Files that aren't read and that somebody may be waiting for."""
    found = {_name(home, item.path): item for item in left_out(folder) if item.severity == "error"}
    return {_printable(name): str(replace(item, path=name)) for name, item in found.items()}


def _placed(error: Diagnostic, home: Path) -> Diagnostic:
    """An error with its file as Airflow shows it; one of another file, a base or the environment, keeps its place."""
    below = Path(error.path).is_relative_to(home)
    return replace(error, path=_name(home, error.path)) if below else error


def _printable(name: str) -> str:
    """A path that a database takes: bytes of a file's name that are no UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _name(home: Path, path: str | Path) -> str:
    """A file as people know it: relative to the loader's folder where it lies below, as a base may not."""
    text, above = str(path), f"{home}{os.sep}"
    if text.startswith(above) and ".." not in text:  # most lie there, and a text is quicker than a path
        return text[len(above) :].replace(os.sep, "/")
    return Path(os.path.relpath(path, home)).as_posix()


def _shown(broken: dict[str, str]) -> dict[str, DAG]:
    if not broken:
        return {}
    if not ERRORS_PER_FILE:
        dag = errors_dag(broken)
        return {dag.dag_id: dag}
    listed, together = sorted(broken.items()), "\n".join(message for _, message in sorted(broken.items()))
    return {
        (name := f"etl__broken_{place}"): BrokenPipeline(name, path=path, message=message, together=together)
        for place, (path, message) in enumerate(listed)
    }
