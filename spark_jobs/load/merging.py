"""`merge`, and `cdc` without history, on Delta: one MERGE, guarded by sequence; deletes leave tombstones.

Tombstones are written before the table, so whoever brings a late row of a deleted key finds them; and read once more
after the table's commit, since somebody may have written one in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import listed, quote
from spark_jobs.errors import DataError
from spark_jobs.ledger import committing
from spark_jobs.load import precedence
from spark_jobs.load.by_key import DELETED, Cdc, Merge
from spark_jobs.load.changes import CHANGE, DELETE, TRUNCATE, UPSERT, Changes
from spark_jobs.load.side import TOMBSTONES, Side, committing_as, fitted
from spark_jobs.points import reach

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_APART: Final = (DELETED, "_source", "_extracted_at")  # no part of what a row says


@dataclass(frozen=True, kw_only=True)
class Merging:
    """One load of one window.

    Args:
        spark: a classic session.
        path: the table's folder or URI; the table is there, with all columns.
        write: the strategy.
        changes: what the window does, with the table's types.
        scope: column -> Spark SQL literal: the rows that are this load's; empty where it owns all.
    """

    spark: SparkSession
    path: str
    write: Merge | Cdc
    changes: Changes
    scope: Mapping[str, str] = field(default_factory=dict)

    @property
    def soft(self) -> bool:
        """Whether deleted keys stay in the table."""
        return isinstance(self.write, Merge) and self.write.soft_delete

    @property
    def _by_window(self) -> bool:
        """Whether windows order the rows: then a later attempt of a window wins over the one before."""
        return isinstance(self.write, Merge) and not self.write.sequence

    @property
    def tombstones(self) -> Side:
        """The keys that were deleted, each with its sequence."""
        return Side(spark=self.spark, table=self.path, kind=TOMBSTONES)

    def refuse_ambiguous(self, where: str) -> None:
        """See that windows which order the rows bring one row per key.

        Raises:
            DataError: a key stands there twice.
        """
        if isinstance(self.write, Cdc) or self.write.sequence:
            return
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        keys = [F.expr(quote(key)) for key in self.changes.keys]
        twice = self.changes.rows.groupBy(*keys).count().where("count > 1").limit(3).collect()
        if twice:
            shown = [tuple(row[key] for key in self.changes.keys) for row in twice]
            raise DataError(
                f"keys that stand twice in the window, such as {listed(shown)}",
                where=where,
                expected="one row per key, since there is no sequence that says which one counts",
                remedy="name the `sequence` column, or add a dedupe step",
            )

    def bury(self) -> None:
        """Write the window's deletes to the tombstones; the highest sequence of a key stays. A repeat changes none."""
        if self.soft or not self.changes.deletes:
            return
        gone = self.changes.of(DELETE, TRUNCATE)
        if gone.isEmpty() and self.tombstones.version() < 0:
            return
        columns = [*self.changes.keys, *self.changes.sequence]
        buried = precedence.first(gone, self.changes.keys, [quote(name) for name in self.changes.sequence])
        buried = buried.select(*map(quote, columns))
        self.tombstones.ensure(buried.schema)
        reach("before side commit")
        committing(lambda: self._bury(buried))
        reach("after side commit")

    def _bury(self, buried: DataFrame) -> None:
        from delta import DeltaTable

        sequence = self.changes.sequence
        later = precedence.compared(_prefixed("s.", sequence), _prefixed("t.", sequence), ">")
        same = " AND ".join(f"t.{quote(key)} <=> s.{quote(key)}" for key in self.changes.keys)
        (
            DeltaTable.forPath(self.spark, self.tombstones.path)
            .alias("t")
            .merge(buried.alias("s"), same)
            .whenMatchedUpdateAll(later)
            .whenNotMatchedInsertAll()
            .execute()
        )

    def commit(self, unit: str, number: int, entry: Mapping[str, Any]) -> int:
        """Merge the window into the table in one commit.

        Args:
            unit: what is recorded with the commit.
            number: of the attempt.
            entry: the commit's metadata.

        Returns:
            The version of the tombstones that it knew.
        """
        known = self.tombstones.version()
        source, emptied = self._source(known), self._emptied(known)
        reach("before commit")
        with committing_as(self.spark, unit, number, entry):
            self._merge(source, emptied)
        reach("after commit")
        return known

    def settle(self, known: int, entry: Mapping[str, Any]) -> None:
        """Delete rows whose tombstone came between the look and the commit; by the time it returns, there is none.

        Args:
            known: the version of the tombstones that the commit knew; -2 where that isn't known.
            entry: the metadata of a commit that this makes.
        """
        while (version := self.tombstones.version()) != known:
            known = version
            committing(lambda: self._clear(version, entry))

    def _source(self, known: int) -> DataFrame:
        """Of each key the change that counts; an upsert that a tombstone outlives is a delete.

        It isn't left out: a try that died may have brought it into the table before the tombstone was seen.
        """
        from pyspark.sql import functions as F  # noqa: N812

        order = self._order("", CHANGE)
        best = precedence.first(self.changes.of(UPSERT, DELETE), self.changes.keys, order)
        if self.soft or known < 0:
            return best
        sequence = self.changes.sequence
        same = " AND ".join(f"s.{quote(key)} = d.{quote(key)}" for key in self.changes.keys)
        outlived = precedence.compared(_prefixed("d.", sequence), _prefixed("s.", sequence), self._no_later)
        dead = f"(d.{quote(self.changes.own[0])} IS NOT NULL AND {outlived})"
        if (emptied := self._truncated(known)) is not None:
            dead += f" OR {precedence.compared(_prefixed('s.', sequence), emptied, '<=')}"
        buried = self.tombstones.rows(known).where(f"NOT ({self.changes.keyless})")
        columns = [F.expr(f"s.{quote(name)}") for name in self.changes.columns]
        change = F.expr(f"CASE WHEN {dead} THEN {DELETE} ELSE s.{CHANGE} END").alias(CHANGE)
        return best.alias("s").join(buried.alias("d"), F.expr(same), "left").select(*columns, change)

    def _order(self, prefix: str, change: str) -> Sequence[str]:
        told = [name for name in self.changes.columns if name not in _APART]
        return precedence.terms(self.changes.rows.schema, self.changes.sequence, change, told, prefix)

    def _matched(self) -> str:
        same = [f"t.{quote(key)} = s.{quote(key)}" for key in self.changes.keys]
        return " AND ".join([*same, *self._inside("t.")])

    def _inside(self, prefix: str) -> list[str]:
        return [f"{prefix}{quote(name)} = {literal}" for name, literal in self.scope.items()]

    def _merge(self, source: DataFrame, emptied: str | None) -> None:
        from delta import DeltaTable

        held = f"CAST(coalesce(t.{DELETED}, false) AS INT)" if self.soft else str(UPSERT)
        newer = self._newer(self._order("s.", f"s.{CHANGE}"), self._order("t.", held))
        deletes = f"s.{CHANGE} = {DELETE}"
        columns = {quote(name): f"s.{quote(name)}" for name in self.changes.columns}
        if self.soft:
            columns[DELETED] = deletes
        table = DeltaTable.forPath(self.spark, self.path).alias("t").merge(source.alias("s"), self._matched())
        if self.changes.deletes and not self.soft:
            table = table.whenMatchedDelete(f"{deletes} AND {newer}")
        table = table.whenMatchedUpdate(newer, self._updated(columns))
        if emptied is not None:
            table = table.whenMatchedDelete(emptied)
            if not self.changes.of(TRUNCATE).isEmpty():
                table = table.whenNotMatchedBySourceDelete(emptied)
        table.whenNotMatchedInsert(None if self.soft else f"s.{CHANGE} = {UPSERT}", columns).execute()

    def _newer(self, incoming: Sequence[str], held: Sequence[str]) -> str:
        if not self._by_window:
            return precedence.compared(incoming, held, ">")
        first = len(self.changes.sequence)
        no_earlier = precedence.compared(incoming[:first], held[:first], ">=")
        return f"{no_earlier} AND {precedence.compared(incoming, held, '<>')}"

    @property
    def _no_later(self) -> str:
        """How a tombstone compares with a row that it outlives: a delete wins over an upsert of the same sequence."""
        return ">" if self._by_window else ">="

    def _updated(self, columns: Mapping[str, str]) -> dict[str, str]:
        """What a newer row changes; its sequence always does, or an older one would seem newer."""
        listed_only = self.write.update if isinstance(self.write, Merge) and self.write.update != "all" else None
        if listed_only is None:
            return dict(columns)
        changed = {quote(name) for name in (*listed_only, *self.changes.sequence)} | {DELETED}
        return {name: value for name, value in columns.items() if name in changed}

    def _truncated(self, known: int) -> list[str] | None:
        """The sequence of the last truncate, as Spark SQL literals; None where there was none."""
        if known < 0 or not self.changes.truncates:
            return None
        keyless = " AND ".join([self.changes.keyless, *self._inside("")])
        sequence = self.changes.sequence
        texts = [f"CAST({quote(name)} AS STRING) AS {quote(name)}" for name in sequence]
        row = self.tombstones.rows(known).where(keyless).selectExpr(*texts).first()
        kinds = {field.name: field.dataType.simpleString() for field in self.changes.rows.schema}
        return [f"CAST({_text(row[name])} AS {kinds[name]})" for name in sequence] if row is not None else None

    def _emptied(self, known: int) -> str | None:
        """The table's rows that the last truncate has removed, as a condition; None where there was none."""
        last = self._truncated(known)
        if last is None:
            return None
        older = precedence.compared(_prefixed("t.", self.changes.sequence), last, "<=")
        return " AND ".join([older, *self._inside("t.")])

    def _clear(self, version: int, entry: Mapping[str, Any]) -> None:
        from delta import DeltaTable

        if version < 0:
            return
        sequence = self.changes.sequence
        dead = precedence.compared(_prefixed("s.", sequence), _prefixed("t.", sequence), self._no_later)
        buried = self.tombstones.rows(version).where(f"NOT ({self.changes.keyless})")
        emptied = self._emptied(version)
        table = DeltaTable.forPath(self.spark, self.path).alias("t").merge(buried.alias("s"), self._matched())
        table = table.whenMatchedDelete(dead)
        if emptied is not None:
            table = table.whenMatchedDelete(emptied).whenNotMatchedBySourceDelete(emptied)
        with committing_as(self.spark, None, 0, entry):
            table.execute()


def fitting(changes: Changes, table: StructType, where: str) -> Changes:
    """The changes with the table's types and spelling."""
    rows = fitted(changes.rows, table, where)
    spelled = {name.lower(): name for name in rows.columns}
    return Changes(
        rows=rows,
        keys=tuple(spelled[key.lower()] for key in changes.keys),
        own=tuple(spelled[key.lower()] for key in changes.own),
        sequence=tuple(spelled[name.lower()] for name in changes.sequence),
        deletes=changes.deletes,
        truncates=changes.truncates,
    )


def _prefixed(prefix: str, columns: Sequence[str]) -> list[str]:
    return [f"{prefix}{quote(name)}" for name in columns]


def _text(value: str | None) -> str:
    from spark_jobs.load.strategies import text

    return "NULL" if value is None else text(value)
