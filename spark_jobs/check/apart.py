"""Rows that pass and rows that don't, told apart while they are written: each sort gets files of its own.

What was judged then needn't be read again: of the rows that passed, their files' statistics say how many have a value,
and only those that failed, which are few, are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.check.rule import Figure, Question
from spark_jobs.flow import Context
from spark_jobs.privacy import read_by
from spark_jobs.statistics import Statistics

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Known = Callable[[set[str]], Statistics | None]
Asked = tuple[Any, Question | Figure]
_ALL: Final = "rows"
_NEITHER: Final = "neither"
_FEW: Final = 1_000_000  # rows that one task counts before several and a shuffle would have begun


@dataclass(frozen=True, kw_only=True)
class Apart:
    """A dataset whose files hold either rows that passed, as `set_aside` said, or rows that didn't.

    Args:
        failed: the rows that didn't; None where there are none.
        passed: what the files of the others know of some columns; None where that isn't known.
    """

    failed: DataFrame | None
    passed: Known


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What rows that were told apart answer.

    Args:
        answers: place of a question -> `counted` and `failing`, of those for which no row that passed must be read.
        failing: place -> how many rows fail by it, of the questions that rows were judged by.
        sound: whether each row that failed still does, by one of these.
    """

    answers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    failing: Mapping[int, int] = field(default_factory=dict)
    sound: bool = True

    def agree(self, found: Mapping[int, Mapping[str, Any]]) -> bool:
        """Whether the rows that fail are those that were told apart, as far as all rows were asked.

        They were judged while they were written. What was read back may be judged otherwise: by an expression that
        depends on the moment, or a value that the file's type keeps in another way.
        """
        return self.sound and all(
            (found[place].get("failing") or 0) == failing for place, failing in self.failing.items() if place in found
        )


def set_aside(checks: tuple[tuple[str, Any], ...], rows: DataFrame, context: Context) -> Column | None:
    """Whether a row goes apart: checks will set it aside, or stop the run for it.

    A check that stops for a single row is asked with the others: where it fails nothing is published, so no layout
    changes, and where it passes nobody has to read the rows again for it. Nothing is written yet: no action may run, so
    a function of the deployment's own, which may run one, isn't called.

    Args:
        checks: of the dataset.
        rows: the dataset.
        context: `dataset` is its name.

    Returns:
        None where no check sets rows aside, or where the row alone can't tell.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    asked: list[Asked] = []
    if not any(_sets_aside(rule) for _, rule in checks):
        return None
    for place, (kind, rule) in enumerate(checks):
        if _is_asked(rule) and hasattr(rule, "measure") and not _looks_elsewhere(rule, context):
            here = replace(context, where=f"check.{context.dataset}[{place}].{kind}")
            asked += [(rule, question) for question in rule.measure(rows, here)]
        elif _sets_aside(rule):
            return None
    if any(_sets_aside(rule) and not _judges(rule, question) for rule, question in asked):
        return None
    # Never null: a row of which a check can't say anything is loaded.
    return F.coalesce(reduce(or_, list(_failing(asked))), F.lit(False))


def parts(asked: Sequence[Asked], apart: Apart, total: int, context: Context, known: Collection[int]) -> Parts:
    """What rows that were told apart answer; of them those that failed are read.

    Args:
        asked: each question of the checks, and its check.
        apart: the rows.
        total: how many they are, of both sorts together.
        context: of the dataset.
        known: places of questions that are answered already.
    """
    judged = {
        place for place, (rule, item) in enumerate(asked) if _judges(rule, item) and not _looks_elsewhere(rule, context)
    }
    passed = apart.passed(set(_columns(asked)))
    if passed is None or not judged:
        return Parts(sound=False)
    kept = {
        place: answer
        for place, (_, item) in enumerate(asked)
        if place not in known and (answer := _of_passed(item, passed, judged=place in judged)) is not None
    }
    wanted = {place: item for place in {*judged, *kept} if isinstance(item := asked[place][1], Question)}
    few = apart.failed.coalesce(1) if apart.failed is not None and total - passed.rows <= _FEW else apart.failed
    failed = _counted(wanted, judged, few)
    sound = failed[_NEITHER] == 0 and passed.rows + failed[_ALL] == total
    return Parts(
        answers={
            place: {name: kept[place][name] + failed[f"{name}:{place}"] for name in ("counted", "failing")}
            for place in kept
        },
        failing={place: failed[f"failing:{place}"] for place in judged},
        sound=sound,
    )


def counts(question: Question) -> dict[str, Column]:
    """What is counted for a question: the rows that have a value, and those that fail."""
    from pyspark.sql import functions as F  # noqa: N812

    counted = F.lit(True) if question.counted is None else question.counted
    return {"counted": F.count_if(counted), "failing": F.count_if(question.failing)}


def _counted(wanted: Mapping[int, Question], judged: Collection[int], failed: DataFrame | None) -> Mapping[str, int]:
    """The counts of the rows that failed, all of them, and those that fail by none of the questions that judged."""
    from pyspark.sql import functions as F  # noqa: N812

    values = {f"{name}:{place}": value for place, item in wanted.items() for name, value in counts(item).items()}
    values[_ALL] = F.count(F.lit(1))
    values[_NEITHER] = F.count_if(~reduce(or_, [wanted[place].failing for place in judged]))
    if failed is None:
        return dict.fromkeys(values, 0)
    return failed.agg(*[value.alias(name) for name, value in values.items()]).collect()[0].asDict()


def _of_passed(question: Question | Figure, known: Statistics, *, judged: bool) -> Mapping[str, Any] | None:
    """The answer of rows that passed; None where they must be read for it."""
    if not isinstance(question, Question) or question.prepare or question.tally:
        return None
    evidence = question.evidence
    told = evidence.answer(known) if evidence else None
    doubted = evidence is not None and evidence.by_bounds and all(known.bounds(name) for name in evidence.columns)
    if told is not None or doubted or not judged:
        return told
    if question.counted is None:
        return {"counted": known.rows, "failing": 0}
    there = question.present.answer(known) if question.present else None
    return None if there is None else {**there, "failing": 0}


def _columns(asked: Sequence[Asked]) -> Iterator[str]:
    for _, item in asked:
        for evidence in (item.evidence, getattr(item, "present", None)):
            yield from evidence.columns if evidence is not None else ()


def _failing(asked: Sequence[Asked]) -> Iterator[Column]:
    for rule, item in asked:
        if isinstance(item, Question) and _judges(rule, item):
            yield item.failing


def _judges(rule: Any, question: Question | Figure) -> bool:
    """Whether a row is judged by a question while it is written: those that set it aside, and cheap ones that stop."""
    if not isinstance(question, Question) or question.prepare or question.tally:
        return False
    return _sets_aside(rule) or (_is_asked(rule) and question.present is not None)


def _is_asked(rule: Any) -> bool:
    """Whether a row that fails a check isn't published, whatever else."""
    stops = getattr(rule, "on_fail", None) == "stop" and getattr(rule, "mostly", None) in {None, 1}
    return stops or _sets_aside(rule)


def _sets_aside(rule: Any) -> bool:
    return getattr(rule, "on_fail", None) == "quarantine"


def _looks_elsewhere(rule: Any, context: Context) -> bool:
    """Whether a check reads other datasets, or calls a function of somebody else's."""
    calls = any(item.metadata.get("function") for item in fields(rule))
    return calls or bool(read_by(rule, list(context.plan.transform)))
