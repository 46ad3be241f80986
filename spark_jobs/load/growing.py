"""What a load does to a table's columns: it adds those that the table lacks, or refuses to, and leaves some empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spark_jobs.columns import listed
from spark_jobs.errors import DataError

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

NewColumns = Literal["evolve", "freeze"]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How rows and a table that was there differ.

    Args:
        added: `name type` of the columns that the table hasn't got; a field of a struct by its path, `a.b`.
        missing: the table's columns that the rows haven't got: null in them.
    """

    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def refuse(self, mode: NewColumns, where: str) -> Growth:
        """Itself.

        Raises:
            DataError: columns would be added, and the load says `new_columns: freeze`.
        """
        if mode == "freeze" and self.added:
            raise DataError(
                f"the table hasn't got {listed(self.added)}",
                where=f"{where}.new_columns",
                expected="its columns alone: freeze",
                remedy="leave them out with a select or drop step, or say evolve",
            )
        return self


def growth(rows: StructType, table: StructType | None) -> Growth:
    """How a table that is there will change; nothing where there is none yet.

    Args:
        rows: as they are written, with the strategy's columns.
        table: the table's columns now.
    """
    if table is None:
        return Growth()
    there = {field.name.lower() for field in rows}
    missing = tuple(field.name for field in table if field.name.lower() not in there)
    return Growth(added=tuple(_added(rows, table, ())), missing=missing)


def _added(rows: StructType, table: StructType, path: Sequence[str]) -> Iterator[str]:
    held = {field.name.lower(): field for field in table}
    for field in rows:
        known, place = held.get(field.name.lower()), (*path, field.name)
        if known is None:
            yield f"{'.'.join(place)} {field.dataType.simpleString()}"
        else:
            yield from _within(field.dataType, known.dataType, place)


def _within(rows: DataType, table: DataType, path: Sequence[str]) -> Iterator[str]:
    """The same of what structs hold, and arrays and maps of structs."""
    from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

    if isinstance(rows, T.StructType) and isinstance(table, T.StructType):
        yield from _added(rows, table, path)
    elif isinstance(rows, T.ArrayType) and isinstance(table, T.ArrayType):
        yield from _within(rows.elementType, table.elementType, (*path, "element"))
    elif isinstance(rows, T.MapType) and isinstance(table, T.MapType):
        yield from _within(rows.keyType, table.keyType, (*path, "key"))
        yield from _within(rows.valueType, table.valueType, (*path, "value"))
