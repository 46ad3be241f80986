"""All checks of one dataset, answered by one pass over what was staged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.check.rule import Question, Rule, SchemaRule, TableRule
from spark_jobs.columns import column
from spark_jobs.errors import InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.refusal import broken, shaped
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_ALL: Final = "rows"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the checks of one dataset found.

    Args:
        results: in the order of the file; one for each column of a check.
        kept: the rows to load; None where no row is set aside.
        refused: the rows to set aside, in the shape of quarantine.REFUSED; None where there are none.
    """

    results: list[CheckResult]
    kept: DataFrame | None
    refused: DataFrame | None


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A question, and the check that it belongs to."""

    kind: str
    rule: Rule
    question: Question

    @property
    def name(self) -> str:
        return self.rule.name or self.kind

    @property
    def share(self) -> float:
        """Share of the counted rows that must pass; no limit where failing rows are set aside."""
        if self.rule.mostly is not None:
            return self.rule.mostly
        return 0.0 if self.rule.on_fail == "quarantine" else 1.0


def check(checks: tuple[tuple[str, Any], ...], rows: DataFrame, total: int, context: Context) -> Checked:
    """Answer all checks of a dataset.

    Args:
        checks: `(name of the kind, kind)`.
        rows: the staged dataset.
        total: its exact number of rows, from the files' statistics.
        context: `dataset` is the dataset's name, `datasets` are those that it may refer to.

    Returns:
        The results; where a check fails that stops the run, no row is set aside.

    Raises:
        ConfigError: a check doesn't fit the columns.
        InfrastructureError: the staged files hold another number of rows than they did.
    """
    items = list(_items(checks, rows, total, context))
    asked = [item for item in items if isinstance(item, _Asked)]
    counts = _count([item.question for item in asked], rows, total, context) if asked and total else None
    answers = [_result(item, *pair, context) for item, pair in zip(asked, counts or [(0, 0)] * len(asked), strict=True)]
    following = iter(answers)
    results = [item if isinstance(item, CheckResult) else next(following) for item in items]
    broke = [item for item, answer in zip(asked, answers, strict=True) if _sets_aside(item, answer)]
    if not broke or any(not result.success and result.on_fail != "warn" for result in results):
        return Checked(results=results, kept=None, refused=None)
    kept, refused = _split(broke, rows, context)
    return Checked(results=results, kept=kept, refused=refused)


def _items(
    checks: tuple[tuple[str, Any], ...], rows: DataFrame, total: int, context: Context
) -> Iterator[_Asked | CheckResult]:
    for place, (kind, rule) in enumerate(checks):
        here = replace(context, where=f"check.{context.dataset}[{place}].{kind}")
        if isinstance(rule, TableRule):
            yield rule.answer(total, here)
        elif isinstance(rule, SchemaRule):
            yield rule.hold(rows.schema, here)
        else:
            yield from (_Asked(kind=kind, rule=rule, question=question) for question in rule.measure(rows, here))


def _count(questions: list[Question], rows: DataFrame, total: int, context: Context) -> list[tuple[int, int]]:
    """(rows that count, rows that fail) for each question, by one action."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    sums, tallies, frame = [F.count(F.lit(1)).alias(_ALL)], [], rows
    for place, question in enumerate(questions):
        if question.tally is not None:
            tallies.append(question.tally(rows).toDF(f"counted{place}", f"failing{place}"))
            continue
        frame = question.prepare(frame) if question.prepare else frame
        counts = F.lit(True) if question.counted is None else question.counted
        sums += [F.count_if(counts).alias(f"counted{place}"), F.count_if(question.failing).alias(f"failing{place}")]
    row = reduce(lambda left, right: left.crossJoin(right), tallies, frame.agg(*sums)).collect()[0]
    if row[_ALL] != total:
        raise InfrastructureError(
            f"{row[_ALL]} rows were read, {total} were staged", where=f"check.{context.dataset}", expected="the same"
        )
    return [(row[f"counted{place}"] or 0, row[f"failing{place}"] or 0) for place in range(len(questions))]


def _result(item: _Asked, counted: int, failing: int, context: Context) -> CheckResult:
    success = counted == 0 or (counted - failing) / counted >= item.share
    percent = 100 * failing / counted if counted else 0.0
    wanted = f"at least {100 * item.share:g} % must pass"
    return CheckResult(
        name=item.name,
        dataset=context.dataset,
        column=item.question.column,
        success=success,
        observed=counted,
        unexpected_count=failing,
        unexpected_percent=percent,
        on_fail=item.rule.on_fail,
        message="" if success else f"{failing} of {counted} values ({percent:.3g} %) {item.question.says}; {wanted}",
    )


def _sets_aside(item: _Asked, result: CheckResult) -> bool:
    return item.rule.on_fail == "quarantine" and result.unexpected_count > 0


def _split(broke: list[_Asked], rows: DataFrame, context: Context) -> tuple[DataFrame, DataFrame]:
    """The rows that pass, and those that fail, each once with all that it broke."""
    frame = rows
    for item in broke:
        frame = item.question.prepare(frame) if item.question.prepare else frame
    fails = reduce(or_, [item.question.failing for item in broke])
    rules, message = broken([(item.question.failing, item.name, item.question.reason) for item in broke])
    refused = shaped(
        frame.where(fails), rows.columns, dataset=context.dataset, stage="check", rules=rules, message=message
    )
    return frame.where(~fails).select([column(name) for name in rows.columns]), refused
