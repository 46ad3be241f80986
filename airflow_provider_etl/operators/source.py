"""Where an operator's pipeline comes from: a file, or the same language as a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Loaded, Pipeline


def read_pipeline(source: str | Mapping[str, Any], *, name: str, dag_file: str, environment: str | None) -> Pipeline:
    """The pipeline that an operator was given.

    Args:
        source: path of a pipeline file, or a mapping in its language.
        name: what a pipeline given as a mapping is called.
        dag_file: the file that defines the DAG; relative paths are searched in its folder and those above.
        environment: as on the command line.

    Raises:
        ConfigError: there is no such file, or it has errors: all of them are in the message.
    """
    from airflow_provider_etl.spec import load_file, load_mapping

    folder = Path(dag_file).resolve().parent
    if isinstance(source, Mapping):
        return checked(load_mapping(dict(source), name=name, environment=environment, base=folder), name)
    return checked(load_file(find(source, folder), environment=environment), source)


def find(source: str, folder: Path) -> Path:
    """A pipeline file: as given where absolute, else under a folder or the nearest one above that has it.

    Raises:
        ConfigError: there is none.
    """
    for place in (folder, *folder.parents):
        if (place / source).is_file():
            return place / source
    raise ConfigError(f"there is no pipeline file {source}", where=str(folder), expected="a file there, or further up")


def checked(loaded: Loaded, where: str, what: str = "pipeline") -> Pipeline:
    """The pipeline of a file without errors.

    Args:
        loaded: what was read.
        where: what people know it by.
        what: what has the errors, in the message.

    Raises:
        ConfigError: it has some.
    """
    if loaded.pipeline is None or loaded.errors:
        told = "\n".join(str(error) for error in loaded.errors)
        raise ConfigError(f"the {what} has errors ({len(loaded.errors)}):\n{told}", where=where)
    return loaded.pipeline
