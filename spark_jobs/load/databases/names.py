"""Names in a database: which table is meant, and what we call our own tables beside it."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Final

from spark_jobs.errors import ConfigError

LOADS: Final = "_etl_loads"
OWNERS: Final = "_etl_owners"
STAGE: Final = "_etl_stage_"
TASK: Final = "_etl_task"
"""The staging table's column with the task attempt that has written a row."""
DELETES: Final = "_etl_deletes"
"""The staging table's column that says whether a row deletes its key."""
OURS: Final = "_etl_"
_TOMBSTONES: Final = "_etl_gone_"
_SHORT: Final = 40  # characters of a table's name that fit into every database's limit behind a prefix


@dataclass(frozen=True, kw_only=True)
class TableName:
    """A table of a database.

    Args:
        schema: the schema, or database where that is the same; empty for the connection's own.
        name: the table's name, as it is spelled.
    """

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str, where: str) -> TableName:
        """The table that `orders` or `sales.orders` names.

        Raises:
            ConfigError: an empty part, or more than two.
        """
        parts = text.split(".")
        if len(parts) > 2 or not all(part.strip() for part in parts):
            raise ConfigError(f"{text!r} names no table", where=where, expected="table, or schema.table")
        if parts[-1].lower().startswith(OURS):
            raise ConfigError(f"{text!r}: tables called {OURS}… are our own", where=where, remedy="choose another name")
        return cls(schema=parts[0] if len(parts) == 2 else "", name=parts[-1])

    def beside(self, name: str) -> TableName:
        """A table of another name in the same schema."""
        return TableName(schema=self.schema, name=name)

    @property
    def tombstones(self) -> TableName:
        """Where the keys that `merge` has deleted are kept."""
        if len(self.name.encode()) <= _SHORT:
            return self.beside(_TOMBSTONES + self.name)
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:8]
        return self.beside(f"{_TOMBSTONES}{self.name.encode()[:30].decode(errors='ignore')}_{digest}")

    def __str__(self) -> str:
        """As in the pipeline file."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def stage_name() -> str:
    """The name of a new staging table; when it was made can be read from it."""
    return f"{STAGE}{int(time.time()):08x}_{secrets.token_hex(6)}"


def stage_age(name: str) -> float:
    """Seconds since a staging table was made; 0 where the name doesn't say."""
    try:
        return time.time() - int(name.removeprefix(STAGE)[:8], 16)
    except ValueError:
        return 0.0
