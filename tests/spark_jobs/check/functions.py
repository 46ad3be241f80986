"""What a deployment's own module of checks may look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def small(_rows: DataFrame, limit: int) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.col("n") < limit


def ranked(_rows: DataFrame) -> Column:
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    return F.row_number().over(Window.orderBy("n")) < F.lit(3)


def many(rows: DataFrame, at_least: int) -> bool:
    return rows.count() >= at_least


def different(rows: DataFrame) -> int:
    return rows.distinct().count()


def gives(_rows: DataFrame, what: Any) -> Any:
    return what


def unknown(_rows: DataFrame) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.col("nosuch")


def plus(_rows: DataFrame) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.col("n") + 1
