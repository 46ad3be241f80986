"""A DAG with its operators, from its file: the metadata database keeps no more of them than the UI needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spark_jobs.errors import ConfigError


def parse(dag: str, path: Path, bundle: str) -> Any:
    """Run a DAG's file, as a worker does that is about to run one of its tasks.

    Args:
        dag: its id.
        path: its file.
        bundle: name of its DAG bundle.

    Raises:
        ConfigError: the file isn't on this machine, or doesn't make the DAG.
    """
    if not path.is_file():
        raise ConfigError(
            f"its file {path} isn't on this machine",
            where=dag,
            remedy="run the command where the DAG files are, or name the pipeline file instead of the DAG",
        )
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager

    with _airflow_parsing_context_manager(dag_id=dag):
        bag = _bag(path, _home(bundle, path))
    if dag not in bag.dags:
        told = "; ".join(str(error).strip().splitlines()[-1] for error in bag.import_errors.values())
        raise ConfigError(f"its file doesn't make it{f': {told}' if told else ''}", where=f"{path}: {dag}")
    return bag.dags[dag]


def _bag(path: Path, home: Path) -> Any:
    try:
        from airflow.dag_processing.dagbag import BundleDagBag
    except ImportError:  # until 3.1
        from airflow.models.dagbag import BundleDagBag
    return BundleDagBag(dag_folder=str(path), bundle_path=home, load_op_links=False)


def _home(bundle: str, path: Path) -> Path:
    """The bundle's folder, from which its files import each other; the file's own where the bundle isn't configured."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    try:
        return Path(DagBundlesManager().get_bundle(bundle).path)
    except ValueError:
        return path.parent
