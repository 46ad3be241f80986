"""`sum`: the sum of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from spark_jobs.check.of_numbers import OfNumbers
from spark_jobs.columns import column

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Sum(OfNumbers):
    """The sum of a column's values lies between the bounds.

    Nulls are ignored; NaN fails, and so does a column without a value.
    """

    example: ClassVar[str] = "sum: {column: amount, min: 1, max: 1000000}"
    called: ClassVar[str] = "sum"
    said: ClassVar[str] = "the sum"

    def value(self, rows: DataFrame) -> Column:
        """The aggregate that is the figure."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
        from pyspark.sql import types as T  # noqa: N812

        whole = isinstance(rows.schema[self.column].dataType, T.IntegralType)
        # A bigint's sum may be none.
        return F.sum(column(self.column).cast("decimal(38,0)") if whole else column(self.column))
