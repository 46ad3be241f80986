"""What the footers of Parquet files that Spark has just written say of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.outline import family
from spark_jobs.statistics import Known, Statistics, known, together

if TYPE_CHECKING:
    from pyspark.sql.types import StructField, StructType

    from spark_jobs.session import Storage

# Whoever sets it has the values of texts cut; that a value was cut is not in the file.
CUT: Final = "parquet.statistics.truncate.length"


def statistics(storage: Storage, folder: str, schema: StructType, names: set[str]) -> Statistics:
    """What the footers say of some columns; of nested ones, and of names with a dot in them, nothing.

    Args:
        storage: where the folder is.
        folder: holds the files, each of which is opened.
        schema: the rows'.
        names: the columns that are wanted.
    """
    types = readable(schema, names)
    cut = storage.setting(CUT) is not None
    groups = (group for footer in storage.parquet_footers(folder) for group in footer.getBlocks())
    return of_groups(groups, types, cut=cut)


def of_groups(
    groups: Iterable[Any], types: Mapping[str, tuple[str, int]], *, cut: bool, places: dict[str, int] | None = None
) -> Statistics:
    """What row groups say together.

    Args:
        groups: Java's BlockMetaData, of one schema.
        types: the columns that are wanted, fields of structs with dots: name -> its Spark type, and a decimal's scale.
            None of their names has a dot itself.
        cut: whether the writer cuts long texts.
        places: name -> which column of a group that is, as far as it is known; what is found is added.
    """
    known = {} if places is None else places
    parts = []
    for group in groups:
        if not known:
            known |= _places(group, types)
        parts.append(Statistics(rows=int(group.getRowCount()), columns=dict(_columns(group, types, known, cut=cut))))
    return together(parts)


def _places(group: Any, types: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Where the wanted columns stand; a column `a.b` is none of theirs, though a struct's field is called the same."""
    found = {}
    for place, chunk in enumerate(group.getColumns()):
        path = chunk.getPath()
        name = str(path.toDotString())
        if name in types and int(path.size()) == name.count(".") + 1:
            found[name] = place
    return found


def readable(schema: StructType, names: set[str]) -> dict[str, tuple[str, int]]:
    """The columns whose footers can be read: name -> its type, and a decimal's scale."""
    fields = (item for item in schema if item.name in names and "." not in item.name and not padded(item))
    wanted = {item.name: item.dataType for item in fields}
    return {name: (kind.simpleString(), int(getattr(kind, "scale", 0))) for name, kind in wanted.items()}


def padded(field: StructField) -> bool:
    """Whether a column that shows as a string is a char(n) or varchar(n): beside char(n) Spark pads literals."""
    return "__CHAR_VARCHAR_TYPE_STRING" in field.metadata


def _columns(
    group: Any, types: Mapping[str, tuple[str, int]], places: Mapping[str, int], *, cut: bool
) -> Iterator[tuple[str, Known]]:
    columns = group.getColumns()
    for name, place in places.items():
        found = columns.get(place).getStatistics()
        if found is not None and found.isNumNullsSet():
            kind, scale = types[name]
            bounds = (found.genericGetMin(), found.genericGetMax()) if found.hasNonNullValue() else (None, None)
            least, greatest = (_value(item, kind, scale) for item in bounds)
            yield name, known(int(found.getNumNulls()), least, greatest, kind, exact=not (cut and kind == "string"))


def _value(value: Any, kind: str, scale: int) -> Any:
    """A value as Known has it; None where it can't be compared."""
    group = family(kind)
    if group in {"integer", "float", "boolean", "date", "timestamp", "timestamp_ntz"}:
        return value if isinstance(value, (int, float)) else None  # an INT96 has no order
    if value is None or group not in {"decimal", "text"}:
        return None
    if group == "text":
        return bytes(value.getBytes())
    digits = value if isinstance(value, int) else int.from_bytes(bytes(value.getBytes()), "big", signed=True)
    # Not by `scaleb`: Python's context keeps 28 digits.
    return Decimal((int(digits < 0), tuple(int(one) for one in str(abs(digits))), -scale))
