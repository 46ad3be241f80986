"""All checks of one dataset, answered by one pass over what was staged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, Literal

from spark_jobs.check.rule import Figure, Named, Question, SchemaRule, TableRule, Verdict
from spark_jobs.check.rule import result as figure_result
from spark_jobs.check.samples import ResultFormat, unexpected
from spark_jobs.columns import column
from spark_jobs.errors import InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.privacy import Privacy
from spark_jobs.refusal import broken, shaped
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_ALL: Final = "rows"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the checks of one dataset found.

    Args:
        results: in the order of the file; one for each column of a check.
        kept: the rows to load; None where no row is set aside.
        refused: the rows to set aside, in the shape of aside.REFUSED; None where there are none.
    """

    results: list[CheckResult]
    kept: DataFrame | None
    refused: DataFrame | None


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A question or a figure, and the check that it belongs to."""

    kind: str
    rule: Named
    question: Question | Figure

    @property
    def name(self) -> str:
        return self.rule.name or self.kind

    @property
    def share(self) -> float:
        """Share of the counted rows that must pass; no limit where failing rows are set aside."""
        mostly: float | None = getattr(self.rule, "mostly", None)
        if mostly is not None:
            return mostly
        return 0.0 if self.rule.on_fail == "quarantine" else 1.0


def check(
    checks: tuple[tuple[str, Any], ...],
    rows: DataFrame,
    total: int,
    context: Context,
    result_format: ResultFormat = "BOOLEAN_ONLY",
) -> Checked:
    """Answer all checks of a dataset.

    Args:
        checks: `(name of the kind, kind)`.
        rows: the staged dataset.
        total: its exact number of rows, from the files' statistics.
        context: `dataset` is the dataset's name, `datasets` are those that it may refer to.
        result_format: Great Expectations' word: all but BOOLEAN_ONLY gather values that failed, by one more action
            where a check failed. They are data, so no report of a run asks for them.

    Returns:
        The results; where a check fails that stops the run, no row is set aside.

    Raises:
        ConfigError: a check doesn't fit the columns.
        InfrastructureError: the staged files hold another number of rows than they did.
    """
    items = list(_items(checks, rows, total, context))
    asked = [item for item in items if isinstance(item, _Asked)]
    found = _collected([item.question for item in asked], rows, total, context)
    answers = [_result(item, values, total, context) for item, values in zip(asked, found, strict=True)]
    if result_format != "BOOLEAN_ONLY":
        answers = _with_values(asked, answers, rows, context)
    following = iter(answers)
    results = [item if isinstance(item, CheckResult) else next(following) for item in items]
    broke = [item for item, answer in zip(asked, answers, strict=True) if _sets_aside(item, answer)]
    if not broke or any(result.stops for result in results):
        return Checked(results=results, kept=None, refused=None)
    kept, refused = _split(broke, rows, context)
    return Checked(results=results, kept=kept, refused=refused)


def _items(
    checks: tuple[tuple[str, Any], ...], rows: DataFrame, total: int, context: Context
) -> Iterator[_Asked | CheckResult]:
    for place, (kind, rule) in enumerate(checks):
        here = replace(context, where=f"check.{context.dataset}[{place}].{kind}")
        if isinstance(rule, SchemaRule):
            yield from rule.look(rows, here)
        elif isinstance(rule, TableRule):
            answer = rule.answer(total, here)
            yield _Asked(kind=kind, rule=_named(rule), question=answer) if isinstance(answer, Figure) else answer
        else:
            yield from (_Asked(kind=kind, rule=rule, question=question) for question in rule.measure(rows, here))


def _with_values(
    asked: list[_Asked], answers: list[CheckResult], rows: DataFrame, context: Context
) -> list[CheckResult]:
    failed = {
        place: item.question
        for place, (item, answer) in enumerate(zip(asked, answers, strict=True))
        if isinstance(item.question, Question) and not answer.success
    }
    found = unexpected(failed, rows, context)
    return [replace(answer, partial_unexpected_list=found.get(place)) for place, answer in enumerate(answers)]


def _named(rule: Any) -> Named:
    named: Named = rule
    return named


def _collected(
    questions: Sequence[Question | Figure], rows: DataFrame, total: int, context: Context
) -> list[Mapping[str, Any]]:
    """What answers each question, by one action: `counted` and `failing`, or a figure's own values."""
    if not questions or (total == 0 and not any(item.tally for item in questions if isinstance(item, Figure))):
        return [{}] * len(questions)
    aggregate = _Aggregate(rows)
    for place, question in enumerate(questions):
        aggregate.add(place, question)
    found = aggregate.collected()
    if found[_ALL] != total:
        raise InfrastructureError(
            f"{found[_ALL]} rows were read, {total} were staged", where=f"check.{context.dataset}", expected="the same"
        )
    return [aggregate.of(place, found) for place in range(len(questions))]


