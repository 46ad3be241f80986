"""The swap: one commit of the live table takes the shadow's rows in, and the ledger of their windows with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.ledger import Ledger, LoadUnit, named_alone
from spark_jobs.load import owners, scope
from spark_jobs.load.delta import Delta
from spark_jobs.load.reaching import overtaken
from spark_jobs.load.strategies import Append, ReplaceWindow, instant, text
from spark_jobs.load.table import load_unit
from spark_jobs.plan import Plan
from spark_jobs.tables.shadow import taken
from spark_jobs.tables.spans import covered, merged, newer, window_of_unit
from spark_jobs.transaction import Transaction
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class Behind(Exception):  # noqa: N818 - no error: somebody loaded the live table meanwhile
    """The live table holds what the shadow doesn't.

    Args:
        uncovered: windows of the live table that the shadow has no window for.
    """

    def __init__(self, uncovered: Sequence[Window] = ()) -> None:
        super().__init__("the live table was loaded meanwhile")
        self.uncovered = list(uncovered)


@dataclass(frozen=True, kw_only=True)
class Swap:
    """One load's swap.

    Args:
        spark: the session.
        plan: of any of the windows.
        name: the load's.
        live: its destination.
        shadow: the shadow's path.
        windows: that were rebuilt.
        whole: whether they are all that the table, or the load's part of it, shall hold.
        reaches: window -> what its load replaces, where that is more than the window.
    """

    spark: SparkSession
    plan: Plan
    name: str
    live: Delta
    shadow: str
    windows: Sequence[Window]
    whole: bool
    reaches: Mapping[Window, Window] = field(default_factory=dict)

    def commit(self) -> dict[str, Any]:
        """Swap the shadow in.

        Returns:
            `{"table", "rows", "before", "version"}`: the table's versions before and after.

        Raises:
            Behind: windows were loaded into the live table meanwhile.
            ConfigError: rows of the table belong to none of the windows, so that they would be lost.
            DataError: the windows cut through others, whose rows the table would hold twice (append).
            InfrastructureError: the shadow isn't what was built: another refresh is at work.
        """
        transaction, ledger = Transaction(self.spark, self.live.path), Ledger(self.spark, self.live.path)
        shadow = Ledger(self.spark, self.shadow)
        before, looked, entries = ledger.version(), shadow.identity(), self._entries()
        rows, table, mine, spans = self._checked(entries, transaction.units)
        options, layout = self._options(mine, spans), ledger.partition_columns()
        if not options and (_fields(rows) != _fields(table) or list(self.live.partition_by) != layout):
            options, layout = {"overwriteSchema": "true"}, list(self.live.partition_by)
        count = rows.count()
        transaction.replace(_typed(rows, table, self.live), options, layout)
        transaction.record(entries)
        if looked is None or shadow.identity() != looked:
            raise taken(self.live.path)  # rows and ledger may not be of one version
        version = transaction.commit(self._entry(entries, looked[0]))
        return {"table": self.live.path, "rows": count, "before": before, "version": version}

    def check(self) -> None:
        """Raise what `commit` would raise now; nothing is written."""
        self._checked(self._entries(), Transaction(self.spark, self.live.path).units)

    def refuse_cut(self) -> None:
        """See that no window of the table reaches over the edge of those that are rebuilt.

        Raises:
            DataError: one does, and its rows, which carry no time of their own, can't be told apart (append).
        """
        table = self.spark.read.format("delta").load(self.live.path)
        self._refuse_cut(self._own(table, self._mine(table)))

    def _checked(self, entries: Mapping[str, int], units: Mapping[str, int]) -> tuple[DataFrame, DataFrame, str, str]:
        """The shadow's rows and the table's; the conditions of this load's rows and of the windows'."""
        self._refuse_behind(entries, units)
        rows, table = (self.spark.read.format("delta").load(path) for path in (self.shadow, self.live.path))
        mine, spans = self._mine(table), self._spans(rows)
        self._refuse_cut(self._own(table, mine))
        if self.whole and spans:
            self._refuse_lost(self._own(table, mine), spans)
        return rows, table, mine, spans

    def _entry(self, entries: Mapping[str, int], shadow: str) -> dict[str, Any]:
        """What the commit says of itself; by the shadow's id the next refresh knows that it is swapped."""
        entry: dict[str, Any] = {
            "refresh": self.plan.attempt.run,
            "pipeline": self.plan.id,
            "load": self.name,
            "shadow": shadow,
        }
        entry |= {"fingerprint": self.plan.fingerprint, **named_alone(entries)}
        if not self.live.write.numbered_by_window:
            entry["attempt"] = max(entries.values())  # that the next one must exceed, whichever window
        return entry | {"windows": len(entries), "whole": self.whole}

    def _entries(self) -> dict[str, int]:
        """Key -> number of the units that were rebuilt: the shadow holds them all, and no other's rows."""
        built = Ledger(self.spark, self.shadow).units(self.plan.id, self.name)
        if not self.complete(built):
            raise taken(self.live.path)
        return built

    def complete(self, built: Mapping[str, int]) -> bool:
        """Whether units are exactly those of the windows.

        Args:
            built: key -> number.
        """
        units = {unit.key: unit for unit in map(self.unit, sorted(self.windows, key=lambda window: window.end))}
        if set(built) != set(units) or not self.live.write.numbered_by_window:
            return set(built) == set(units)
        return all(
            unit.snapshot_end(built[key]) == unit.snapshot_end(unit.commit_number(0)) for key, unit in units.items()
        )

    def unit(self, window: Window) -> LoadUnit:
        """What a window's load is in the ledger."""
        return load_unit(self.live.write, self.plan.id, self.name, window)

    def _refuse_behind(self, entries: Mapping[str, int], units: Mapping[str, int]) -> None:
        held = {key: number for key, number in units.items() if key.startswith(f"etl:{self.plan.id}:{self.name}:")}
        if self.live.write.numbered_by_window:
            if any(held.get(key, 0) > number for key, number in entries.items()):
                raise Behind
            return
        spans = merged(self.windows)
        there = [window for key in held if (window := window_of_unit(key, self.plan.window.timezone)) is not None]
        uncovered = [window for window in there if not covered(window, spans)]
        if uncovered and self.whole:
            raise Behind(uncovered)
        for key, number in entries.items():
            window = window_of_unit(key, self.plan.window.timezone)
            if window is not None and self.is_newer(window, number, held):
                raise Behind

    def is_newer(self, window: Window, number: int, held: Mapping[str, int]) -> bool:
        """Whether the live table holds later rows for any part of what a window has replaced in the shadow.

        Args:
            window: one that was rebuilt.
            number: of its commit in the shadow.
            held: key -> number of this load's units in the live table.
        """
        key = self.unit(window).key
        if self.live.write.numbered_by_window:
            return held.get(key, 0) > number
        if window not in self.reaches:
            return newer(window, number, held)
        ledger = Ledger(self.spark, self.live.path)
        return (
            held.get(key, 0) > number or overtaken(ledger.entries, held, key, self.reaches[window], number) is not None
        )

    def _mine(self, table: DataFrame) -> str:
        """Spark SQL: the rows that are this load's; empty where all are."""
        ledger = Ledger(self.spark, self.live.path)
        parts = [scope.condition(self.live.scope, table.schema, f"load.{self.name}")] if self.live.scope else []
        loaders = {claim.pipeline for claim in owners.claims_of(ledger.properties())} | ledger.pipelines()
        if isinstance(self.live.write, Append) and loaders - {self.plan.id}:
            parts.append(f"_pipeline = {text(self.plan.id)}")
        return " AND ".join(parts)

    def _spans(self, rows: DataFrame) -> str:
        """Spark SQL: the rows of the windows that were rebuilt; empty for a snapshot, whose window is everything."""
        write, spans = self.live.write, []
        for span in merged(self.reaches.get(window, window) for window in self.windows):
            if isinstance(write, ReplaceWindow):
                spans.append(f"({write.condition(rows, span, f'load.{self.name}')})")
            elif isinstance(write, Append):
                spans.append(f"(_window_start >= {instant(span.start)} AND _window_end <= {instant(span.end)})")
        return " OR ".join(spans)

    def _own(self, table: DataFrame, mine: str) -> DataFrame:
        return table.where(mine) if mine else table

    def _refuse_cut(self, mine: DataFrame) -> None:
        if self.whole or not isinstance(self.live.write, Append):
            return  # the whole: rows of windows that aren't rebuilt are refused as lost
        for span in merged(self.windows):
            found = mine.where(self.live.write.overlap(self.plan.id, span)).first()
            if found is not None:
                raise DataError(
                    f"{span} cuts through {found['_window_start']}/{found['_window_end']}: rows would be there twice",
                    where=self.live.path,
                    expected="the windows loaded before, or a span that covers them",
                    remedy="say an earlier --from or a later --to",
                )

    def _refuse_lost(self, mine: DataFrame, spans: str) -> None:
        """See that every row that would go belongs to a window that was rebuilt."""
        lost = mine.where(f"NOT coalesce({spans}, false)").count()
        if lost:
            first, last = min(self.windows), max(self.windows)
            raise ConfigError(
                f"{lost} rows of the table belong to no window from {first.key} to {last.key}: they would be lost",
                where=self.live.path,
                expected="windows that cover the whole table",
                remedy="say --from and --to, and only rows of those windows are replaced; or give an earlier start",
            )

    def _options(self, mine: str, spans: str) -> dict[str, str]:
        """Options of the Delta writer; none where the whole table is ours: it may take new columns and a new layout."""
        parts = [mine] if self.whole else [mine, spans]
        condition = " AND ".join(f"({part})" for part in parts if part)
        return {"replaceWhere": condition, "mergeSchema": "true"} if condition else {}


def _fields(rows: DataFrame) -> list[tuple[str, str]]:
    """Names and types of the columns; whether they may be null makes no other table of it."""
    return [(item.name, item.dataType.simpleString()) for item in rows.schema]


def _typed(rows: DataFrame, table: DataFrame, live: Delta) -> DataFrame:
    """The rows, with the scope's columns of the types that the live table has."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    there = {item.name: item.dataType for item in table.schema}
    wanted = {name: F.col(f"`{name}`").cast(there[name]) for name in live.scope if name in there}
    return rows.withColumns(wanted) if wanted else rows
