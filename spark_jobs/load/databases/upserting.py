"""`merge` in a database: of each key the change that counts, held against the table's row, in one transaction.

Which change counts is what Delta's `merge` says: by sequence; at equal ones a delete before an upsert; then by the
rows' content, column by column in the order of their names, null before every value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spark_jobs.audit import AUDIT
from spark_jobs.columns import listed
from spark_jobs.errors import DataError
from spark_jobs.load.by_key import DELETED, Merge
from spark_jobs.load.changes import CHANGE, DELETE, UPSERT, Changes
from spark_jobs.load.databases.base import Column, Cursor, Database
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.shape import Shape
from spark_jobs.load.databases.stage import Stage
from spark_jobs.load.databases.transacting import Changed

_APART: Final = (DELETED, CHANGE, *AUDIT)  # no part of what a row says
_BEST: Final = "_etl_best"


@dataclass(frozen=True, kw_only=True)
class Upserting:
    """One load of one window.

    Args:
        database: where the table is.
        table: its name.
        write: the strategy.
        changes: what the window does.
        shape: rows' column -> the table's, CHANGE among them.
        buried: whether there is a table of tombstones.
    """

    database: Database
    table: TableName
    write: Merge
    changes: Changes
    shape: Shape
    buried: bool

    def apply(self, cursor: Cursor, stage: Stage) -> Changed:
        """Merge what was staged.

        Raises:
            DataError: a key stands there twice, and no sequence says which one counts.
        """
        known = self.shape.spelled([*self.changes.keys, CHANGE])
        self.database.plan_for(cursor, stage.table, known)
        source = self._best(cursor, self.database.table(stage.table))
        target = self.database.table(self.table)
        if self.buried:
            self._bury(cursor, source)
        deleted = 0
        if self.changes.deletes and not self.write.soft_delete:
            deletes = f"{self._match()} AND s.{self._change} = {DELETE} AND {self._newer()}"
            deleted = self._run(cursor, self.database.delete_using(target, source, deletes))
        updates = f"{self._match()} AND {self._counts()} AND {self._newer()}"
        updated = self._run(cursor, self.database.update_from(target, source, updates, self._sets()))
        inserted = self._run(cursor, self._insert(target, source))
        return Changed(inserted=inserted, updated=updated, deleted=deleted)

    def _best(self, cursor: Cursor, stage: str) -> str:
        """Where of each key the change is that counts: in the staging table, or in one made of it."""
        keys = ", ".join(self._names(self.changes.keys))
        cursor.execute(f"SELECT {keys} FROM {stage} GROUP BY {keys} HAVING count(*) > 1 LIMIT 3", ())  # noqa: S608
        twice = cursor.fetchall()
        if not twice:
            return stage
        if not self.write.sequence:
            raise DataError(
                f"keys that stand twice in the window, such as {listed([tuple(row) for row in twice])}",
                where=str(self.table),
                expected="one row per key, since there is no sequence that says which one counts",
                remedy="name the `sequence` column, or add a dedupe step",
            )
        every = ", ".join(self._names(self.shape.columns))
        order = ", ".join(f"{term} DESC{self.database.nulls_last}" for term in self._terms("", self._change))
        ranked = f"SELECT {every}, ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {order}) AS _etl_rank FROM {stage}"  # noqa: S608
        best = f"SELECT {every} FROM ({ranked}) AS ranked WHERE _etl_rank = 1"  # noqa: S608
        cursor.execute(f"CREATE TEMPORARY TABLE {_BEST} AS {best}", ())
        return _BEST

    def _bury(self, cursor: Cursor, source: str) -> None:
        """Remember the keys that were deleted, each with its highest sequence."""
        grave, names = self.database.table(self.table.tombstones), self._names(self.changes.sequence)
        deletes = f"s.{self._change} = {DELETE}"
        later = self._compared([*self._sequence("s.")], [*self._sequence("t.")])
        self._run(
            cursor,
            self.database.update_from(
                grave, source, f"{self._match()} AND {deletes} AND {later}", {name: f"s.{name}" for name in names}
            ),
        )
        columns = [*self._names(self.changes.keys), *names]
        values = ", ".join(f"s.{name}" for name in columns)
        known = f"SELECT 1 FROM {grave} AS t WHERE {self._match()}"  # noqa: S608
        self._run(
            cursor,
            f"INSERT INTO {grave} ({', '.join(columns)}) SELECT {values} FROM {source} AS s"  # noqa: S608
            f" WHERE {deletes} AND NOT EXISTS ({known})",
        )

    def _insert(self, target: str, source: str) -> str:
        """Rows of keys that the table hasn't got, and no tombstone outlives."""
        sets = self._columns()
        there = f"SELECT 1 FROM {target} AS t WHERE {self._match()}"  # noqa: S608
        conditions = [self._counts(), f"NOT EXISTS ({there})"]
        if self.buried:
            grave = self.database.table(self.table.tombstones)
            conditions.append(f"NOT EXISTS (SELECT 1 FROM {grave} AS t WHERE {self._match()} AND {self._outlived()})")  # noqa: S608
        chosen = f"SELECT {', '.join(sets.values())} FROM {source} AS s WHERE {' AND '.join(conditions)}"  # noqa: S608
        return f"INSERT INTO {target} ({', '.join(sets)}) {chosen}"

    def _sets(self) -> dict[str, str]:
        """What a newer row changes; its sequence always does, or an older one would seem newer."""
        if self.write.update == "all":
            return self._columns()
        deleted = [DELETED] if self.write.soft_delete else []
        changed = self._names((*self.write.update, *self.changes.sequence, *deleted))
        return {name: value for name, value in self._columns().items() if name in changed}

    def _columns(self) -> dict[str, str]:
        names = [self.database.quote(column.name) for name, column in self.shape.columns.items() if name != CHANGE]
        return {name: f"s.{name}" for name in names}

    def _counts(self) -> str:
        """The rows that the table takes in: all where deleted ones stay, else those that delete nothing."""
        return f"s.{self._change} IS NOT NULL" if self.write.soft_delete else f"s.{self._change} = {UPSERT}"

    def _match(self) -> str:
        return " AND ".join(f"t.{name} = s.{name}" for name in self._names(self.changes.keys))

    def _outlived(self) -> str:
        """Whether a tombstone counts more than the staged row; where windows order them, a later attempt wins."""
        if not self.write.sequence:
            return f"({self._compared(self._sequence('t.'), self._sequence('s.'))})"
        return f"NOT ({self._compared(self._sequence('s.'), self._sequence('t.'))})"

    def _newer(self) -> str:
        """Whether the staged row comes before the table's."""
        held = str(UPSERT)
        if self.write.soft_delete:
            held = f"CASE WHEN t.{self.database.quote(DELETED)} THEN {DELETE} ELSE {UPSERT} END"
        staged, there = self._terms("s.", f"s.{self._change}"), self._terms("t.", held)
        if self.write.sequence:
            return self._compared(staged, there)
        older = self._compared(self._sequence("t."), self._sequence("s."))
        return f"NOT ({older}) AND ({self._compared(staged, there)} OR {self._compared(there, staged)})"

    def _terms(self, prefix: str, change: str) -> list[str]:
        """All that orders the changes of a key, the first term first."""
        order = {name.lower() for name in (*self.changes.sequence, *self.changes.keys)}
        told = {name: column for name, column in self.shape.columns.items() if name not in _APART}
        content = sorted((column for name, column in told.items() if name.lower() not in order), key=_by_name)
        return [*self._sequence(prefix), change, *self._ordered(content, prefix)]

    def _sequence(self, prefix: str) -> list[str]:
        spelled = {column.name: column for column in self.shape.columns.values()}
        return self._ordered([spelled[name] for name in self.shape.spelled(self.changes.sequence)], prefix)

    def _ordered(self, columns: Sequence[Column], prefix: str) -> list[str]:
        terms = [self.database.ordered(f"{prefix}{self.database.quote(column.name)}", column) for column in columns]
        return [term for column in terms for term in column]

    def _compared(self, one: Sequence[str], other: Sequence[str]) -> str:
        """Whether terms are greater than others, one after the other; null comes before every value."""
        told = "1 = 0"
        for left, right in reversed(list(zip(one, other, strict=True))):
            greater = f"({left} > {right} OR ({right} IS NULL AND {left} IS NOT NULL))"
            told = f"({greater} OR ({self.database.equal(left, right)} AND {told}))"
        return told

    @property
    def _change(self) -> str:
        return self.database.quote(CHANGE)

    def _names(self, columns: Sequence[str] | Mapping[str, Any]) -> list[str]:
        return [self.database.quote(name) for name in self.shape.spelled(list(columns))]

    def _run(self, cursor: Cursor, statement: str) -> int:
        cursor.execute(statement, ())
        return max(int(cursor.rowcount), 0)


def _by_name(column: Column) -> str:
    return column.name.lower()
