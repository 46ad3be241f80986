"""An order of rows that depends on nothing but their content: whoever sorts by it gets the same result on every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spark_jobs.audit import found_in
from spark_jobs.columns import column

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructField


def content(rows: DataFrame) -> list[Column]:
    """What to sort by so that only identical rows tie: every column, by name, those that audit_columns added last.

    A hash of the whole row as JSON would do too, and costs twice as much: it is computed for every row, while columns
    are compared only where all columns before them tie.
    """
    from pyspark.sql.types import DoubleType, FloatType

    apart = found_in(rows.schema)
    fields = sorted(rows.schema.fields, key=lambda field: (field.name in apart, field.name))
    values = [column(field.name) if orderable(field) else as_json(field.name) for field in fields]
    return values + [_sign(field.name) for field in fields if isinstance(field.dataType, (FloatType, DoubleType))]


def _sign(name: str) -> Column:
    """What tells -0.0 from 0.0: they are equal, but not the same."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.when(column(name) == 0, column(name).cast("string"))


def orderable(field: StructField) -> bool:
    """Whether Spark can compare values of the column; nested ones are left out, because a map may hide in them."""
    from pyspark.sql import types as T  # noqa: N812

    nested = (T.ArrayType, T.MapType, T.StructType, T.VariantType, T.UserDefinedType, T.CalendarIntervalType)
    return not isinstance(field.dataType, nested)


def as_json(name: str) -> Column:
    """A column as JSON text, nulls included."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.to_json(F.struct(column(name).alias("value")), {"ignoreNullFields": "false"})
