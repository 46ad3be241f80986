"""`mean`: the mean of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spark_jobs.check.of_numbers import OfNumbers
from spark_jobs.columns import column

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Mean(OfNumbers):
    """The mean of a column's values lies between the bounds.

    Nulls are ignored; NaN fails, and so does a column without a value.
    """

    example: ClassVar[str] = "mean: {column: amount, min: 10, max: 500}"
    called: ClassVar[str] = "mean"
    said: ClassVar[str] = "the mean"

    def value(self, _rows: DataFrame) -> Column:
        """The aggregate that is the figure."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return F.avg(column(self.column))
