"""All checks of one dataset, answered by one pass over what was staged; then those that Great Expectations answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, Literal

from spark_jobs.check import gx_run
from spark_jobs.check.apart import Apart, Known, counts, parts
from spark_jobs.check.expectation import Expectation
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
By = Literal["statistics", "aggregate", "rows", "function"]
Answers = Mapping[int, Mapping[str, Any]]  # by the place of the question


def _nothing_known(_columns: set[str]) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the checks of one dataset found.

    Args:
        results: in the order of the file; one for each column of a check.
        kept: the rows to load; None where no row is set aside.
        refused: the rows to set aside, in the shape of aside.REFUSED; None where there are none.
        apart: whether the files that are there hold either the one or the other: nothing need be written anew.
        asked_elsewhere: seconds that Great Expectations took; 0 where it wasn't asked.
    """

    results: list[CheckResult]
    kept: DataFrame | None
    refused: DataFrame | None
    apart: bool = False
    asked_elsewhere: float = 0.0


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


def check(  # noqa: PLR0913 - what a run hands over
    checks: tuple[tuple[str, Any], ...],
    rows: DataFrame,
    total: int,
    context: Context,
    result_format: ResultFormat = "BOOLEAN_ONLY",
    *,
    statistics: Known = _nothing_known,
    apart: Apart | None = None,
) -> Checked:
    """Answer all checks of a dataset.

    Args:
        checks: `(name of the kind, kind)`.
        rows: the staged dataset.
        total: its exact number of rows, from the files' statistics.
        context: `dataset` is the dataset's name, `datasets` are those that it may refer to.
        result_format: Great Expectations' word: all but BOOLEAN_ONLY gather values that failed, by one more action
            where a check failed. They are data, so no report of a run asks for them.
        statistics: what the staged files know of some columns; None where that isn't known.
        apart: the same rows where those of which `set_aside` has said so are in files of their own.

    Returns:
        The results; where a check fails that stops the run, no row is set aside.

    Raises:
        ConfigError: a check doesn't fit the columns.
        InfrastructureError: the staged files hold another number of rows than they did.
    """
    items = list(_items(checks, rows, total, context))
    asked = [item for item in items if isinstance(item, _Asked)]
    evident = _evident([item.question for item in asked], statistics, total, context)
    read = partial(_read, asked, rows, total, context)
    found = _told_apart(asked, evident, apart, total, context, read) if apart is not None and total else None
    is_apart = found is not None
    found = read(evident) if found is None else found
    answers = [
        _result(item, evident[place], total, context, by="function" if _is_known(item.question) else "statistics")
        if place in evident
        else _result(item, found[place], total, context, by=_by(item.question))
        for place, item in enumerate(asked)
    ]
    if result_format != "BOOLEAN_ONLY":
        answers = _with_values(asked, answers, rows, context)
    begin, outside = time.monotonic(), [item for item in items if isinstance(item, gx_run.Asked)]
    others, following = iter(gx_run.ask(outside, rows, context)), iter(answers)
    seconds = round(time.monotonic() - begin, 3) if outside else 0.0
    results = [
        item if isinstance(item, CheckResult) else next(others if isinstance(item, gx_run.Asked) else following)
        for item in items
    ]
    broke = [(item, answer) for item, answer in zip(asked, answers, strict=True) if _sets_aside(item, answer)]
    if not broke or any(result.stops for result in results):
        return Checked(results=results, kept=None, refused=None, asked_elsewhere=seconds)
    failed = apart.failed if apart is not None and is_apart else None
    kept, refused = _split([item for item, _ in broke], rows, rows if failed is None else failed, context)
    return Checked(results=results, kept=kept, refused=refused, apart=failed is not None, asked_elsewhere=seconds)


def _items(
    checks: tuple[tuple[str, Any], ...], rows: DataFrame, total: int, context: Context
) -> Iterator[_Asked | CheckResult | gx_run.Asked]:
    for place, (kind, rule) in enumerate(checks):
        here = replace(context, where=f"check.{context.dataset}[{place}].{kind}")
        if isinstance(rule, Expectation):
            yield gx_run.Asked(rule=rule, where=here.where)
        elif isinstance(rule, SchemaRule):
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


