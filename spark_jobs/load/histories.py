"""`scd2`, and `cdc` with history: a key's versions are a function of the set of its events.

The events stand beside the table; those of an attempt count once the table's ledger names it. A window adds its own,
makes the histories of the keys that it touches anew from all events that count, and brings what differs into the table
in one commit, which also makes its events count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.audit import AUDIT
from spark_jobs.columns import listed, quote
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load import precedence
from spark_jobs.load.changes import CHANGE, DELETE, TRUNCATE, UPSERT, Changes
from spark_jobs.load.covering import covered_by, current, cut
from spark_jobs.load.lake import Clause, Lake, Mark, MergeInto
from spark_jobs.load.side import NUMBER, UNIT, Side
from spark_jobs.transform.order import orderable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
_ACTION: Final = "__etl_action__"
_BEFORE: Final = "__etl_before__"
_TOLD, _SEVERAL = "__etl_told__", "__etl_several__"


@dataclass(frozen=True, kw_only=True)
class Histories:
    """One load of one window.

    Args:
        spark: a classic session.
        lake: the table; it is there, with all columns.
        changes: what the window does, with the table's columns and types.
        valid_from: the column with an event's instant.
        track: columns whose change begins a version.
        events: all events, by the unit and attempt that brought them.
        unit: what is written, for the ledger.
        timezone: of the windows.
        scope: column -> Spark SQL literal: the rows that are this load's; empty where it owns all.
        amends: the number of the window's attempt whose events stay beside these; 0 where these replace them.
    """

    spark: SparkSession
    lake: Lake
    changes: Changes
    valid_from: str
    track: tuple[str, ...]
    events: Side
    unit: str
    timezone: str
    scope: Mapping[str, str] = field(default_factory=dict)
    amends: int = 0

    def prepare(self, number: int, units: Mapping[str, int], where: str) -> bool:
        """Write the window's events beside those that it has committed before; these go once it has committed again.

        Args:
            number: the attempt's.
            units: unit -> number, as the table's ledger has them.
            where: place in the pipeline file.

        Returns:
            Whether the attempt may go on; not where a later one has written its own, or covers this window.

        Raises:
            ConfigError: the table holds rows that no event of this load explains.
            DataError: the window cuts through another one, or brings events that no order tells apart.
        """
        if self.unit not in current({**units, self.unit: number}, self.timezone):
            return False
        self._refuse_foreign(where)
        other = cut(self.unit, units, self.timezone)
        if other is not None:
            raise DataError(
                f"the window cuts through {other}",
                where=where,
                expected="the windows loaded before, or one that covers them",
                remedy="run a window that covers both",
            )
        if not self.changes.sequence:
            self._refuse_ambiguous(units, where)
        return self.events.replace(self._own(), self.unit, number, units.get(self.unit, -1))

    def _own(self) -> DataFrame:
        """The window's events; behind those of the attempt that these are added to."""
        if not self.amends or not self.events.exists():
            return self.changes.rows
        before = self.events.counting({self.unit: self.amends}).drop(UNIT, NUMBER)
        return self.changes.rows.unionByName(before, allowMissingColumns=True)

    @property
    def _table(self) -> DataFrame:
        table = self.lake.rows()
        for name, literal in self.scope.items():
            table = table.where(f"{quote(name)} = {literal}")
        return table

    def _refuse_foreign(self, where: str) -> None:
        if not self.events.exists() and not self._table.isEmpty():
            folder, _, name = self.events.path.rpartition("/")
            renamed = f"the folder in {folder} to {name} too" if folder else f"the table of its events to {name} too"
            raise ConfigError(
                "the table holds rows that no event of this load explains",
                where=where,
                expected="an empty table, or a history that this load has made",
                remedy=f"give another {'path' if folder else 'table'}; where the load or the pipeline was renamed, "
                f"rename {renamed}",
            )

    def _refuse_ambiguous(self, units: Mapping[str, int], where: str) -> None:
        """See that no two events of a key differ at one instant, in this window or against those of others."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        wanted = [quote(name) for name in [*self.changes.columns, CHANGE] if name not in AUDIT]
        events = self.changes.rows.select(*wanted)
        if self.events.exists():
            replaced = covered_by(self.unit, units, self.timezone)
            others = self._counting({unit: n for unit, n in units.items() if unit not in replaced})
            others = others.join(self.changes.rows, list(self.changes.keys), "left_semi")
            events = events.unionByName(others.select(*wanted))
        events = events.where(f"{CHANGE} IN ({UPSERT}, {DELETE})")
        keys = [F.expr(quote(name)) for name in (*self.changes.keys, self.valid_from)]
        told = events.select(*keys, F.expr(f"to_json(struct({', '.join(wanted)}))").alias(_TOLD))
        several = told.groupBy(*keys).agg(F.count_distinct(_TOLD).alias(_SEVERAL)).where(f"{_SEVERAL} > 1")
        twice = several.limit(3).collect()
        if twice:
            raise DataError(
                f"events of one key that differ at one instant, such as {listed([tuple(row)[:-1] for row in twice])}",
                where=where,
                expected="one event of a key at an instant, since there is no sequence that orders them",
                remedy="name the `sequence` column, or add a dedupe step",
            )

    def commit(self, units: Mapping[str, int], number: int, entry: Mapping[str, Any]) -> None:
        """Bring the histories of the window's keys into the table in one commit.

        Args:
            units: unit -> number, as the table's ledger has them.
            number: of the attempt.
            entry: the commit's metadata.
        """
        differences = self._differences({**units, self.unit: number}, self.unit)
        self._merge(differences, Mark(unit=self.unit, number=number, entry=entry))

    def settle(self, units: Mapping[str, int], marker: str, number: int, entry: Mapping[str, Any]) -> None:
        """Make the histories of a window's keys anew from the events that count now.

        Args:
            units: unit -> number, as the table's ledger has them.
            marker: what is recorded with the commit.
            number: see there.
            entry: the commit's metadata; `settled` names the window's unit.
        """
        differences = self._differences(units, str(entry["settled"]))
        self._merge(differences, Mark(unit=marker, number=number, entry=entry))

    def _counting(self, units: Mapping[str, int]) -> DataFrame:
        """The events of the attempts that count, with all columns of the changes: what an event hasn't got is null.

        Args:
            units: unit -> number.
        """
        from pyspark.sql import functions as F  # noqa: N812

        events = self.events.counting(current(units, self.timezone))
        there = {name.lower() for name in events.columns}
        lacking = [item for item in self.changes.rows.schema if item.name.lower() not in there]
        return events.withColumns({item.name: F.lit(None).cast(item.dataType) for item in lacking})

    def _touched(self, units: Mapping[str, int], unit: str) -> DataFrame | None:
        """The keys that a window brings now or has brought before; None for all keys, where it has a truncate."""
        from pyspark.sql import functions as F  # noqa: N812

        mine = self.events.rows().where(F.col(UNIT).isin(covered_by(unit, units, self.timezone)))
        if self.changes.truncates and not mine.where(f"{CHANGE} = {TRUNCATE}").isEmpty():
            return None
        return mine.select(*[F.expr(quote(key)) for key in self.changes.keys]).distinct()

    def _differences(self, units: Mapping[str, int], unit: str) -> DataFrame:
        """What must be inserted, updated and deleted so that the table holds the histories of a window's keys."""
        from pyspark.sql import functions as F  # noqa: N812

        events, table, touched = self._counting(units), self._table, self._touched(units, unit)
        if touched is not None:
            keyed = events.join(touched, list(self.changes.keys), "left_semi")
            cuts = events.where(f"{CHANGE} = {TRUNCATE}")
            events = keyed.unionByName(cuts) if self.changes.truncates else keyed
            table = table.join(touched, list(self.changes.keys), "left_semi")
        made = self._shown(self.versions(events), table)
        same = " AND ".join(f"m.{quote(name)} = t.{quote(name)}" for name in (*self.changes.keys, FROM))
        both = made.alias("m").join(table.alias("t"), F.expr(same), "full_outer")
        first = quote(self.changes.keys[0])
        columns = [
            F.expr(f"CASE WHEN m.{first} IS NULL THEN t.{quote(name)} ELSE m.{quote(name)} END").alias(name)
            for name in table.columns
        ]
        action = (
            f"CASE WHEN t.{first} IS NULL THEN 'insert' WHEN m.{first} IS NULL THEN 'delete' "
            f"WHEN NOT ({_alike(table.drop(*AUDIT), 'm.', 't.')}) THEN 'update' END"
        )
        return both.select(*columns, F.expr(action).alias(_ACTION)).where(f"{_ACTION} IS NOT NULL")

    @staticmethod
    def _shown(versions: DataFrame, table: DataFrame) -> DataFrame:
        """Versions with the table's columns, in its order."""
        from pyspark.sql import functions as F  # noqa: N812

        there = {name.lower(): name for name in versions.columns}
        return versions.select(
            *[
                (F.expr(quote(there[item.name.lower()])) if item.name.lower() in there else F.lit(None))
                .cast(item.dataType)
                .alias(item.name)
                for item in table.schema
            ]
        )

    def versions(self, events: DataFrame) -> DataFrame:
        """The versions of the keys of some events.

        Args:
            events: all events of these keys that count, and the truncates.
        """
        from pyspark.sql import Window as Over
        from pyspark.sql import functions as F  # noqa: N812

        events = self._with_truncates(events)
        told = [name for name in self.changes.columns if name not in AUDIT]
        order = precedence.terms(events.schema, self.changes.sequence, CHANGE, told)
        decided = precedence.first(events, (*self.changes.keys, self.valid_from), order)
        keys = [F.expr(quote(key)) for key in self.changes.keys]
        by_time = Over.partitionBy(*keys).orderBy(F.expr(quote(self.valid_from)))
        before = F.lag(F.struct(*[F.expr(quote(name)) for name in (CHANGE, *self.track)])).over(by_time)
        marked = decided.withColumn(_BEFORE, before)
        same = _alike(marked.select(*map(quote, self.track)), f"{_BEFORE}.", "") if self.track else "true"
        was_open = f"coalesce({_BEFORE}.{CHANGE} = {UPSERT}, false)"
        edge = f"CASE WHEN {CHANGE} = {UPSERT} THEN NOT ({was_open} AND {same}) ELSE {was_open} END"
        until = F.lead(F.expr(quote(self.valid_from))).over(by_time)
        since = {FROM: F.expr(quote(self.valid_from)), TO: until}
        ended = marked.where(edge).withColumns(since).where(f"{CHANGE} = {UPSERT}")
        return ended.withColumn(CURRENT, F.expr(f"{TO} IS NULL"))

    def _with_truncates(self, events: DataFrame) -> DataFrame:
        """Events alone; a truncate is a delete of every key that there is."""
        from pyspark.sql import functions as F  # noqa: N812

        keyed = events.where(f"{CHANGE} IN ({UPSERT}, {DELETE})")
        if not self.changes.truncates:
            return keyed
        keys = keyed.select(*map(quote, self.changes.keys)).distinct()
        beside = [quote(name) for name in dict.fromkeys((*self.changes.sequence, self.valid_from))]
        cuts = F.broadcast(events.where(f"{CHANGE} = {TRUNCATE}").select(*beside).distinct())
        ended = keys.crossJoin(cuts).withColumn(CHANGE, F.lit(DELETE))
        return keyed.unionByName(ended, allowMissingColumns=True)

    def _merge(self, differences: DataFrame, mark: Mark) -> None:
        names = [name for name in differences.columns if name != _ACTION]
        columns = {quote(name): f"s.{quote(name)}" for name in names}
        same = [f"t.{quote(name)} = s.{quote(name)}" for name in (*self.changes.keys, FROM)]
        same += [f"t.{quote(name)} = {literal}" for name, literal in self.scope.items()]
        kept = f"s.{_ACTION} <> 'delete'"
        clauses = [
            Clause(of="matched", where=f"s.{_ACTION} = 'delete'"),
            Clause(of="matched", where=kept, columns=columns),
            Clause(of="new", where=kept, columns=columns),
        ]
        self.lake.merge(MergeInto(source=differences, on=" AND ".join(same), clauses=clauses), mark)


def _alike(rows: DataFrame, one: str, other: str) -> str:
    """Whether two rows have the same values in all columns, null being a value; a Spark SQL condition, never null."""
    terms: Sequence[str] = [_same(item, one, other) for item in rows.schema]
    return " AND ".join(terms) or "true"


def _same(item: Any, one: str, other: str) -> str:
    left, right = f"{one}{quote(item.name)}", f"{other}{quote(item.name)}"
    if not orderable(item):  # a map may hide in it, which Spark can't compare
        left, right = (f"to_json(struct({value} AS value))" for value in (left, right))
    return f"{left} <=> {right}"
