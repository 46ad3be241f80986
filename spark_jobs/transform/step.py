"""What a step is: a pure function from rows to rows that says what it does to their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from spark_jobs.flow import Context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Effect = Literal["rows", "same", "filter", "dedupe", "refuse", "reshape"]
"""`rows`: as many come out as go in; `same`: likewise, by a join, and they are counted: that keeps Spark from making it
one with a filter behind it, an inner join that leaves rows half read; `filter`, `dedupe`, `refuse`: fewer, left out on
purpose, as repeats, with a reason; `reshape`: a row is something else afterwards."""


class Step(Protocol):
    """One step of a dataset."""

    @property
    def effect(self) -> Effect:
        """What the step does to the number of rows."""

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows afterwards, lazily; no action runs.

        Raises:
            ConfigError: the step doesn't fit the rows' columns.
        """


class Refusing(Step, Protocol):
    """A step whose effect is `refuse`."""

    def refused(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows that `apply` leaves out, in the shape of aside.REFUSED."""


class Compound(Protocol):
    """A step that is several, one after the other; each is counted by itself."""

    def parts(self) -> tuple[Step, ...]:
        """The steps."""
