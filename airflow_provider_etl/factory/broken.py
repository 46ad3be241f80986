"""A pipeline file with errors, made visible without harm to the others.

An exception in the loader would drop every DAG of the loader, and an error recorded under the loader's path would mark
all of them stale. Until Airflow 3.3 the dag-processor records a DAG that can't be serialised under the path that the
DAG names (`dag_processing/processor.py`, `_serialize_dags`): a DAG that can't, and names the pipeline file, shows the
file's errors under the file's own name. That is no documented interface: other versions get a visible DAG instead.
"""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import Any, Final, NoReturn

from airflow_provider_etl.compat import DAG, SerializationError

ERRORS_DAG: Final = "etl__config_errors"


class PipelineFileError(SerializationError):
    """The errors of one pipeline file, a line each."""


class BrokenPipeline(DAG):
    """A DAG that can't be serialised, and says why.

    Args:
        dag_id: any that is free.
        path: the pipeline file, relative to the loader's folder.
        message: its errors.
    """

    def __init__(self, dag_id: str, *, path: str, message: str) -> None:
        self._path, self._message, self._loader = path, message, ""
        super().__init__(dag_id, schedule=None)

    @property
    def relative_fileloc(self) -> str:
        """The pipeline file, relative to the bundle as the loader's own path is."""
        return str(PurePosixPath(self._loader).parent / self._path)

    @relative_fileloc.setter
    def relative_fileloc(self, loader: str | None) -> None:
        self._loader = loader or ""

    @property
    def edge_info(self) -> NoReturn:
        """Asked for by the serialiser alone."""
        raise PipelineFileError(self._message)

    @edge_info.setter
    def edge_info(self, value: Any) -> None:
        """The base class sets it; there is nothing to keep."""

    def validate(self) -> None:
        """Say it at once where no Airflow component listens: a test that loads a DagBag must see the error.

        Raises:
            PipelineFileError: always, outside Airflow's own processes.
        """
        if "_AIRFLOW_PROCESS_CONTEXT" not in os.environ:
            raise PipelineFileError(self._message)


def errors_dag(broken: dict[str, str]) -> DAG:
    """A DAG that can't run and whose page lists what is wrong.

    Args:
        broken: pipeline file -> its errors.
    """
    listed = "\n\n".join(f"### {path}\n\n```\n{message}\n```" for path, message in sorted(broken.items()))
    return DAG(ERRORS_DAG, schedule=None, doc_md=listed, description=f"{len(broken)} pipeline files have errors")
