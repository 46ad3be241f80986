"""What a deployment's own module of python steps may look like."""

from __future__ import annotations

from os.path import basename
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

number = 1
imported = basename


def with_margin(rows: DataFrame, rate: float, names: list[str] | None = None) -> DataFrame:
    return rows.selectExpr("*", f"n * {rate}D AS margin", f"'{','.join(names or [])}' AS names")


def first_rows(rows: DataFrame, count: int = 1) -> DataFrame:
    return rows.limit(count)


def doubled(rows: DataFrame) -> DataFrame:
    return rows.union(rows)


def broken(rows: DataFrame) -> DataFrame:
    raise ValueError("it broke")


def unknown(rows: DataFrame) -> DataFrame:
    return rows.select("nosuch")


def rows_of(rows: DataFrame) -> Any:
    return rows.columns
