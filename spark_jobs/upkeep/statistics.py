"""Of which columns a Delta table's files keep minima and maxima: those that the strategy needs, and those asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError
from spark_jobs.upkeep.base import Subject

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

_ORDERED: Final = frozenset(
    {
        *("byte", "short", "integer", "long", "float", "double", "decimal"),
        *("string", "char", "varchar", "date", "timestamp", "timestamp_ntz"),
    }
)
"""Delta's SkippingEligibleDataType; it refuses statistics of other columns, such as booleans and binaries."""


def statistics_of(subject: Subject, table: StructType, inside: Collection[str]) -> str:
    """The columns, as the table's property names them.

    Args:
        subject: the table, and what its load asks for.
        table: its columns.
        inside: those that lay it out.

    Raises:
        ConfigError: one that is asked for isn't there, or has no order.
    """
    kinds = {item.name.lower(): item.dataType for item in table}
    laid_out = {name.lower() for name in inside}
    needed = [name for name in _needed(subject) if name.lower() not in laid_out and _ordered(kinds.get(name.lower()))]
    names = {name.lower(): name for name in (*needed, *_asked(subject, kinds))}.values()
    return ",".join(f"`{name.replace('`', '``')}`" for name in names)


def _needed(subject: Subject) -> Iterator[str]:
    """The columns by which the strategy finds rows, and Z-order needs statistics of."""
    destination, write = subject.destination, subject.destination.write
    if column := getattr(write, "column", None):
        yield column
    if write.rows_carry_pipeline:
        yield from ("_pipeline", "_window_start", "_window_end")
    yield from (*getattr(write, "keys", ()), *destination.scope, *destination.maintenance.zorder)


def _asked(subject: Subject, kinds: Mapping[str, DataType]) -> tuple[str, ...]:
    names: tuple[str, ...] = subject.destination.maintenance.statistics
    for name in names:
        if not _ordered(kind := kinds.get(name.lower())):
            raise ConfigError(
                f"statistics names column {name!r}, which is {kind.simpleString() if kind else 'not there'}",
                where=f"load.{subject.name}.maintenance",
                expected="a number, a text, a date or a time: Delta keeps minima and maxima of those alone",
                remedy="leave it out",
            )
    return names


def _ordered(kind: DataType | None) -> bool:
    """Whether Delta keeps minima and maxima of a column: of a struct where it does of all that is in it."""
    inner = getattr(kind, "fields", None)
    if inner is not None:
        return all(_ordered(item.dataType) for item in inner)
    return kind is not None and kind.typeName() in _ORDERED
