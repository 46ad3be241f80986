"""Where another pipeline's file lies."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_etl.spec import find_files


def neighbour(name: str, path: Path, home: Path) -> Path | None:
    """The file of a pipeline: in the folder of another one, below it, or in those above it.

    Args:
        name: the pipeline's.
        path: the file of the one that looks for it.
        home: the topmost folder that is searched, where the path lies below it: that of the DAG's file.

    Returns:
        The nearest; None where there is none.
    """
    folder = path.parent if path.is_file() else path
    above = [folder, *(item for item in folder.parents if item.is_relative_to(home))]
    for place in above:
        for file in find_files(place):
            if file.stem == name:
                return file
    return None
