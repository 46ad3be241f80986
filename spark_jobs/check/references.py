"""`references`: values that another dataset has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.rule import Question
from spark_jobs.columns import column, comparable, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, alike
from spark_jobs.refusal import shown
from spark_jobs.transform.match import other_dataset

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class References:
    """Every value of a column is a key of another dataset; nulls are ignored."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "references: {column: customer, dataset: customers, key: id, on_fail: quarantine}"
    looks_elsewhere: ClassVar[bool] = True

    column: str = field(metadata={"column": True})
    """The column."""
    dataset: str = field(metadata={"dataset": True})
    """The other dataset's name."""
    key: str | None = field(default=None, metadata={"column_of": "dataset"})
    """Column of the other dataset; default: the same name."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, else the check fails; default 1, and 0 with `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `quarantine` sets the failing rows aside and loads the rest, `ask` lets a person decide,
    `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """A key that isn't there, or of another type."""
        other, key = scope.datasets.get(self.dataset, Outline()), self.key or self.column
        if key not in other.columns and other.may_have(key) == "none" and self.key is None:
            message = f"{self.dataset} has no column {key!r}"
            yield Misfit(option="dataset", message=message, hint="name its `key`", code="unknown-column")
        mine, its = rows.columns.get(self.column), other.columns.get(key)
        if not alike(mine, its):
            message = f"{self.column!r} is {mine}, {key!r} of {self.dataset} is {its}"
            yield Misfit(option="column", message=message, hint="cast one of them first")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question; a dataset may refer to itself."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require([self.column], rows.columns, f"{context.where}.column")
        keys = self._keys(rows, context)
        found = spare(rows.columns, context.where)
        return (
            Question(
                column=self.column,
                failing=column(self.column).isNotNull() & column(found).isNull(),
                counted=column(self.column).isNotNull(),
                reason=F.concat(F.lit(f"{self.column}: "), shown(self.column), F.lit(f" is not in {self.dataset}")),
                says=f"are not in {self.dataset}",
                prepare=lambda given: _looked_up(given, self.column, keys, found),
            ),
        )

    def _keys(self, rows: DataFrame, context: Context) -> DataFrame:
        """The other dataset's keys, each once, as the only column."""
        own = self.dataset == context.dataset
        other = rows if own else other_dataset(self.dataset, replace(context, where=f"{context.where}.dataset"))
        key = self.key or self.column
        require([key], other.columns, f"{context.where}.key", f"column of {self.dataset}")
        mine, its = rows.schema[self.column].dataType, other.schema[key].dataType
        if not comparable(mine, its):
            raise ConfigError(
                f"{self.column!r} is {mine.simpleString()}, {key!r} of {self.dataset} is {its.simpleString()}",
                where=context.where,
                expected="columns of one type",
                remedy="cast one of them first",
            )
        return other.select(column(key)).where(column(key).isNotNull()).distinct()


def _looked_up(rows: DataFrame, name: str, keys: DataFrame, found: str) -> DataFrame:
    renamed = keys.toDF(found)
    return rows.join(renamed, column(name) == column(found), "left")
