"""Pipeline files of a folder as DAGs of the module that asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.compat import DAG, ERRORS_PER_FILE, get_parsing_context, importers
from airflow_provider_etl.factory.broken import BrokenPipeline, PipelineFileError, errors_dag
from airflow_provider_etl.factory.build import build
from airflow_provider_etl.factory.verdict import configured, refused
from airflow_provider_etl.spec import duplicate_names, find_files, load_file

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
    files = find_files(home / (folder or configured().pipelines_folder), name=asked)
    if asked:
        files = files[:1]  # the others of its name are errors already
    taken = {item.path: str(replace(item, path=_name(home, item.path))) for item in duplicate_names(files)}
    dags: dict[str, DAG] = {}
    broken: dict[str, str] = {}
    for path in files:
        name = _name(home, path)
        loaded = load_file(path, environment=environment)
        told = refused(loaded)
        if str(path) in taken:
            broken[name] = taken[str(path)]
        elif loaded.pipeline is None or told:
            broken[name] = "\n".join(str(replace(item, path=name)) for item in told)
        else:
            dags[loaded.name] = build(loaded.pipeline, source=name, environment=environment, text=loaded.text)
    if asked and broken:
        raise PipelineFileError("\n".join(broken.values()))
    for dag in dags.values():
        dag.fileloc = str(module["__file__"])
    module.update(dags)
    module.update(_shown(broken))
    return dags


def _name(home: Path, path: str | Path) -> str:
    return Path(path).relative_to(home).as_posix()


def _shown(broken: dict[str, str]) -> dict[str, DAG]:
    if not broken:
        return {}
    if not ERRORS_PER_FILE:
        dag = errors_dag(broken)
        return {dag.dag_id: dag}
    listed = enumerate(sorted(broken.items()))
    return {
        f"etl__broken_{place}": BrokenPipeline(f"etl__broken_{place}", path=path, message=message)
        for place, (path, message) in listed
    }
