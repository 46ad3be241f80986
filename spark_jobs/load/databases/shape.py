"""The columns of a load and of its table: which is which, which are new, and which can't hold what comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.load.databases.base import Column, Cursor, Database
from spark_jobs.load.databases.names import TASK, TableName
from spark_jobs.load.growing import Growth, NewColumns
from spark_jobs.load.outside import Outside

if TYPE_CHECKING:
    from pyspark.sql.types import StructField, StructType


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a load needs of its table.

    Args:
        table: its name.
        schema: of the rows as the table takes them.
        keys: columns of the rows that name an entity: a new table's primary key; none for strategies without.
        by: columns of the rows by which a window is found: a new table's index.
        where: place in the pipeline file.
        new_columns: whether columns that the table hasn't got are added.
    """

    table: TableName
    schema: StructType
    keys: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    where: str = ""
    new_columns: NewColumns = "evolve"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How rows and table fit.

    Args:
        columns: name in the rows -> column of the table, in the rows' order.
        missing: those that the table hasn't got yet.
        there: whether there is a table.
        unfed: names of the table's columns that the rows haven't got.
    """

    columns: Mapping[str, Column]
    missing: tuple[Column, ...]
    there: bool
    unfed: tuple[str, ...] = ()

    @property
    def growth(self) -> Growth:
        """What becomes of the table's columns; nothing where there is no table yet."""
        added = tuple(f"{new.name} {new.kind}" for new in self.missing) if self.there else ()
        return Growth(added=added, missing=self.unfed)

    def spelled(self, names: Sequence[str]) -> tuple[str, ...]:
        """Columns of the rows as the table spells them; letter case of the names makes no difference."""
        lowered = {name.lower(): column.name for name, column in self.columns.items()}
        return tuple(lowered[name.lower()] for name in names)


def shape_of(database: Database, cursor: Cursor, wanted: Wanted) -> Shape:
    """How rows fit a table.

    Raises:
        ConfigError: a name or type that the database can't have, or that stands for two of the table's columns.
        DataError: a column that can't keep what comes, or that the table hasn't got and mustn't get.
    """
    why = database.check_name(wanted.table.name)
    if why is not None:
        raise ConfigError(f"{wanted.table} can't be a table's name in {database.name}: {why}", where=wanted.where)
    held = database.columns(cursor, wanted.table)
    columns: dict[str, Column] = {}
    missing = []
    for field in wanted.schema:
        known = _known(field.name, held or {}, wanted.where)
        if known is None:
            known = _new(database, field, wanted)
            missing.append(known)
        elif not database.fits(field.dataType, known):
            raise _clash(field, known, wanted, database)
        columns[field.name] = known
    fed = {column.name for column in columns.values()}
    unfed = tuple(name for name in held or {} if name not in fed)
    shape = Shape(columns=columns, missing=tuple(missing), there=held is not None, unfed=unfed)
    shape.growth.refuse(wanted.new_columns, wanted.where)
    return shape


def unheld_in(database: Database, schema: StructType, shape: Shape) -> list[Outside]:
    """The rows that hold what a column of the table can't.

    Args:
        database: where the table is.
        schema: of the rows.
        shape: their column -> the table's.
    """
    return [
        Outside(
            rule=item.rule,
            condition=f"coalesce({item.condition.replace('{c}', quote(field.name))}, false)",
            told=item.told.replace("{n}", repr(field.name)),
            expected=item.expected,
        )
        for field in schema
        for item in database.unheld(field.dataType, shape.columns[field.name])
    ]


def alter(database: Database, cursor: Cursor, wanted: Wanted, staged: Shape) -> None:
    """Give the table what it lacks: itself, or columns; looked at anew, since others may have done it meanwhile.

    Args:
        database: where it is.
        cursor: the caller commits, where statements that change tables don't do that themselves.
        wanted: what the load needs.
        staged: the shape that the rows were staged with.

    Raises:
        DataError: a column that somebody else has made can't keep what comes.
        InfrastructureError: somebody else has made a column that differs in letter case from what was staged for.
    """
    if staged.there and not staged.missing:
        return
    database.lock(cursor, wanted.table)
    try:
        now = shape_of(database, cursor, wanted)
        # That they can hold the rows has just been looked at; the staging table spells them as they were.
        changed = [column.name for name, column in now.columns.items() if column.name != staged.columns[name].name]
        if changed:
            raise InfrastructureError(
                f"somebody has added column {changed[0]!r} meanwhile", where=str(wanted.table), remedy="run it again"
            )
        for statement in _statements(database, wanted, now):
            cursor.execute(statement, ())
    finally:
        database.unlock(cursor, wanted.table)


def _statements(database: Database, wanted: Wanted, shape: Shape) -> list[str]:
    if not shape.there:
        keys, by = shape.spelled(wanted.keys), shape.spelled(wanted.by)
        made = database.create(wanted.table, list(shape.columns.values()), keys=list(keys))
        return [made, *([] if keys else database.index(wanted.table, list(by)))]
    table = database.table(wanted.table)
    return [f"ALTER TABLE {table} ADD COLUMN {database.quote(new.name)} {new.kind} NULL" for new in shape.missing]


def _known(name: str, held: Mapping[str, Column], where: str) -> Column | None:
    """The table's column of that name; letter case makes no difference where only one is meant."""
    if name in held:
        return held[name]
    alike = [column for spelled, column in held.items() if spelled.lower() == name.lower()]
    if len(alike) > 1:
        raise ConfigError(
            f"column {name!r} could be {' or '.join(repr(column.name) for column in alike)}",
            where=where,
            expected="names that differ in more than letter case",
            remedy="rename it as the table spells it",
        )
    return alike[0] if alike else None


def _new(database: Database, field: StructField, wanted: Wanted) -> Column:
    why = database.check_name(field.name)
    if why is None and field.name.lower() == TASK:
        why = "it is our own"
    if why is not None:
        raise ConfigError(
            f"{field.name!r} can't be a column's name in {database.name}: {why}",
            where=wanted.where,
            remedy="rename it before",
        )
    index = {name.lower() for name in (*wanted.keys, *wanted.by)}
    kind = database.kind_of(field.dataType, key=field.name.lower() in index)
    if kind is None:
        raise ConfigError(
            f"column {field.name!r} is {field.dataType.simpleString()}, for which {database.name} has no type",
            where=wanted.where,
            remedy="cast it before, such as to string",
        )
    return Column(name=field.name, kind=kind)


def _clash(field: StructField, known: Column, wanted: Wanted, database: Database) -> DataError:
    fresh = database.kind_of(field.dataType, key=False)
    return DataError(
        f"column {field.name!r} comes as {field.dataType.simpleString()}, but is {known.kind} in {wanted.table}",
        where=wanted.where,
        expected=f"a column that keeps every value{f', such as {fresh}' if fresh else ''}",
        remedy="cast the column, or alter the table",
    )
