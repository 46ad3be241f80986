"""Rows for tests, as the JVM holds them: what Spark makes of a list of tuples asks a Python worker at every scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def frame(spark: Any, rows: Sequence[tuple[Any, ...]], schema: str) -> Any:
    """A DataFrame of a few rows; `schema` is DDL. Times without a zone are UTC, as the suite's session has it."""
    import pyarrow as pa
    from pyspark.sql.pandas.types import to_arrow_schema
    from pyspark.sql.types import StructType

    kinds = StructType.fromDDL(schema)
    arrow = to_arrow_schema(kinds, timestamp_utc=True)
    columns = [
        pa.array([row[place] for row in rows], type=field.type, from_pandas=False) for place, field in enumerate(arrow)
    ]
    return spark.createDataFrame(pa.table(columns, schema=arrow), kinds)
