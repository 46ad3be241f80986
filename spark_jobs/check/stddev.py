"""`stddev`: how far a column's values spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spark_jobs.check.of_numbers import OfNumbers
from spark_jobs.columns import column

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Stddev(OfNumbers):
    """The standard deviation of a column's values, a sample's, lies between the bounds.

    Nulls are ignored; NaN fails, and so do fewer than two values, which have none.
    """

    example: ClassVar[str] = "stddev: {column: amount, max: 250}"
    called: ClassVar[str] = "stddev"
    said: ClassVar[str] = "the standard deviation"

    def value(self, _rows: DataFrame) -> Column:
        """The aggregate that is the figure."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return F.stddev_samp(column(self.column))
