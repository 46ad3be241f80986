"""Names of Iceberg tables: with a Hadoop catalog they are folders, so letters, digits, _ and - are all they have."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from spark_jobs.errors import ConfigError

BRANCH: Final = "etl_"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


def checked(table: str, where: str = "") -> str:
    """A table's name.

    Args:
        table: `namespace.table`; namespaces may be several.
        where: place in the pipeline file.

    Raises:
        ConfigError: it is none.
    """
    if not _NAME.fullmatch(table):
        raise ConfigError(
            f"{table!r} is no table's name", where=where, expected="namespace.table: letters, digits, _ and -"
        )
    return table


def branch_of(unit: str, number: int) -> str:
    """The branch of an attempt; `branches_of` finds it by its beginning."""
    return f"{branches_of(unit)}{number}"


def branches_of(unit: str) -> str:
    """What the branches of a unit begin with."""
    return f"{BRANCH}{hashlib.sha256(unit.encode()).hexdigest()[:16]}_"
