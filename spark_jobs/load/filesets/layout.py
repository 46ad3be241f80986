"""What all files of a folder have in common: format, columns, folders named by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import column, refuse_collisions
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.filesystem import escaped
from spark_jobs.load.filesets.forms import Form
from spark_jobs.load.filesets.manifest import ATTEMPT, DATA, UNIT, Manifest, Slice
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What all files of a folder have in common.

    Args:
        form: their format.
        partition_by: columns that the names of folders hold.
        schema: the columns, in the order in which text files have them.
        column: the one that says to which window a row belongs; None in a snapshot.
    """

    form: Form
    partition_by: tuple[str, ...]
    schema: StructType
    column: str | None

    def to_json(self) -> dict[str, Any]:
        """As a manifest has it."""
        return {
            "format": self.form.name,
            "options": self.form.reading,
            "partition_by": list(self.partition_by),
            "column": self.column,
            "schema": self.schema.jsonValue(),
        }

    def fitted(self, rows: DataFrame) -> DataFrame:
        """Rows with these columns, in this order; those that they lack are null."""
        return fitted(rows, self.schema)


def fitted(rows: DataFrame, schema: StructType) -> DataFrame:
    """Rows with some columns, in their order; those that they lack are null."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    there = {name.lower(): name for name in rows.columns}
    chosen = []
    for item in schema:
        spelled = there.get(item.name.lower())
        value = F.lit(None).cast(item.dataType) if spelled is None else column(spelled)
        chosen.append(value.alias(item.name))
    return rows.select(*chosen)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a pipeline file says of the files.

    Args:
        form: their format.
        partition_by: columns that the names of folders hold.
        column: the one that says to which window a row belongs; None in a snapshot.
    """

    form: Form
    partition_by: tuple[str, ...]
    column: str | None


def layout_of(held: Manifest | None, asked: Asked, rows: StructType, where: str) -> Layout:
    """The layout that files get: that of those which are there, and columns that are new.

    Args:
        held: what is there; None where nothing stays.
        asked: what the pipeline file says.
        rows: the columns that come.
        where: the table's folder.

    Raises:
        ConfigError: the files that are there are of another layout, or it can't hold such columns.
        DataError: a column has another type than before.
    """
    from pyspark.sql import types as T  # noqa: N812

    refuse_collisions([item.name for item in rows], where)
    names = [item.name for item in rows]
    schema = T.StructType([T.StructField(item.name, item.dataType) for item in rows])
    if held is not None and held.slices:
        schema = _merged(T.StructType.fromJson(dict(held.layout["schema"])), schema, where)
    folders = _spelled(asked.partition_by, schema, where)
    found = Layout(form=asked.form, partition_by=folders, schema=schema, column=asked.column)
    if taken := {UNIT, ATTEMPT} & {name.lower() for name in names}:
        raise ConfigError(f"column {min(taken)!r} is called as the folders are", where=where, remedy="rename it")
    if len(found.partition_by) == len(schema):
        raise ConfigError("all columns are in `partition_by`: the files would be empty", where=where)
    for told, remedy in asked.form.refusals(schema, found.partition_by):
        raise ConfigError(told, where=where, remedy=remedy)
    _refuse_other(held, found, where)
    return found


def span_of(window: Window, column: DataType | None) -> Window:
    """A window on the scale of the column that says to which window a row belongs: dates are days of no zone."""
    if column is None or column.typeName() != "date" or not window.whole_days:
        return Window(start=window.start, end=window.end)
    first, after = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in window.dates)
    return Window(start=first, end=after)


def read(spark: SparkSession, path: str, layout: Mapping[str, Any], slices: Sequence[Slice]) -> DataFrame:
    """The rows of some slices, lazily.

    Args:
        spark: a session.
        path: the table's folder.
        layout: of the manifest that has them.
        slices: which.
    """
    from pyspark.sql.types import StructType

    schema = StructType.fromJson(dict(layout["schema"]))
    alike: dict[int, list[str]] = {}
    for part in slices:
        # CSV has columns by place alone: files without the newer ones are read by what they have.
        columns = part.columns if layout["format"] == "csv" and part.columns is not None else len(schema)
        alike.setdefault(columns, []).extend(escaped(f"{path}/{name}") for name in part.paths)
    frames = []
    for columns, files in alike.items():
        reader = spark.read.format(layout["format"]).options(**layout["options"])
        reader = reader.schema(_to_read(StructType(schema.fields[:columns]), layout))
        frames += [fitted(reader.option("basePath", f"{path}/{DATA}").load(files), schema)] if files else []
    if not frames:
        return spark.createDataFrame([], schema)
    return reduce(lambda one, other: one.unionByName(other), frames)


def _to_read(schema: StructType, layout: Mapping[str, Any]) -> StructType:
    """The columns as Spark wants them: those of folders last, which aren't in the files."""
    from pyspark.sql.types import StructType

    folders = layout["partition_by"]
    inside = [item for item in schema if item.name not in folders]
    return StructType([*inside, *(schema[name] for name in folders)])


def _merged(held: StructType, rows: StructType, where: str) -> StructType:
    """The columns that are there, and new ones behind them."""
    from pyspark.sql import types as T  # noqa: N812

    known = {item.name.lower(): item for item in held}
    for item in rows:
        before = known.get(item.name.lower())
        if before is not None and before.dataType.simpleString() != item.dataType.simpleString():
            raise DataError(
                f"column {item.name!r} is {item.dataType.simpleString()}, in the files that are there "
                f"{before.dataType.simpleString()}",
                where=where,
                expected="the type that it had",
                remedy="add a cast step, or load a new folder: files aren't rewritten",
            )
    return T.StructType([*held, *(item for item in rows if item.name.lower() not in known)])


def _spelled(names: Sequence[str], schema: StructType, where: str) -> tuple[str, ...]:
    there = {item.name.lower(): item.name for item in schema}
    if missing := [name for name in names if name.lower() not in there]:
        raise ConfigError(f"there is no column {missing[0]!r} to lay the files out by", where=where)
    return tuple(there[name.lower()] for name in names)


def _refuse_other(held: Manifest | None, found: Layout, where: str) -> None:
    if held is None or not held.slices:
        return
    for key in ("format", "options", "partition_by", "column"):
        asked, there = found.to_json()[key], held.layout[key]
        if asked != there:
            raise ConfigError(
                f"{key} is {_difference(asked, there)}",
                where=where,
                expected="files that can all be read in one way",
                remedy="give another path and load it anew (`airflow-etl backfill`), or take the option back",
            )


def _difference(asked: Any, there: Any) -> str:
    if isinstance(asked, dict) and isinstance(there, dict):
        keys = sorted(key for key in {*asked, *there} if asked.get(key) != there.get(key))
        asked, there = ({key: value.get(key) for key in keys} for value in (asked, there))
    return f"{asked!r}, of the files that are there {there!r}"
