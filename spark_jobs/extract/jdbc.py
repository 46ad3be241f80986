"""Source `jdbc`: a table or a query of a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from spark_jobs.connections import Connection, misnamed
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.extract.breaker import Breaker
from spark_jobs.extract.contract import Column, WindowColumn
from spark_jobs.extract.files import Files
from spark_jobs.extract.parts import Partition
from spark_jobs.flow import Context, Flow
from spark_jobs.jdbc.address import is_embedded
from spark_jobs.jdbc.queries import query_problem
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, Scope, bad_types, family, plain_type
from spark_jobs.window import Window, iso

_LONGEST = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Jdbc:
    """A table or a query of PostgreSQL, MariaDB, MySQL, or of another database whose driver is there."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: jdbc
connection: crm
table: sales.orders
window: {column: ordered_at}
settle: 10m
columns:
  id: {type: bigint, required: true}
  amount: {type: "decimal(12,2)"}
  ordered_at: {type: timestamp, required: true}
partition: {column: id, parts: 4}
"""
    type: ClassVar[str] = "jdbc"
    looks_back: ClassVar[bool] = True

    connection: str = field(metadata={"connection": True, "min_length": 1})
    """Airflow connection id of the database: of type postgres or mysql (MariaDB too), or jdbc."""
    table: str = field(default="", metadata={"substitute": "text"})
    """The table or view, such as `sales.orders`, spelled as the database keeps it; or give `query`."""
    query: str = field(default="", metadata={"substitute": "database"})
    """One SELECT in the database's own SQL, in place of `table`; every ${…} becomes a literal. Databases that
    run in Spark's own Java are asked for tables alone."""
    columns: dict[str, Column] = field(default_factory=dict)
    """The contract: column -> type. Only these columns are read: name the window's too. Without it all are, each in its
    own type."""
    window: Literal["all"] | WindowColumn | None = None
    """Which rows belong to a window: `all`, or those whose column lies in it; not needed where the query names it."""
    settle: timedelta | None = field(default=None, metadata={"le": _LONGEST})
    """How long after its end a window is read: transactions that write rows into it must have committed by then."""
    timezone: str | None = None
    """IANA name of the zone of timestamps without one, which then become instants. Without it they stay wall-clock
    times; where one is the window's column, it is compared in the pipeline's zone."""
    partition: Partition | None = None
    """Reading by several tasks at once. Each reads in a transaction of its own."""
    fetch_size: int = field(default=10_000, metadata={"ge": 1, "le": 1_000_000})
    """Rows that the driver takes from the database at once."""
    statement_timeout: timedelta | None = field(default=None, metadata={"le": _LONGEST})
    """How long a statement may take; the database itself ends it."""
    bad_records: Literal["quarantine", "fail"] = "quarantine"
    """Rows with a value that Spark has no place for (infinity as a timestamp, 0000-00-00) or that breaks the contract:
    set them aside whole, or stop."""

    breaker: Breaker | None = field(default=None, metadata={"upkeep": True})
    """When the connection is left alone because it doesn't answer; default: the environment's `breakers`, or never."""
    audit_columns: bool = False
    """Whether rows get `_source` (`connection:table`) and `_extracted_at` (when they were read, one instant a run)."""

    @property
    def told(self) -> str:
        """What is read, in words."""
        return self.table or "a query"

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why; empty where all can."""
        found: dict[str, str] = {}
        if bool(self.table) == bool(self.query):
            found["query" if self.table else "table"] = "give a table or a query, one of them"
        wrong_id = misnamed(self.connection)
        if wrong_id:
            found["connection"] = wrong_id
        if self.query and "'${" in self.query:
            found["query"] = "take the quotes around ${…} away: a literal comes with its own"
        elif self.query and (told := query_problem(self.query)):
            found["query"] = told
        bounds = self.partition.conflicts() if self.partition else None
        if bounds:
            found["partition"] = bounds
        if self.settle and self.window == "all":
            found["settle"] = "nothing is waited for: the whole of it is read for every window"
        return found

    def outline(self) -> Outline:
        """The contract's columns; without one nothing is known."""
        if not self.columns:
            return Outline()
        return Outline(columns={name: plain_type(item.type) for name, item in self.columns.items()}, rest="none")

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark doesn't have, a window's column that can't say which rows belong to it."""
        yield from bad_types("columns", {name: item.type for name, item in self.columns.items()})
        if isinstance(self.window, WindowColumn):
            kind = rows.columns.get(self.window.column)
            if family(kind) not in {None, *INSTANTS}:
                message = f"the window's column {self.window.column!r} is {kind}"
                yield Misfit(option="window.column", message=message, hint="give it type timestamp or date in columns")

    def sampled(self, path: str) -> Files:
        """The files that stand for it in a test, where sample rows take the place of the database's."""
        return Files(
            path=path,
            format="parquet",
            columns=self.columns,
            window=self.window,
            timezone=self.timezone,
            new_columns="discard" if self.columns else "evolve",
            bad_records=self.bad_records,
            audit_columns=self.audit_columns,
        )

    def settled(self, window: Window) -> datetime:
        """The instant from which on a window may be read."""
        return window.end + (self.settle or timedelta())

    def read(self, context: Context) -> Flow:
        """The rows of the window, lazily.

        Raises:
            ConfigError: options that can't go together, a connection or a column that isn't there, SQL that the
                database refuses, or that is no SQL for a database of this process.
            InfrastructureError: the window hasn't settled, or the database can't be reached.
        """
        from spark_jobs.extract.jdbc_rows import flow

        for option, reason in self.conflicts().items():
            raise ConfigError(f"{option}: {reason}", where=context.where)
        self._await_settled(context)
        self._zone(context)
        self.refuse_embedded(context.connections[self.connection], context.where)
        return flow(self, context)

    def refuse_embedded(self, connection: Connection, where: str) -> None:
        """See that no query of a pipeline file runs in a database that has this machine's files at hand.

        Raises:
            ConfigError: it would: H2's FILE_READ, CSVREAD and LINK_SCHEMA reach whatever Spark's Java does.
        """
        if self.query and is_embedded(connection):
            raise ConfigError(
                "its database runs in Spark's own Java, where SQL may read files: no query is asked of it",
                where=where,
                expected="a table",
                remedy="give `table`, or make a view there; or run the database as a server",
            )

    def _await_settled(self, context: Context) -> None:
        if self.settle is None or self.window == "all":
            return
        now, ready = datetime.now(UTC), self.settled(context.plan.window)
        if now < ready:
            raise InfrastructureError(
                f"the window {context.plan.window} hasn't settled: it may be read from {iso(ready)} on",
                where=context.where,
                expected="transactions that write into it have committed by then",
                remedy=f"run it again in {int((ready - now).total_seconds()) + 1} seconds, or shorten settle",
            )

    def _zone(self, context: Context) -> None:
        try:
            ZoneInfo(self.timezone or context.plan.window.timezone)
        except (KeyError, ValueError, OSError) as error:
            where = f"{context.where}.timezone"
            raise ConfigError(f"unknown timezone {self.timezone!r}", where=where, expected="an IANA name") from error
