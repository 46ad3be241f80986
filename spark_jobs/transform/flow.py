"""The steps of one dataset, one after the other, counted where the number of rows may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import TYPE_CHECKING, cast

from spark_jobs.columns import refuse_collisions
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context, Flow
from spark_jobs.observe import Counter
from spark_jobs.plan import Dataset
from spark_jobs.privacy import Privacy
from spark_jobs.report import DatasetCounts
from spark_jobs.transform.step import Effect, Refusing, Step

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """A step after which rows are counted.

    Args:
        name: the step's kind.
        where: its place in the pipeline file; parts of one step share it.
        effect: what it does to the number of rows.
        counter: counts what it lets through.
        refused: the rows that it sets aside, as they may be kept; None where it sets none aside.
    """

    name: str
    where: str
    effect: Effect
    counter: Counter
    refused: Callable[[], DataFrame] | None


def transform(dataset: Dataset, source: Flow, context: Context) -> Flow:
    """Run the steps of one dataset, lazily and in their order: none is moved, merged or left out.

    Args:
        dataset: the steps.
        source: the dataset that they start from.
        context: `dataset` is the name of what the steps make, `datasets` are those they may join.

    Returns:
        The flow; `read` is what `source` kept, and the refused rows are those of the steps alone.

    Raises:
        ConfigError: a step doesn't fit the columns that reach it.
    """
    rows = source.rows
    counted: list[_Counted] = []
    privacy = Privacy(context.plan)
    for place, name, step in _parts(dataset):
        where = f"transform.{context.dataset}[{place}].{name}"
        before, here = rows, replace(context, where=where)
        rows = analysed(partial(step.apply, before, here), before.columns, where)
        refuse_collisions(rows.columns, where)
        if step.effect != "rows":
            counter = _counter(rows)
            refused = partial(_refused, step, before, here, place, privacy) if step.effect == "refuse" else None
            counted.append(_Counted(name=name, where=where, effect=step.effect, counter=counter, refused=refused))
            rows = counter.rows
    return Flow(rows=rows, counts=lambda: _balance(source, counted)[0], refused=lambda: _together(source, counted))


def _parts(dataset: Dataset) -> Iterator[tuple[int, str, Step]]:
    """(place, kind, step) of each; the parts of one step share its place."""
    for place, (kind, step) in enumerate(dataset.steps):
        for part in getattr(step, "parts", lambda step=step: (step,))():
            yield place, kind, part


def _refused(step: Step, rows: DataFrame, context: Context, place: int, privacy: Privacy) -> DataFrame:
    """The rows that a step sets aside, as they may be kept."""
    return privacy.kept(cast("Refusing", step).refused(rows, context), context.dataset, place)


def _counter(rows: DataFrame) -> Counter:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return Counter(rows, passed=F.count(F.lit(1)))


def _balance(source: Flow, counted: list[_Counted]) -> tuple[DatasetCounts, list[int]]:
    """Where the rows went, and how many each counted step left out (negative: how many it added)."""
    read = source.counts().rows
    counts, gone = DatasetCounts(read=read, rows=read), []
    place = ""
    for step in counted:
        before, counts.rows = counts.rows, step.counter.values()["passed"]
        gone.append(before - counts.rows)
        _book(counts, step, before, again=step.where == place)
        place = step.where if step.effect == "reshape" else place
    return counts, gone


def _book(counts: DatasetCounts, step: _Counted, before: int, *, again: bool) -> None:
    gone = before - counts.rows
    if step.effect == "filter":
        counts.filtered += gone
    elif step.effect == "dedupe":
        counts.deduplicated += gone
    elif step.effect == "refuse":
        counts.quarantined += gone
    elif step.effect == "same":
        pass  # where rows came or went all the same, the books don't balance, and the run fails
    elif again:
        counts.reshaped[-1]["rows_out"] = counts.rows
    else:
        counts.reshaped.append({"step": step.name, "rows_in": before, "rows_out": counts.rows})


def _together(source: Flow, counted: list[_Counted]) -> DataFrame | None:
    """The refused rows of those steps that refused some."""
    _, gone = _balance(source, counted)
    found = [step.refused() for step, rows in zip(counted, gone, strict=True) if step.refused and rows]
    return reduce(lambda left, right: left.unionByName(right), found) if found else None
