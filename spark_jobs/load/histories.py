"""`scd2`, and `cdc` with history, on Delta: a key's versions are a function of the set of its events.

The events stay beside the table. A window first replaces the events that it brought before; then the histories of the
keys that it touches are made anew from all events, and what differs goes into the table in one commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import listed, quote
from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.ledger import LoadUnit, committing
from spark_jobs.load import precedence
from spark_jobs.load.changes import CHANGE, DELETE, TRUNCATE, UPSERT, Changes
from spark_jobs.load.side import EVENTS, Side, committing_as
from spark_jobs.load.strategies import Append
from spark_jobs.observe import Counter
from spark_jobs.points import reach
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_GONE: Final = 3
"""A key that a window brought once and brings no more: its history must be made anew, whoever dies meanwhile."""
_ACTION: Final = "__etl_action__"
FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
_BY_WINDOW: Final = Append(strategy="append")


@dataclass(frozen=True, kw_only=True)
class Histories:
    """One load of one window.

    Args:
        spark: a classic session.
        path: the table's folder or URI; the table is there, with all columns.
        changes: what the window does, with the table's types.
        valid_from: the column with an event's instant.
        track: columns whose change begins a version.
        unit: what is written, for the ledger.
        window: the window.
        scope: column -> Spark SQL literal: the rows that are this load's; empty where it owns all.
    """

    spark: SparkSession
    path: str
    changes: Changes
    valid_from: str
    track: tuple[str, ...]
    unit: LoadUnit
    window: Window
    scope: Mapping[str, str] = field(default_factory=dict)

    @property
    def events(self) -> Side:
        """All events that were ever delivered, by the window that brought them."""
        return Side(spark=self.spark, table=self.path, kind=EVENTS)

    @property
    def _owner(self) -> str:
        return f"{self.unit.pipeline}:{self.unit.destination}"

    def keep(self, staged: int, number: int, where: str) -> bool:
        """Replace the events that this window, and those that it covers, have brought before.

        Args:
            staged: rows of the window.
            number: of the attempt; a smaller one than the events' changes nothing.
            where: place in the pipeline file.

        Returns:
            Whether these are this attempt's events.

        Raises:
            DataError: the window cuts through another one, or brings events that no order tells apart.
        """
        shaped = _BY_WINDOW.shape(self.changes.rows, self._owner, self.window)
        self.events.ensure(shaped.schema, ("_window_start",))
        self._refuse_overlap(where)
        self._refuse_ambiguous(shaped, where)
        reach("before side commit")
        committing(lambda: self._replace(shaped, staged, number))
        reach("after side commit")
        return self.events.ledger.number(self.unit) == number

    def _replace(self, shaped: DataFrame, staged: int, number: int) -> None:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        events = self.events
        options = _BY_WINDOW.options(shaped, self._owner, self.window, "")
        if (events.ledger.number(self.unit) or -1) >= number:
            return
        brought = events.rows(events.version()).where(options["replaceWhere"]).select(*map(quote, self.changes.keys))
        gone = brought.distinct().join(shaped, list(self.changes.keys), "left_anti").withColumn(CHANGE, F.lit(_GONE))
        gone = _BY_WINDOW.shape(gone, self._owner, self.window)
        counter = Counter(shaped, events=F.count(F.lit(1)))
        together = counter.rows.unionByName(gone, allowMissingColumns=True)
        writer = together.write.format("delta").mode("overwrite").options(**options)
        writer.option("txnAppId", self.unit.key).option("txnVersion", str(number)).save(events.path)
        if counter.values()["events"] != staged and not self.changes.truncates:
            raise InfrastructureError(
                f"{counter.values()['events']} events were kept, {staged} were staged",
                where=events.path,
                expected="equal counts",
                remedy="clear the run from its extract task on",
            )

    def _refuse_overlap(self, where: str) -> None:
        events = self.events.rows(self.events.version())
        found = events.where(_BY_WINDOW.overlap(self._owner, self.window)).first()
        if found is not None:
            raise DataError(
                f"window {self.window} cuts through {found['_window_start']}/{found['_window_end']}",
                where=where,
                expected="the windows loaded before, or one that covers them",
                remedy="run a window that covers both",
            )

    def _refuse_ambiguous(self, shaped: DataFrame, where: str) -> None:
        """See that no two events of a key differ at one instant, in this window or against those of others."""
        if self.changes.sequence:
            return
        mine = _BY_WINDOW.options(shaped, self._owner, self.window, "")["replaceWhere"]
        others = self.events.rows(self.events.version()).where(f"NOT ({mine}) AND _pipeline = '{self._owner}'")
        others = others.join(shaped, list(self.changes.keys), "left_semi")
        wanted = [quote(name) for name in [*self.changes.columns, CHANGE]]
        events = shaped.select(*wanted).unionByName(others.select(*wanted)).where(f"{CHANGE} IN ({UPSERT}, {DELETE})")
        content = [f"to_json(struct({', '.join(wanted)})) AS told"]
        keys = [quote(name) for name in (*self.changes.keys, self.valid_from)]
        from pyspark.sql import functions as F  # noqa: N812

        several = events.selectExpr(*keys, *content).groupBy(*[F.expr(key) for key in keys])
        twice = several.agg(F.count_distinct("told").alias("n")).where("n > 1").limit(3).collect()
        if twice:
            shown = [tuple(row)[:-1] for row in twice]
            raise DataError(
                f"events of one key that differ at one instant, such as {listed(shown)}",
                where=where,
                expected="one event of a key at an instant, since there is no sequence that orders them",
                remedy="name the `sequence` column, or add a dedupe step",
            )

    def commit(self, unit: str, number: int, entry: Mapping[str, Any]) -> int:
        """Bring the histories of the window's keys into the table in one commit.

        Args:
            unit: what is recorded with the commit.
            number: of the attempt.
            entry: the commit's metadata.

        Returns:
            The version of the events that they were made from.
        """
        known = self.events.version()
        reach("before commit")
        self._merge(self._differences(known), unit, number, entry)
        reach("after commit")
        return known

    def settle(self, known: int, entry: Mapping[str, Any]) -> None:
        """Make the histories anew while somebody has brought events since they were read.

        Args:
            known: the version of the events that the commit knew; -2 where that isn't known.
            entry: the metadata of a commit that this makes.
        """
        while (version := self.events.version()) != known:
            known = version
            committing(lambda: self._again(version, entry))

    def _again(self, version: int, entry: Mapping[str, Any]) -> None:
        differences = self._differences(version)
        if not differences.isEmpty():
            self._merge(differences, None, 0, entry)

    def _touched(self, events: DataFrame) -> DataFrame | None:
        """The keys whose histories this window may change; None for all: it has brought a truncate."""
        from pyspark.sql import functions as F  # noqa: N812

        covered = _BY_WINDOW.options(events, self._owner, self.window, "")["replaceWhere"]
        mine = events.where(covered)
        keyless = f"{CHANGE} = {TRUNCATE} OR ({CHANGE} = {_GONE} AND {self.changes.keyless})"
        if self.changes.truncates and not mine.where(keyless).isEmpty():
            return None
        return mine.select(*[F.expr(quote(key)) for key in self.changes.keys]).distinct()

    def _differences(self, version: int) -> DataFrame:
        """What must be inserted, updated and deleted so that the table holds the histories of the touched keys."""
        from pyspark.sql import functions as F  # noqa: N812

        events = self.events.rows(version).where(F.col("_pipeline") == self._owner)
        table = self.spark.read.format("delta").load(self.path)
        for name, literal in self.scope.items():
            table = table.where(f"{quote(name)} = {literal}")
        touched = self._touched(events)
        if touched is not None:
            events = events.join(touched, list(self.changes.keys), "left_semi").unionByName(self._truncates(events))
            table = table.join(touched, list(self.changes.keys), "left_semi")
        made = self.versions(events).select(*[F.expr(quote(name)) for name in table.columns])
        identity = [*self.changes.keys, FROM]
        same = " AND ".join(f"m.{quote(name)} = t.{quote(name)}" for name in identity)
        both = made.alias("m").join(table.alias("t"), F.expr(same), "full_outer")
        first = quote(self.changes.keys[0])
        columns = [
            F.expr(f"CASE WHEN m.{first} IS NULL THEN t.{quote(name)} ELSE m.{quote(name)} END").alias(name)
            for name in table.columns
        ]
        action = (
            f"CASE WHEN t.{first} IS NULL THEN 'insert' WHEN m.{first} IS NULL THEN 'delete' "
            f"WHEN NOT ({_alike(table, 'm.', 't.')}) THEN 'update' END"
        )
        return both.select(*columns, F.expr(action).alias(_ACTION)).where(f"{_ACTION} IS NOT NULL")

    def _truncates(self, events: DataFrame) -> DataFrame:
        return events.where(f"{CHANGE} = {TRUNCATE}" if self.changes.truncates else "false")

    def versions(self, events: DataFrame) -> DataFrame:
        """The versions of the keys of some events.

        Args:
            events: all events of these keys, and the truncates.
        """
        from pyspark.sql import Window as Over
        from pyspark.sql import functions as F  # noqa: N812

        events = self._with_truncates(events)
        instant = (*self.changes.keys, self.valid_from)
        order = precedence.terms(events.schema, self.changes.sequence, CHANGE, self.changes.columns)
        decided = precedence.first(events, instant, order)
        by_time = Over.partitionBy(*map(quote, self.changes.keys)).orderBy(quote(self.valid_from))
        before = F.lag(F.struct(*[F.expr(quote(name)) for name in (CHANGE, *self.track)])).over(by_time)
        marked = decided.withColumn("__etl_before__", before)
        same = _alike(marked.select(*map(quote, self.track)), "__etl_before__.", "") if self.track else "true"
        was_open = f"coalesce(__etl_before__.{CHANGE} = {UPSERT}, false)"
        edge = f"CASE WHEN {CHANGE} = {UPSERT} THEN NOT ({was_open} AND {same}) ELSE {was_open} END"
        edges = marked.where(edge)
        until = F.lead(F.expr(quote(self.valid_from))).over(by_time)
        ended = edges.withColumns({FROM: F.expr(quote(self.valid_from)), TO: until}).where(f"{CHANGE} = {UPSERT}")
        return ended.withColumn(CURRENT, F.expr(f"{TO} IS NULL"))

    def _with_truncates(self, events: DataFrame) -> DataFrame:
        """Events alone; a truncate is a delete of every key that there is."""
        from pyspark.sql import functions as F  # noqa: N812

        keyed = events.where(f"{CHANGE} IN ({UPSERT}, {DELETE})")
        if not self.changes.truncates:
            return keyed
        keys = keyed.select(*map(quote, self.changes.keys)).distinct()
        beside = [quote(name) for name in dict.fromkeys((*self.changes.sequence, self.valid_from))]
        cut = F.broadcast(events.where(f"{CHANGE} = {TRUNCATE}").select(*beside).distinct())
        ended = keys.crossJoin(cut).withColumn(CHANGE, F.lit(DELETE))
        return keyed.unionByName(ended, allowMissingColumns=True)

    def _merge(self, differences: DataFrame, unit: str | None, number: int, entry: Mapping[str, Any]) -> None:
        from delta import DeltaTable

        names = [name for name in differences.columns if name != _ACTION]
        columns: dict[str, str | Column] = {quote(name): f"s.{quote(name)}" for name in names}
        same = [f"t.{quote(name)} = s.{quote(name)}" for name in (*self.changes.keys, FROM)]
        same += [f"t.{quote(name)} = {literal}" for name, literal in self.scope.items()]
        table = DeltaTable.forPath(self.spark, self.path).alias("t").merge(differences.alias("s"), " AND ".join(same))
        with committing_as(self.spark, unit, number, entry):
            (
                table.whenMatchedDelete(f"s.{_ACTION} = 'delete'")
                .whenMatchedUpdate(f"s.{_ACTION} <> 'delete'", columns)
                .whenNotMatchedInsert(f"s.{_ACTION} <> 'delete'", columns)
                .execute()
            )


def _alike(rows: DataFrame, one: str, other: str) -> str:
    """Whether two rows have the same values in all columns, null being a value; a Spark SQL condition, never null."""
    from spark_jobs.transform.order import orderable

    terms = []
    for item in rows.schema:
        left, right = f"{one}{quote(item.name)}", f"{other}{quote(item.name)}"
        if not orderable(item):  # a map may hide in it, which Spark can't compare
            left, right = (f"to_json(struct({value} AS value))" for value in (left, right))
        terms.append(f"{left} <=> {right}")
    return " AND ".join(terms) or "true"
