"""Condition `table`: a table is fresh enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from airflow_provider_etl.sensors.condition import Answer, Asking, Condition, span
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC
from spark_jobs.window import iso

if TYPE_CHECKING:
    from deltalake import DeltaTable

_COMMITS: Final = 100  # commits looked through for one that changed rows
# Commits that rearrange files or settings and bring nothing new.
_UPKEEP: Final = ("OPTIMIZE", "VACUUM", "SET ", "UNSET ", "ADD CONSTRAINT", "DROP CONSTRAINT", "ADD FEATURE", "UPGRADE")
_UPKEEP_MORE: Final = ("CREATE TABLE", "FSCK", "REPLACE COLUMNS", "CHANGE COLUMN", "UPDATE SCHEMA", "COMPUTE STATS")


@dataclass(frozen=True, kw_only=True)
class Table(Condition):
    """A table that somebody keeps up to date."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'table: {path: "${env.lake}/customers", newer_than: window.end}'
    shorthand: ClassVar[str] = "path"

    path: str = field(metadata={"substitute": "text", "path": True})
    """The table's folder or URI."""
    format: Literal["delta"] = "delta"
    """The table's format."""
    newer_than: Literal["window.start", "window.end"] | timedelta = "window.end"
    """How fresh: changed after the window's start or end, or within a length of time before now, such as 6h."""
    column: str | None = field(default=None, metadata={"min_length": 1})
    """A date or timestamp column whose largest value counts, by the files' statistics; by default the time of the last
    commit that changed rows counts."""

    @property
    def told(self) -> str:
        """What is waited for, in words."""
        what = f"column {self.column} of table {self.path}" if self.column else f"table {self.path}"
        if isinstance(self.newer_than, timedelta):
            return f"{what}, not older than {span(self.newer_than)}"
        return f"{what}, at {self.newer_than} or later"

    def ready(self, asking: Asking) -> Answer:
        """Whether the table is that fresh.

        Raises:
            ConfigError: no such column, one without statistics, or deltalake isn't installed.
        """
        table = _opened(self.path)
        if table is None:
            return Answer(found=False, seen="there is no table yet")
        wanted = self._wanted(asking)
        newest = _largest(table, self.column, self.path) if self.column else _last_change(table)
        if newest is None:
            return Answer(found=False, seen="the table is empty" if self.column else "no commit has changed rows yet")
        if not isinstance(newest, datetime):
            zone = asking.window.zone if asking.window else UTC
            return Answer(found=newest >= wanted.astimezone(zone).date(), seen=f"its newest is {newest}")
        return Answer(found=newest >= wanted, seen=f"its newest is {iso(newest)}, {iso(wanted)} is wanted")

    def _wanted(self, asking: Asking) -> datetime:
        if isinstance(self.newer_than, timedelta):
            return asking.now - self.newer_than
        window = asking.of_window("wait_for table")
        return window.start if self.newer_than == "window.start" else window.end


def _opened(path: str) -> DeltaTable | None:
    try:
        from deltalake import DeltaTable
    except ImportError:
        remedy = "install airflow-provider-etl[delta] where tasks run and where triggers do"
        raise ConfigError("deltalake isn't installed", where=path, remedy=remedy) from None
    return DeltaTable(path) if DeltaTable.is_deltatable(path) else None


def _last_change(table: DeltaTable) -> datetime | None:
    for commit in table.history(_COMMITS):
        if not str(commit.get("operation", "")).upper().startswith(_UPKEEP + _UPKEEP_MORE):
            return datetime.fromtimestamp(int(commit["timestamp"]) / 1000, UTC)
    return None


def _largest(table: DeltaTable, column: str, path: str) -> date | datetime | None:
    """The largest value of a column, as the files' statistics (or, of a partition's column, their folders) have it."""
    known = {item.name for item in table.schema().fields}
    if column not in known:
        raise ConfigError(f"no column {column!r}", where=path, expected=f"one of {', '.join(sorted(known))}")
    files = table.get_add_actions(flatten=True)
    if files.num_rows == 0:
        return None
    name = next((item for item in (f"partition.{column}", f"max.{column}") if item in files.column_names), None)
    values = [value for value in files.column(name).to_pylist() if value is not None] if name else []
    if not values or not isinstance(values[0], date):
        raise ConfigError(
            f"column {column!r} has no largest date or time in the files' statistics",
            where=path,
            expected="a date or timestamp column among those that the table keeps statistics of",
            remedy="leave column out: the time of the last commit counts then",
        )
    newest = max(values)
    return newest if not isinstance(newest, datetime) or newest.tzinfo else newest.replace(tzinfo=UTC)
