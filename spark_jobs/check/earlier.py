"""Figures of earlier windows, and what is usual among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from spark_jobs import results
from spark_jobs.flow import Context

# 0.6745 is the 0.75 quantile of the standard normal distribution: over it, the MAD estimates the standard deviation.
# Where more than half of the values are alike the MAD is 0; then the mean deviation takes its place, times 0.7979.
_MAD, _MEAN = 0.6745, 0.7979
# By so little of themselves figures differ where nothing but the order of their sums did: a double keeps 15 digits.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """A figure of the last windows before one.

    Args:
        values: the newest first.
        needed: how many there must be before they say anything.
    """

    values: Sequence[float]
    needed: int

    @property
    def lacking(self) -> str:
        """What is said while there are too few; empty where there are enough."""
        enough = len(self.values) >= self.needed
        return "" if enough else f"no history yet: {len(self.values)} of {self.needed} windows"

    def middle(self, how: str = "median") -> float:
        """Their median, or their mean."""
        return fmean(self.values) if how == "mean" else median(self.values)

    def score(self, value: float) -> float:
        """How unusual a value is: the modified z-score of Iglewicz and Hoaglin; infinite beside values all alike.

        Values are alike where they differ by no more than doubles are rounded.
        """
        usual = self.middle()
        if math.isclose(value, usual, rel_tol=_ROUNDING):
            return 0.0
        away = [abs(item - usual) for item in self.values]
        for spread, factor in ((median(away), _MAD), (fmean(away), _MEAN)):
            if spread > _ROUNDING * abs(usual):
                return factor * (value - usual) / spread
        return float("inf") if value > usual else float("-inf")


def earlier(context: Context, figure: str, column: str, last: int, needed: int) -> Earlier:
    """A figure of the last published windows before this one.

    Args:
        context: says which window and which dataset.
        figure: rows, null_share or mean.
        column: of which; empty for rows.
        last: how many windows.
        needed: how many there must be.
    """
    series = {"dataset": context.dataset, "figure": figure, "column": column}
    found = results.of(context.plan).before(context.spark, context.plan.window, series, last)
    return Earlier(values=found, needed=needed)
