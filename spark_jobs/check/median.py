"""`median`: the middle of a column's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spark_jobs.check.bounds import numbers
from spark_jobs.check.of_numbers import OfNumbers

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Median(OfNumbers):
    """The median of a column's values, exact, lies between the bounds.

    The distinct values are held in memory. Nulls and NaN are ignored, and a column without a value fails.
    """

    example: ClassVar[str] = "median: {column: amount, min: 10, max: 90}"
    called: ClassVar[str] = "median"
    said: ClassVar[str] = "the median"

    def value(self, rows: DataFrame) -> Column:
        """The aggregate that is the figure."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return F.median(numbers(self.column, rows))