class _Aggregate:
    """The one aggregate over a dataset's rows; each value's name ends with the place of its question.

    Args:
        rows: the staged dataset.
    """

    def __init__(self, rows: DataFrame) -> None:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        self._rows, self._frame = rows, rows
        self._values: list[Column] = [F.count(F.lit(1)).alias(_ALL)]
        self._tallies: list[DataFrame] = []

    def add(self, place: int, question: Question | Figure) -> None:
        """Ask something more."""
        if question.tally is not None:
            tally = question.tally(self._rows)
            self._tallies.append(tally.toDF(*[f"{name}:{place}" for name in tally.columns]))
        if isinstance(question, Figure):
            self._values += [value.alias(f"{name}:{place}") for name, value in question.values.items()]
        elif question.tally is None:
            self._frame = question.prepare(self._frame) if question.prepare else self._frame
            self._values += [value.alias(f"{name}:{place}") for name, value in _counts(question).items()]

    def collected(self) -> Mapping[str, Any]:
        """The one row of answers."""
        one = reduce(lambda left, right: left.crossJoin(right), self._tallies, self._frame.agg(*self._values))
        return one.collect()[0].asDict()

    def of(self, place: int, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answers to one question."""
        mine = (name.rsplit(":", 1) for name in found if name != _ALL)
        return {name: found[f"{name}:{own}"] for name, own in mine if int(own) == place}


def _counts(question: Question) -> dict[str, Column]:
    from pyspark.sql import functions as F  # noqa: N812

    counted = F.lit(True) if question.counted is None else question.counted
    return {"counted": F.count_if(counted), "failing": F.count_if(question.failing)}


def _result(item: _Asked, found: Mapping[str, Any], total: int, context: Context) -> CheckResult:
    question = item.question
    if isinstance(question, Figure):
        verdict = question.judge({name: found.get(name) for name in (*question.values, *found)})
        if question.shows_values and Privacy(context.plan).forbids(context.dataset):
            verdict = _untold(verdict)
        by: Literal["rows", "aggregate"] = "rows" if question.tally else "aggregate"
        return figure_result(item.rule, item.kind, verdict, context, column=question.column, by=by, total=total)
    counted, failing = found.get("counted") or 0, found.get("failing") or 0
    success = counted == 0 or (counted - failing) / counted >= item.share
    percent = 100 * failing / counted if counted else 0.0
    wanted = f"at least {100 * item.share:g} % must pass"
    return CheckResult(
        name=item.name,
        kind=item.kind,
        dataset=context.dataset,
        column=question.column,
        success=success,
        observed=counted,
        unexpected_count=failing,
        unexpected_percent=percent,
        on_fail=item.rule.on_fail,
        severity=getattr(item.rule, "severity", "critical"),  # a third party's check may know none
        answered_by="rows" if question.prepare or question.tally else "aggregate",
        message="" if success else f"{failing} of {counted} values ({percent:.3g} %) {question.says}; {wanted}",
        element_count=total,
        missing_count=None if question.counted is None else total - counted,
        unexpected_percent_total=100 * failing / total if total else None,
        unexpected_percent_nonmissing=percent if counted else None,
    )


def _untold(verdict: Verdict) -> Verdict:
    """A figure of personal values is one itself, or tells them: of one row a sum is the value."""
    message = "" if verdict.success else "not within its bounds (the value is not shown: it is personal or masked)"
    return Verdict(success=verdict.success, observed=None, message=message)


def _sets_aside(item: _Asked, answer: CheckResult) -> bool:
    return item.rule.on_fail == "quarantine" and answer.unexpected_count > 0


def _split(broke: list[_Asked], rows: DataFrame, context: Context) -> tuple[DataFrame, DataFrame]:
    """The rows that pass, and those that fail, each once with all that it broke."""
    frame = rows
    questions = [(item.name, item.question) for item in broke if isinstance(item.question, Question)]
    for _, question in questions:
        frame = question.prepare(frame) if question.prepare else frame
    fails = reduce(or_, [question.failing for _, question in questions])
    rules, message = broken([(question.failing, name, question.reason) for name, question in questions])
    refused = shaped(
        frame.where(fails), rows.columns, dataset=context.dataset, stage="check", rules=rules, message=message
    )
    return frame.where(~fails).select([column(name) for name in rows.columns]), refused
