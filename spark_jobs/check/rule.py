"""What a check is: it turns rows into questions that one aggregate answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from spark_jobs.columns import listed, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType, StructType

OnFail = Literal["stop", "quarantine", "warn"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a check asks of every row; each makes one result.

    Args:
        column: the column, or columns joined by a comma, as the result names them.
        failing: whether a row fails; never null.
        counted: whether a row counts, that is has a value; None where every row does.
        reason: why a row fails, in words with its value; for the quarantine.
        says: what failing means, for the report: "are null". No values: the report is read where data must not be.
        prepare: adds the columns that `failing` needs, without adding or losing rows.
        tally: one row `counted, failing`, where there is a cheaper way to count than `prepare`.
    """

    column: str
    failing: Column
    counted: Column | None
    reason: Column
    says: str
    prepare: Callable[[DataFrame], DataFrame] | None = None
    tally: Callable[[DataFrame], DataFrame] | None = None


class Rule(Protocol):
    """A check of rows."""

    @property
    def mostly(self) -> float | None:
        """Share of rows, 0 to 1, that must pass."""

    @property
    def on_fail(self) -> OnFail:
        """What happens where it fails."""

    @property
    def name(self) -> str | None:
        """Its own name, if it has one."""

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """The check's questions, lazily; no action runs.

        Raises:
            ConfigError: the check doesn't fit the rows' columns.
        """


@runtime_checkable
class TableRule(Protocol):
    """A check of the whole dataset, which its number of rows answers."""

    def answer(self, total: int, context: Context) -> CheckResult:
        """The result.

        Raises:
            ConfigError: options that exclude each other.
        """


@runtime_checkable
class SchemaRule(Protocol):
    """A check of the dataset's columns, for which no row is read."""

    def hold(self, schema: StructType, context: Context) -> CheckResult:
        """The result.

        Raises:
            ConfigError: a type that Spark doesn't know.
        """


def choice(column: str | None, columns: tuple[str, ...]) -> dict[str, str]:
    """Why `column` and `columns` can't be as they are: option -> why; empty where they can."""
    if column is not None and columns:
        return {"column": "both column and columns are given: one of the two is wanted"}
    return {} if column is not None or columns else {"columns": "neither column nor columns is given"}


def chosen(column: str | None, columns: tuple[str, ...], rows: DataFrame, where: str) -> tuple[str, ...]:
    """The columns that a check with `column` and `columns` is about.

    Raises:
        ConfigError: none, both, or an unknown one.
    """
    if (column is None) == (not columns):
        found = "neither column nor columns" if column is None else "both column and columns"
        raise ConfigError(found, where=where, expected="one of the two")
    names = columns or (str(column),)
    require(names, rows.columns, where)
    return names


def required_text(name: str, rows: DataFrame, where: str) -> None:
    """See that a column holds text.

    Raises:
        ConfigError: it doesn't.
    """
    from pyspark.sql.types import StringType

    found: DataType = rows.schema[name].dataType
    if not isinstance(found, StringType):
        raise ConfigError(
            f"column {name!r} is {found.simpleString()}", where=where, expected="a text column", remedy="cast it first"
        )


def some(names: tuple[str, ...], rows: DataFrame, where: str) -> None:
    """See that there is at least one column and that all exist.

    Raises:
        ConfigError: otherwise.
    """
    if not names:
        raise ConfigError("no column", where=where, expected=f"some of {listed(rows.columns)}")
    require(names, rows.columns, where)
