"""Purge of tables of a database: the load's own, its tombstones, and a refresh's that was left half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import quote
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TableName
from spark_jobs.tables.databases.held import Condition, Held, spelled
from spark_jobs.tables.databases.refresh import shadow_of
from spark_jobs.tables.entity import Entity

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Say = Callable[[str], None]
Own = Callable[[Mapping[str, Column]], Condition]


@dataclass(frozen=True, kw_only=True)
class DatabasePlace:
    """A table in which the entity is looked for.

    Args:
        name: what it is, in words.
        held: the load.
        table: the table.
        own: which of its rows are the load's, where others may load the table too; None: all are.
    """

    name: str
    held: Held
    table: TableName
    own: Own | None = None

    @property
    def path(self) -> str:
        """The table, for people."""
        return f"{self.held.destination.connection}:{self.table}"

    def rows(self, spark: SparkSession) -> DataFrame | None:
        """No row, with the table's columns as Spark's types have them; None where there is no table."""
        with self.held.session() as cursor:
            found = self.held.database.columns(cursor, self.table)
        if found is None:
            return None
        kinds = [f"{quote(name)} {self._kind(column)}" for name, column in found.items()]
        return spark.createDataFrame([], ", ".join(kinds))

    def _kind(self, column: Column) -> str:
        database = self.held.database
        # What no text can say is no key: a map can't be compared with one, and says so.
        return database.spark_kind(column) if database.means("", column) else "map<string,string>"

    def purge(self, spark: SparkSession, entity: Entity, *, dry: bool, say: Say) -> dict[str, Any]:
        """Look for the entity's rows, and remove them in one transaction that waits for loads under way.

        Args:
            spark: the session.
            entity: whose rows go.
            dry: whether they stay.
            say: takes one line of progress.
        """
        told: dict[str, Any] = {"name": self.name, "table": self.path, "state": "absent", "rows": 0, "version": None}
        rows = self.rows(spark)
        if rows is None:
            return told
        if missing := entity.missing(rows):
            return told | {"state": "not_searched", "missing": missing}
        texts = entity.texts(spark, rows, self.path)
        with self.held.session() as cursor:
            columns = self.held.database.columns(cursor, self.table)
            if columns is None:
                return told  # the refresh that it was of has ended
            condition = self._condition(columns, dict(zip(entity.keys, texts, strict=True)))
            told |= self._removed(cursor, condition, dry=dry)
        say(f"purge {self.name}: {told['rows']} rows in {self.path}")
        return told

    def _removed(self, cursor: Cursor, condition: Condition, *, dry: bool) -> dict[str, Any]:
        place = self.held.database.table(self.table)
        if dry:
            cursor.execute(f"SELECT count(*) FROM {place}{condition.where}", condition.values)  # noqa: S608 - quoted
            found = int(cursor.fetchone()[0])
            return {"state": "found" if found else "clean", "rows": found}
        if self.held.books.there(cursor):
            self.held.books.lock(cursor)
        cursor.execute(f"DELETE FROM {place}{condition.where}", condition.values)  # noqa: S608 - quoted, bound
        gone = max(int(cursor.rowcount), 0)
        cursor.connection.commit()
        return {"state": "purged" if gone else "clean", "rows": gone}

    def _condition(self, columns: Mapping[str, Column], texts: Mapping[str, str]) -> Condition:
        database, parts = self.held.database, []
        for name in texts:
            known = columns[spelled(name, columns) or name]
            parts.append(str(database.means(database.quote(known.name), known)))
        own = self.own(columns) if self.own else Condition()
        return Condition(parts=tuple(parts), values=tuple(texts.values())) & own


def places_of(held: Held) -> Iterator[DatabasePlace]:
    """Every table of a load, each before those that its rows may go over into while the entity is purged.

    A refresh's swap takes them into the load's own table, and a delete from there to the tombstones.
    """
    name, table = f"load {held.name}", held.table
    yield DatabasePlace(name=f"{name}, refresh under way", held=held, table=shadow_of(held))
    yield DatabasePlace(name=name, held=held, table=table, own=held.mine)
    yield DatabasePlace(name=f"{name}, tombstones", held=held, table=table.tombstones, own=held.buried)


def staged_beside(held: Held) -> list[str]:
    """Staging tables in the schema, which can't be searched: a load fills them, or has died and left them."""
    with held.session() as cursor:
        return [f"{held.destination.connection}:{name}" for name in held.database.stages(cursor, held.table)]
