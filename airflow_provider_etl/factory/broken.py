"""A pipeline file with errors, made visible without harm to the others.

An exception in the loader would drop every DAG of the loader, and an error recorded under the loader's path would mark
all of them stale. Airflow 3 records a DAG that can't be serialised under the path that the DAG names
(`dag_processing/processor.py`, `_serialize_dags`), 2.11 one that isn't valid (`models/dagbag.py`, `_process_modules`):
a DAG that is so, and names the pipeline file, shows the file's errors under the file's own name. That is no documented
interface: versions on which it wasn't tried get a visible DAG instead (`compat.ERRORS_PER_FILE`).

2.11 forgets such an error whenever it lists the dags folder anew, every `[scheduler] dag_dir_list_interval` seconds,
and shows it again with the next parse of the loader: so too one that was mended goes.
"""

from __future__ import annotations

import os
import sys
from pathlib import PurePosixPath
from typing import Any, Final, NoReturn

from airflow_provider_etl.compat import DAG, ERRORS_AT_VALIDATION, SerializationError

ERRORS_DAG: Final = "etl__config_errors"


class PipelineFileError(SerializationError):
    """The errors of one pipeline file, a line each."""


class BrokenPipeline(DAG):
    """A DAG that is neither valid nor can be serialised, and says why.

    Args:
        dag_id: any that is free.
        path: the pipeline file, relative to the loader's folder.
        message: its errors.
        together: the errors of all files of the loader; by default, these.
    """

    def __init__(self, dag_id: str, *, path: str, message: str, together: str = "") -> None:
        self._path, self._message, self._absolute, self._relative = path, message, "", ""
        self._together = together or message
        super().__init__(dag_id, schedule=None)

    # Airflow sets both to the loader's path, or works one out from the other, in another way in each version; asked for
    # either, this answers with the pipeline file's, in the bundle once Airflow has told where that is.
    @property
    def fileloc(self) -> str:
        """The pipeline file."""
        return self._beside(self._relative or self._absolute)

    @fileloc.setter
    def fileloc(self, loader: str | None) -> None:
        self._absolute = loader or ""

    @property
    def relative_fileloc(self) -> str | None:
        """The pipeline file in the bundle."""
        return self._beside(self._relative) if self._relative else None

    @relative_fileloc.setter
    def relative_fileloc(self, loader: str | None) -> None:
        self._relative = loader or ""

    def _beside(self, loader: str) -> str:
        return loader if loader.endswith(self._path) else str(PurePosixPath(loader).parent / self._path)

    @property
    def edge_info(self) -> NoReturn:
        """Asked for by the serialiser alone."""
        raise PipelineFileError(self._message)

    @edge_info.setter
    def edge_info(self, value: Any) -> None:
        """The base class sets it; there is nothing to keep."""

    def validate(self) -> None:
        """Say it at once where nobody stores the DAG: a test that loads a DagBag must see the error.

        A bag holds one error a file, and the loader is the file: the last one to raise tells those of all. Who stores
        DAGs has every error by itself from the serialiser; one of the loader's would mark all its DAGs stale.

        Raises:
            PipelineFileError: always on 2.11; later, outside of Airflow's own processes and `airflow dags reserialize`.
        """
        if ERRORS_AT_VALIDATION:
            raise PipelineFileError(self._message)
        if "_AIRFLOW_PROCESS_CONTEXT" not in os.environ and "reserialize" not in sys.argv:
            raise PipelineFileError(self._together)


def errors_dag(broken: dict[str, str]) -> DAG:
    """A DAG that can't run and whose page lists what is wrong.

    Args:
        broken: pipeline file -> its errors.
    """
    listed = "\n\n".join(f"### {path}\n\n```\n{message}\n```" for path, message in sorted(broken.items()))
    return DAG(ERRORS_DAG, schedule=None, doc_md=listed, description=f"{len(broken)} pipeline files have errors")