def _evident(questions: Sequence[Question | Figure], statistics: Known, total: int, context: Context) -> Answers:
    """Place of a question -> its answer, of those that what is known of the files answers, or that are answered."""
    answered: dict[int, Mapping[str, Any]] = {place: {} for place, item in enumerate(questions) if _is_known(item)}
    asked = {place: item.evidence for place, item in enumerate(questions) if item.evidence is not None}
    names = {name for evidence in asked.values() for name in evidence.columns}
    known = statistics(names) if total and asked else None
    if known is None:
        return answered
    _same_rows(known.rows, total, context)
    answers = {place: evidence.answer(known) for place, evidence in asked.items()}
    return answered | {place: answer for place, answer in answers.items() if answer is not None}


def _is_known(question: Question | Figure) -> bool:
    """Whether there is nothing to collect: whoever asks knows the figure already."""
    return isinstance(question, Figure) and not question.values and question.tally is None


def _same_rows(found: int, total: int, context: Context) -> None:
    if found != total:
        raise InfrastructureError(
            f"{found} rows were read, {total} were staged", where=f"check.{context.dataset}", expected="the same"
        )


def _by(question: Question | Figure) -> By:
    if isinstance(question, Figure):
        return "rows" if question.tally else "aggregate"
    return "rows" if question.prepare or question.tally else "aggregate"


def _told_apart(  # noqa: PLR0913, PLR0917 - what is asked, and of what
    asked: Sequence[_Asked],
    evident: Answers,
    apart: Apart,
    total: int,
    context: Context,
    read: Callable[[Answers], Answers],
) -> Answers | None:
    """The answers that aren't evident, by rows told apart; None where these aren't what they were when written."""
    told = parts([(item.rule, item.question) for item in asked], apart, total, context, evident)
    if not told.sound:
        return None
    found = {**told.answers, **read({**evident, **told.answers})}
    return found if told.agree({**evident, **found}) else None


def _read(asked: Sequence[_Asked], rows: DataFrame, total: int, context: Context, known: Answers) -> Answers:
    """The answers that aren't known, by reading the rows."""
    wanted = {place: item.question for place, item in enumerate(asked) if place not in known}
    return dict(zip(wanted, _collected(list(wanted.values()), rows, total, context), strict=True))


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
    _same_rows(found[_ALL], total, context)
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
            self._values += [value.alias(f"{name}:{place}") for name, value in counts(question).items()]

    def collected(self) -> Mapping[str, Any]:
        """The one row of answers."""
        one = reduce(lambda left, right: left.crossJoin(right), self._tallies, self._frame.agg(*self._values))
        return one.collect()[0].asDict()

    def of(self, place: int, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answers to one question."""
        mine = (name.rsplit(":", 1) for name in found if name != _ALL)
        return {name: found[f"{name}:{own}"] for name, own in mine if int(own) == place}


def _result(item: _Asked, found: Mapping[str, Any], total: int, context: Context, *, by: By) -> CheckResult:
    question = item.question
    if isinstance(question, Figure):
        verdict = question.judge({name: found.get(name) for name in (*question.values, *found)})
        if question.shows_values and Privacy(context.plan).forbids(context.dataset):
            verdict = _untold(verdict)
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
        answered_by=by,
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


def _split(broke: list[_Asked], rows: DataFrame, failed: DataFrame, context: Context) -> tuple[DataFrame, DataFrame]:
    """The rows that pass, and those that fail, each once with all that it broke; these are all in `failed`."""
    frame = rows
    questions = [(item.name, item.question) for item in broke if isinstance(item.question, Question)]
    for _, question in questions:
        frame = question.prepare(frame) if question.prepare else frame
        failed = question.prepare(failed) if question.prepare else failed
    fails = reduce(or_, [question.failing for _, question in questions])
    rules, message = broken([(question.failing, name, question.reason) for name, question in questions])
    refused = shaped(
        failed.where(fails), rows.columns, dataset=context.dataset, stage="check", rules=rules, message=message
    )
    return frame.where(~fails).select([column(name) for name in rows.columns]), refused
