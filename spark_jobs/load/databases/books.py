"""The ledger of tables in a database: what was loaded into them, and whose they are, in two tables beside them.

`_etl_loads` has a row for every unit of every table in the schema, written in the transaction that writes the data; a
row of no window stands for the table itself: whoever changes the table's rows locks it, so that commits have an order
and the ledger that a commit looks at is the ledger that it changes. `_etl_owners` has what each load owns.

No Spark in here: tasks, sensors and the command line read the same tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from spark_jobs.ledger import LoadUnit
from spark_jobs.load.databases.base import Column, Cursor, Database
from spark_jobs.load.databases.names import LOADS, OWNERS, TableName
from spark_jobs.load.owners import Claim
from spark_jobs.plan import Plan

# Column -> a word of `Database.words`; those of the primary key first.
_LOADS: Final = {
    "table_name": "name",
    "unit": "key",
    "number": "number",
    "attempt": "number",
    "token": "text",
    "run": "text",
    "fingerprint": "text",
    "pipeline": "text",
    "load_name": "text",
    "window_start": "moment",
    "window_end": "moment",
    "rows_staged": "number",
    "rows_inserted": "number",
    "rows_updated": "number",
    "rows_deleted": "number",
    "details": "text",
    "committed_at": "moment",
}
_OWNERS: Final = {"table_name": "name", "claim_key": "key", "claim": "text"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One commit: the last of its unit.

    Args:
        unit, number, attempt, token, run, fingerprint, pipeline, load: as Delta's ledger has them.
        start, end: the window, aware.
        staged, inserted, updated, deleted: rows.
        details: `window`; with a scope `scope`; `since`, where a window's rows are replaced; with lookback `reach`.
    """

    unit: str
    number: int
    attempt: int
    token: str
    run: str
    fingerprint: str
    pipeline: str
    load: str
    start: datetime
    end: datetime
    staged: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, unit: LoadUnit, details: Mapping[str, Any], **rows: int) -> Entry:
        """The entry of an attempt that is about to commit; `rows` are `staged`, `inserted`, `updated`, `deleted`."""
        attempt, window = plan.attempt, plan.window
        return cls(
            unit=unit.key,
            number=unit.commit_number(attempt.number),
            attempt=attempt.number,
            token=attempt.token,
            run=attempt.run,
            fingerprint=plan.fingerprint,
            pipeline=plan.id,
            load=unit.destination,
            start=window.start,
            end=window.end,
            details={"window": window.to_json(), **details},
            **rows,
        )

    def to_json(self) -> dict[str, Any]:
        """As the entry of a Delta commit is."""
        return {
            "unit": self.unit,
            "number": self.number,
            "attempt": self.attempt,
            "token": self.token,
            "run": self.run,
            "staged": self.staged,
            "fingerprint": self.fingerprint,
            "pipeline": self.pipeline,
            **self.details,
        }


