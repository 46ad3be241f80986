"""Where a table is rebuilt: beside the live one, under a name of its own that no reader knows."""

from __future__ import annotations


def shadow_of(path: str, pipeline: str, load: str) -> str:
    """The folder (or URI) in which a load's table is rebuilt.

    Args:
        path: the live table's.
        pipeline: the pipeline's id; several may refresh their parts of one table at once.
        load: the load's name.
    """
    return f"{path.rstrip('/')}__refresh_{pipeline}.{load}"
