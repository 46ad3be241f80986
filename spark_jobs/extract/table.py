"""Source `table`: a table that other pipelines load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from spark_jobs.errors import ConfigError
from spark_jobs.extract.contract import Column, WindowColumn
from spark_jobs.flow import Context, Flow
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, Scope, bad_types, family, plain_type

CHANGES: Final = {
    "_change_type": "string",
    "_commit_version": "bigint",
    "_change_order": "int",
    "_commit_timestamp": "timestamp",
}
"""The columns of a change feed."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A Delta table; all that a run reads of it is of one version, which the report names."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: table
path: ${env.lake}/bronze/orders
window: {column: ordered_at}
columns:
  id: {type: bigint, required: true}
  amount: {type: "decimal(12,2)"}
  ordered_at: {type: timestamp}
"""
    type: ClassVar[str] = "table"
    looks_back: ClassVar[bool] = True

    format: Literal["delta"] = "delta"
    """The table's format."""
    path: str = field(metadata={"substitute": "text", "path": True})
    """The table's folder or URI."""
    columns: dict[str, Column] = field(default_factory=dict)
    """The contract: column -> type, as the table has it. Only these columns are read. Without it all are."""
    window: Literal["all"] | WindowColumn | None = None
    """Which rows belong to a window: `all`, or those whose column lies in it (a row without a value lies in none); not
    needed where `as_of` names the window."""
    version: int | None = field(default=None, metadata={"ge": 0})
    """The version that is read; default: the newest one when the run begins."""
    as_of: str | None = field(default=None, metadata={"substitute": "text"})
    """A moment: the version that the table had then is read, such as `"2013-01-01T06:00"` (the pipeline's zone where it
    says none) or `${window.end}`."""
    changes: bool = False
    """Whether the table's change feed is read: what has been committed since the window before, each version once. The
    first window gets the table as a whole, as inserts. Rows have `_change_type` (insert, update, delete),
    `_commit_version`, `_change_order` and `_commit_timestamp` then (docs/tables-as-sources.md)."""
    bad_records: Literal["quarantine", "fail"] = "quarantine"
    """Rows without a value that the contract requires: set them aside whole, or stop."""

    audit_columns: bool = False
    """Whether rows get `_source` (the table's path) and `_extracted_at` (when they were read, one instant a run)."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why; empty where all can."""
        found: dict[str, str] = {}
        if self.version is not None and self.as_of is not None:
            found["as_of"] = "give a version or a moment, one of them"
        elif self.as_of is not None and "${" not in self.as_of and _moment(self.as_of) is None:
            found["as_of"] = "it is no date or time, such as 2013-01-01T06:00"
        if self.changes:
            for option in ("version", "as_of", "window"):
                if getattr(self, option) is not None:
                    found[option] = "the change feed goes on where the window before has ended (changes: true)"
            taken = next((name for name in self.columns if name.lower() in CHANGES), None)
            if taken is not None:
                found["columns"] = f"{taken!r} comes with the change feed"
        return found

    @property
    def consumes(self) -> bool:
        """Whether a window gets what no window has read before; a load keeps what that was."""
        return self.changes

    def outline(self) -> Outline:
        """The contract's columns; without one nothing is known: the table is looked at when it is read."""
        added = dict(CHANGES) if self.changes else {}
        if not self.columns:
            return Outline(columns=added)
        personal = [name for name, item in self.columns.items() if item.pii]
        columns = {name: plain_type(item.type) for name, item in self.columns.items()}
        return Outline(columns=columns | added, rest="none").holding(personal)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark doesn't have, a window's column that can't say which rows belong to it."""
        yield from bad_types("columns", {name: item.type for name, item in self.columns.items()})
        if isinstance(self.window, WindowColumn):
            kind = rows.columns.get(self.window.column)
            if family(kind) not in {None, *INSTANTS}:
                message = f"the window's column {self.window.column!r} is {kind}"
                yield Misfit(option="window.column", message=message, hint="name a timestamp or date")

    def sampled(self, path: str) -> Table:
        """What stands for it in a test: a table that holds the sample, which has one version and no past."""
        if not self.changes:
            return replace(self, path=path, version=None, as_of=None, window=self.window or "all")
        columns = self.columns | {name: Column(type=kind) for name, kind in CHANGES.items() if self.columns}
        return replace(self, path=path, changes=False, columns=columns, window="all")

    @property
    def repeatable(self) -> bool:
        """Whether a repeat reads the same whatever has been written since."""
        return self.version is not None or self.as_of is not None

    def moment(self, zone: str) -> datetime | None:
        """`as_of` as an instant in UTC; None where there is none.

        Args:
            zone: IANA name of the zone of a time without one.
        """
        found = _moment(self.as_of) if self.as_of is not None else None
        if found is None:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)

    def read(self, context: Context) -> Flow:
        """The rows of the window, lazily, of one version of the table.

        Raises:
            ConfigError: options that can't go together, columns that the table hasn't got so, a window's column that
                can't say which rows belong to it, or the pipeline writes the table itself.
            DataError: there is no such table, or its version isn't there any more.
            InfrastructureError: the window before has taken changes and isn't loaded.
        """
        for option, reason in self.conflicts().items():
            raise ConfigError(f"{option}: {reason}", where=context.where)
        if self.changes:
            from spark_jobs.extract import feed

            return feed.flow(self, context)
        from spark_jobs.extract.table_rows import flow

        return flow(self, context)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