@dataclass(frozen=True, kw_only=True)
class Books:
    """The ledger of one table.

    Args:
        database: where it is.
        table: whose ledger it is.
    """

    database: Database
    table: TableName

    def there(self, cursor: Cursor) -> bool:
        """Whether the schema has a ledger."""
        beside = self.table.beside
        return all(self.database.columns(cursor, beside(name)) is not None for name in (LOADS, OWNERS))

    def ensure(self, cursor: Cursor) -> None:
        """Make what isn't there yet: the two tables, and the row that stands for the table.

        The caller commits.
        """
        if not self.there(cursor):
            self.database.lock(cursor, self.table)
            try:
                for name, columns in ((LOADS, _LOADS), (OWNERS, _OWNERS)):
                    if self.database.columns(cursor, self.table.beside(name)) is None:
                        self._create(cursor, self.table.beside(name), columns)
            finally:
                self.database.unlock(cursor, self.table)
        if not self._rows(cursor, ["table_name"], "unit = %s", (self.database.table_unit,)):
            named = self.database.named
            key = {named("table_name"): self.table.name, named("unit"): self.database.table_unit}
            self.database.insert_once(cursor, self.table.beside(LOADS), key, {named("number"): 0})

    def lock(self, cursor: Cursor) -> None:
        """Wait until nobody else changes the table's rows, and keep others from it until the transaction ends."""
        condition = f"{self._name('table_name')} = %s AND {self._name('unit')} = %s"
        row = (self.table.name, self.database.table_unit)
        self.database.hold(cursor, self.table.beside(LOADS), self.database.named("number"), condition, row)

    def entry(self, cursor: Cursor, unit: str) -> Entry | None:
        """The last commit of a unit."""
        return next(iter(self._entries(cursor, "unit = %s", (unit,))), None)

    def entries(self, cursor: Cursor) -> dict[str, Entry]:
        """Unit -> its last commit, of all units of the table."""
        return {entry.unit: entry for entry in self._entries(cursor, "unit <> %s", (self.database.table_unit,))}

    def entries_after(self, cursor: Cursor, number: int) -> dict[str, Entry]:
        """Unit -> its last commit, of those units whose number is larger than this one."""
        return {entry.unit: entry for entry in self._entries(cursor, "number > %s", (number,))}

    def pipelines(self, cursor: Cursor) -> set[str]:
        """Ids of the pipelines that have loaded the table."""
        return {
            name for (name,) in self._rows(cursor, ["pipeline"], "unit <> %s", (self.database.table_unit,), "DISTINCT ")
        }

    def record(self, cursor: Cursor, entry: Entry) -> None:
        """Write a commit's entry in place of the unit's last one; the caller has locked the table and commits."""
        self.forget_units(cursor, [entry.unit])
        place = self.database.table(self.table.beside(LOADS))
        marks = ", ".join(["%s"] * len(_LOADS))
        cursor.execute(f"INSERT INTO {place} ({self._listed(_LOADS)}) VALUES ({marks})", self._values(entry))  # noqa: S608

    def forget_units(self, cursor: Cursor, units: Iterable[str]) -> None:
        """Forget units whose rows others have taken the place of; the caller has locked the table and commits."""
        place = self.database.table(self.table.beside(LOADS))
        mine = f"{self._name('table_name')} = %s AND {self._name('unit')} = %s"
        for unit in units:
            cursor.execute(f"DELETE FROM {place} WHERE {mine}", (self.table.name, unit))  # noqa: S608 - quoted

    def claims(self, cursor: Cursor) -> dict[str, str]:
        """The claims on the table, as Delta's properties have them."""
        place = self.database.table(self.table.beside(OWNERS))
        listed, whose = self._listed(["claim_key", "claim"]), self._name("table_name")
        cursor.execute(f"SELECT {listed} FROM {place} WHERE {whose} = %s", (self.table.name,))  # noqa: S608 - quoted
        return dict(cursor.fetchall())

    def claim(self, cursor: Cursor, mine: Claim) -> None:
        """Say what a load owns; the caller has locked the table and commits."""
        place, values = self.database.table(self.table.beside(OWNERS)), (self.table.name, mine.key)
        old = f"{self._name('table_name')} = %s AND {self._name('claim_key')} = %s"
        cursor.execute(f"DELETE FROM {place} WHERE {old}", values)  # noqa: S608 - quoted
        cursor.execute(f"INSERT INTO {place} ({self._listed(_OWNERS)}) VALUES (%s, %s, %s)", (*values, mine.value))  # noqa: S608

    def forget(self, cursor: Cursor) -> None:
        """Forget the table: its ledger and its owners; the caller commits."""
        for name in (LOADS, OWNERS):
            place = self.database.table(self.table.beside(name))
            cursor.execute(f"DELETE FROM {place} WHERE {self._name('table_name')} = %s", (self.table.name,))  # noqa: S608

    def _create(self, cursor: Cursor, table: TableName, columns: Mapping[str, str]) -> None:
        named, words = self.database.named, self.database.words
        kinds = [Column(name=named(name), kind=words[word]) for name, word in columns.items()]
        cursor.execute(self.database.create(table, kinds, keys=[kind.name for kind in kinds[:2]]), ())

    def _entries(self, cursor: Cursor, condition: str, values: tuple[Any, ...]) -> list[Entry]:
        return [_entry(row) for row in self._rows(cursor, list(_LOADS)[1:-1], condition, values)]

    def _rows(
        self, cursor: Cursor, what: Sequence[str], condition: str, values: tuple[Any, ...], how: str = ""
    ) -> list[tuple[Any, ...]]:
        """The ledger's rows of the table; the condition begins with a column's name."""
        place, mine = self.database.table(self.table.beside(LOADS)), self._name("table_name")
        column, _, rest = condition.partition(" ")
        told = f"{mine} = %s AND {self._name(column)} {rest}"
        cursor.execute(f"SELECT {how}{self._listed(what)} FROM {place} WHERE {told}", (self.table.name, *values))  # noqa: S608
        return list(cursor.fetchall())

    def _listed(self, names: Iterable[str]) -> str:
        return ", ".join(map(self._name, names))

    def _name(self, name: str) -> str:
        return self.database.quote(self.database.named(name))

    def _values(self, entry: Entry) -> tuple[Any, ...]:
        moments = [self.database.moment(instant) for instant in (entry.start, entry.end)]
        who = (entry.unit, entry.number, entry.attempt, entry.token, entry.run, entry.fingerprint)
        rows = (entry.staged, entry.inserted, entry.updated, entry.deleted)
        details, now = json.dumps(dict(entry.details)), self.database.moment(datetime.now(UTC))
        return (self.table.name, *who, entry.pipeline, entry.load, *moments, *rows, details, now)


def _entry(row: tuple[Any, ...]) -> Entry:
    *who, start, end, staged, inserted, updated, deleted, details = row
    unit, number, attempt, token, run, fingerprint, pipeline, load = who
    return Entry(
        unit=unit,
        number=number,
        attempt=attempt,
        token=token,
        run=run,
        fingerprint=fingerprint,
        pipeline=pipeline,
        load=load,
        start=_aware(start),
        end=_aware(end),
        staged=staged,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        details=json.loads(details),
    )


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
