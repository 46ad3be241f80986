"""What a check is: it turns rows into questions that one aggregate answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from spark_jobs.columns import column, listed, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.outline import Misfit, Outline, family
from spark_jobs.report import CheckResult
from spark_jobs.statistics import Statistics

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

OnFail = Literal["stop", "quarantine", "ask", "warn"]
Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """How the statistics of files may answer, without a row being read.

    Args:
        columns: those that they must know.
        answer: what collecting would bring, by name: `counted` and `failing`, or a figure's values. None where they
            don't know, or where rows fail and only reading tells how many.
        by_bounds: whether the smallest and the largest value, where they are known, leave nothing open: without an
            answer a row fails.
    """

    columns: tuple[str, ...]
    answer: Callable[[Statistics], Mapping[str, Any] | None]
    by_bounds: bool = False


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
        values: the columns whose values say what failed; None: `column` alone.
        evidence: how statistics may answer; None where they can't.
        present: how statistics may tell how many rows are `counted`; None where they can't, or where every row is.
    """

    column: str
    failing: Column
    counted: Column | None
    reason: Column
    says: str
    prepare: Callable[[DataFrame], DataFrame] | None = None
    tally: Callable[[DataFrame], DataFrame] | None = None
    values: tuple[str, ...] | None = None
    evidence: Evidence | None = None
    present: Evidence | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """The columns whose values say what failed."""
        return (self.column,) if self.values is None else self.values


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a check that asks no single row.

    Args:
        success: whether it passed.
        observed: what was seen, as JSON has it; None where there was nothing to see.
        message: why it failed, in words; empty where it passed.
        figure: of a check that looks back, what was seen: rows, null_share or mean.
    """

    success: bool
    observed: Any
    message: str = ""
    figure: str | None = None


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What a check asks of all rows together; makes one result.

    Args:
        column: as a question's; None where the check is about the table.
        judge: takes what was collected, by name, and says what it means; without a row everything is None.
        values: name -> an aggregate over the rows, folded into the one that answers all checks.
        tally: one row with more of these values, where they need the rows in another grouping.
        shows_values: whether it tells values of the column, as a sum or a quantile does; counts and shares don't.
        evidence: how statistics may answer; None where they can't.
    """

    column: str | None
    judge: Callable[[Mapping[str, Any]], Verdict]
    values: Mapping[str, Column] = field(default_factory=dict)
    tally: Callable[[DataFrame], DataFrame] | None = None
    shows_values: bool = True
    evidence: Evidence | None = None


class Named(Protocol):
    """What every check has."""

    @property
    def on_fail(self) -> OnFail:
        """What happens where it fails."""

    @property
    def severity(self) -> Severity:
        """How bad a failure is."""

    @property
    def name(self) -> str | None:
        """Its own name, if it has one."""


class Rule(Named, Protocol):
    """A check of rows, one by one or all together."""

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question | Figure, ...]:
        """The check's questions, lazily; no action runs.

        Raises:
            ConfigError: the check doesn't fit the rows' columns.
        """


@runtime_checkable
class TableRule(Protocol):
    """A check of the whole dataset, which its number of rows answers; or a figure, where that isn't enough."""

    def answer(self, total: int, context: Context) -> CheckResult | Figure:
        """The result.

        Raises:
            ConfigError: options that exclude each other.
        """


@runtime_checkable
class SchemaRule(Protocol):
    """A check that the columns' names and types answer: no row is read."""

    def look(self, rows: DataFrame, context: Context) -> tuple[CheckResult, ...]:
        """The results.

        Raises:
            ConfigError: an unknown column.
        """


def result(  # noqa: PLR0913 - what a result is made of
    rule: Named,
    kind: str,
    verdict: Verdict,
    context: Context,
    *,
    column: str | None = None,
    by: Literal["schema", "statistics", "aggregate", "rows", "history", "function"],
    total: int | None = None,
) -> CheckResult:
    """The result of a check that asks no single row.

    Args:
        rule: the check.
        kind: its kind.
        verdict: what became of it.
        context: names the dataset.
        column: the column it was about.
        by: how it was answered.
        total: the number of rows that it is about; None where it isn't about rows.
    """
    return CheckResult(
        name=rule.name or kind,
        kind=kind,
        dataset=context.dataset,
        column=column,
        success=verdict.success,
        observed=verdict.observed,
        observed_value=verdict.observed,
        element_count=total,
        on_fail=rule.on_fail,
        severity=getattr(rule, "severity", "critical"),  # a third party's check may know none
        answered_by=by,
        message=verdict.message,
        figure=verdict.figure,
    )


def counts(ignored: Literal["any", "all", "never"], names: Sequence[str]) -> Column | None:
    """Whether a row counts, by the nulls of some columns; None where every row does.

    Args:
        ignored: which rows don't: those with a null in any of them, those where all are null, or none.
        names: the columns.
    """
    there = [column(name).isNotNull() for name in names]
    return None if ignored == "never" else reduce(and_ if ignored == "any" else or_, there)


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


def text_only(column: str | None, columns: tuple[str, ...], rows: Outline) -> Iterator[Misfit]:
    """A misfit for each column that certainly holds no text."""
    for name in columns or (str(column),):
        if family(rows.columns.get(name)) not in {None, "text"}:
            message, hint = f"column {name!r} is {rows.columns[name]}", "only text has that; cast it first"
            yield Misfit(option="columns" if columns else "column", message=message, hint=hint)


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


def required_number(name: str, rows: DataFrame, where: str) -> None:
    """See that a column exists and holds numbers.

    Raises:
        ConfigError: it doesn't.
    """
    from pyspark.sql.types import NumericType

    require([name], rows.columns, f"{where}.column")
    found: DataType = rows.schema[name].dataType
    if not isinstance(found, NumericType):
        raise ConfigError(
            f"column {name!r} is {found.simpleString()}",
            where=where,
            expected="a column of numbers",
            remedy="cast it first",
        )


def some(names: tuple[str, ...], rows: DataFrame, where: str) -> None:
    """See that there is at least one column and that all exist.

    Raises:
        ConfigError: otherwise.
    """
    if not names:
        raise ConfigError("no column", where=where, expected=f"some of {listed(rows.columns)}")
    require(names, rows.columns, where)
