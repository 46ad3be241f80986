"""`merge`, and `cdc` without history: one MERGE, guarded by sequence; deletes leave tombstones.

Tombstones are written before the table and count once the table's ledger names their attempt. A row that is late for
one sees it where its window committed before; where both commit at once, the format makes one look again, or the later
one finds out by the table's versions that somebody came in between, and settles it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.audit import AUDIT
from spark_jobs.columns import listed, quote
from spark_jobs.errors import DataError
from spark_jobs.load import precedence
from spark_jobs.load.by_key import DELETED, Cdc, Merge
from spark_jobs.load.changes import CHANGE, DELETE, TRUNCATE, UPSERT, Changes
from spark_jobs.load.lake import Clause, Lake, Mark, MergeInto
from spark_jobs.load.side import CUT, NUMBER, UNIT, Side
from spark_jobs.load.strategies import text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_COUNT: Final = "__etl_count__"


@dataclass(frozen=True, kw_only=True)
class Merging:
    """One load of one window.

    Args:
        lake: the table; it is there, with all columns.
        write: the strategy.
        changes: what the window does, with the table's columns and types.
        tombstones: the keys that were deleted, each with its sequence.
        unit: what is written, for the ledger.
        scope: column -> Spark SQL literal: the rows that are this load's; empty where it owns all.
    """

    lake: Lake
    write: Merge | Cdc
    changes: Changes
    tombstones: Side
    unit: str
    scope: Mapping[str, str] = field(default_factory=dict)

    @property
    def soft(self) -> bool:
        """Whether deleted keys stay in the table."""
        return isinstance(self.write, Merge) and self.write.soft_delete

    @property
    def _by_window(self) -> bool:
        """Whether windows order the rows: then a later attempt of a window wins over the one before."""
        return isinstance(self.write, Merge) and not self.write.sequence

    def prepare(self, number: int, units: Mapping[str, int], where: str) -> bool:
        """Write the window's deletes to the tombstones, with those that it has committed before: they can't be unsaid.

        Args:
            number: the attempt's.
            units: unit -> number, as the table's ledger has them.
            where: place in the pipeline file.

        Returns:
            Whether the attempt may go on; not where a later one has written its own.

        Raises:
            DataError: windows order the rows, and this one brings two of a key.
        """
        self._refuse_ambiguous(where)
        buries = self.changes.deletes and not self.soft
        gone = self.changes.of(DELETE, TRUNCATE) if buries else self.changes.rows.limit(0)
        before = self._before(units)
        if before is None and (not buries or gone.isEmpty()):
            return True
        return self.tombstones.replace(self._buried(gone, before), self.unit, number, units.get(self.unit, -1))

    def _before(self, units: Mapping[str, int]) -> DataFrame | None:
        """The tombstones that the window has committed; None where no attempt of it has written any."""
        if not self.tombstones.exists() or self.unit not in self.tombstones.units():
            return None
        return self.tombstones.counting({self.unit: units.get(self.unit, -1)}).drop(UNIT, NUMBER)

    def _buried(self, gone: DataFrame, before: DataFrame | None) -> DataFrame:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        order = [quote(name) for name in self.changes.sequence]
        marked = gone.withColumn(CUT, F.col(CHANGE) == TRUNCATE).select(*map(quote, self._named), CUT)
        every = marked if before is None else marked.unionByName(before, allowMissingColumns=True)
        return precedence.first(every, [*self.changes.keys, CUT], order)

    @property
    def _named(self) -> list[str]:
        return [*self.changes.keys, *self.changes.sequence]

    def _refuse_ambiguous(self, where: str) -> None:
        if not self._by_window:
            return
        from pyspark.sql import functions as F  # noqa: N812

        keys = [F.expr(quote(key)) for key in self.changes.keys]
        counted = self.changes.rows.groupBy(*keys).agg(F.count(F.lit(1)).alias(_COUNT))
        twice = counted.where(f"{_COUNT} > 1").limit(3).collect()
        if twice:
            raise DataError(
                f"keys that stand twice in the window, such as {listed([tuple(row)[:-1] for row in twice])}",
                where=where,
                expected="one row per key, since there is no sequence that says which one counts",
                remedy="name the `sequence` column, or add a dedupe step",
            )

    def commit(self, units: Mapping[str, int], number: int, entry: Mapping[str, Any]) -> None:
        """Merge the window into the table in one commit.

        Args:
            units: unit -> number, as the table's ledger has them.
            number: of the attempt.
            entry: the commit's metadata.
        """
        buried = self._heeded({**units, self.unit: number})
        source, emptied = self._source(buried), self._emptied(buried)
        self._merge(source, emptied, Mark(unit=self.unit, number=number, entry=entry))

    def settle(self, units: Mapping[str, int], marker: str, number: int, entry: Mapping[str, Any]) -> None:
        """Delete the table's rows that a tombstone outlives.

        Args:
            units: unit -> number, as the table's ledger has them.
            marker: what is recorded with the commit.
            number: see there.
            entry: the commit's metadata.
        """
        buried = self._heeded(units)
        self._clear(buried, self._emptied(buried), Mark(unit=marker, number=number, entry=entry))

    def _heeded(self, units: Mapping[str, int]) -> DataFrame | None:
        """The tombstones that count: those of the attempts that the ledger names."""
        return self.tombstones.counting(units) if self.tombstones.exists() else None

    def _last(self, buried: DataFrame) -> DataFrame:
        """Of each key that was deleted the highest sequence, under the table's names."""
        order = [quote(name) for name in self.changes.sequence]
        return precedence.first(buried.where(f"NOT {CUT}"), self.changes.keys, order).select(*map(quote, self._named))

    def _source(self, buried: DataFrame | None) -> DataFrame:
        """Of each key the change that counts; an upsert that a tombstone outlives is a delete.

        It isn't left out: a try that died may have brought it into the table before the tombstone was seen.
        """
        from pyspark.sql import functions as F  # noqa: N812

        order = self._order("", CHANGE)
        best = precedence.first(self.changes.of(UPSERT, DELETE), self.changes.keys, order)
        if buried is None:
            return best
        sequence = self.changes.sequence
        same = " AND ".join(f"s.{quote(key)} = d.{quote(key)}" for key in self.changes.keys)
        outlived = precedence.compared(_prefixed("d.", sequence), _prefixed("s.", sequence), self._no_later)
        dead = f"(d.{quote(self.changes.keys[0])} IS NOT NULL AND {outlived})"
        if (emptied := self._truncated(buried)) is not None:
            dead += f" OR {precedence.compared(_prefixed('s.', sequence), emptied, '<=')}"
        columns = [F.expr(f"s.{quote(name)}") for name in self.changes.columns]
        change = F.expr(f"CASE WHEN {dead} THEN {DELETE} ELSE s.{CHANGE} END").alias(CHANGE)
        return best.alias("s").join(self._last(buried).alias("d"), F.expr(same), "left").select(*columns, change)

    def _order(self, prefix: str, change: str) -> Sequence[str]:
        apart = {*AUDIT, DELETED} if self.soft else {*AUDIT}
        told = [name for name in self.changes.columns if name not in apart]
        return precedence.terms(self.changes.rows.schema, self.changes.sequence, change, told, prefix)

    def _matched(self) -> str:
        same = [f"t.{quote(key)} = s.{quote(key)}" for key in self.changes.keys]
        return " AND ".join([*same, *self._inside("t.")])

    def _inside(self, prefix: str) -> list[str]:
        return [f"{prefix}{quote(name)} = {literal}" for name, literal in self.scope.items()]

    def _merge(self, source: DataFrame, emptied: str | None, mark: Mark) -> None:
        held = f"CAST(coalesce(t.{DELETED}, false) AS INT)" if self.soft else str(UPSERT)
        newer = self._newer(self._order("s.", f"s.{CHANGE}"), self._order("t.", held))
        deletes = f"s.{CHANGE} = {DELETE}"
        columns = {quote(name): f"s.{quote(name)}" for name in self.changes.columns}
        if self.soft:
            columns[quote(DELETED)] = deletes
        clauses = [] if self.soft else [Clause(of="matched", where=f"{deletes} AND {newer}")]
        clauses.append(Clause(of="matched", where=newer, columns=self._updated(columns)))
        if emptied is not None:
            clauses.append(Clause(of="matched", where=emptied))
            if not self.changes.of(TRUNCATE).isEmpty():
                clauses.append(Clause(of="unmatched", where=emptied))
        clauses.append(Clause(of="new", where=None if self.soft else f"s.{CHANGE} = {UPSERT}", columns=columns))
        self.lake.merge(MergeInto(source=source, on=self._matched(), clauses=clauses), mark)

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
        changed = {quote(name) for name in (*listed_only, *self.changes.sequence, DELETED)}
        return {name: value for name, value in columns.items() if name in changed}

    def _truncated(self, buried: DataFrame) -> list[str] | None:
        """The sequence of the last truncate, as Spark SQL literals; None where there was none."""
        if not self.changes.truncates:
            return None
        sequence = self.changes.sequence
        kinds = {item.name: item.dataType.simpleString() for item in self.changes.rows.schema}
        texts = [
            f"{'hex' if kinds[name] == 'binary' else 'string'}({quote(name)}) AS {quote(name)}" for name in sequence
        ]
        order = [quote(name) for name in sequence]
        row = precedence.first(buried.where(CUT), [CUT], order).selectExpr(*texts).first()
        return [_literal(row[name], kinds[name]) for name in sequence] if row is not None else None

    def _emptied(self, buried: DataFrame | None) -> str | None:
        """The table's rows that the last truncate has removed, as a condition; None where there was none."""
        last = self._truncated(buried) if buried is not None else None
        if last is None:
            return None
        older = precedence.compared(_prefixed("t.", self.changes.sequence), last, "<=")
        return " AND ".join([older, *self._inside("t.")])

    def _clear(self, buried: DataFrame | None, emptied: str | None, mark: Mark) -> None:
        sequence = self.changes.sequence
        dead = precedence.compared(_prefixed("s.", sequence), _prefixed("t.", sequence), self._no_later)
        source = self._last(buried) if buried is not None else self.changes.rows.limit(0)
        clauses = [Clause(of="matched", where=dead)]
        if emptied is not None:
            clauses += [Clause(of="matched", where=emptied), Clause(of="unmatched", where=emptied)]
        self.lake.merge(MergeInto(source=source, on=self._matched(), clauses=clauses), mark)


def _prefixed(prefix: str, columns: Sequence[str]) -> list[str]:
    return [f"{prefix}{quote(name)}" for name in columns]


def _literal(value: str | None, kind: str) -> str:
    if value is None:
        return f"CAST(NULL AS {kind})"
    return f"X'{value}'" if kind == "binary" else f"CAST({text(value)} AS {kind})"
