"""`lookback`: sources read before the window too; which loads replace all of that, and what is context elsewhere.

A load by `replace_window` on the column by which its source says which rows belong to a window replaces the whole
reach. For every other load the rows before the window are context: steps see them, and then they are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import column, listed
from spark_jobs.errors import ConfigError
from spark_jobs.extract.spans import Span
from spark_jobs.flow import Context, Flow
from spark_jobs.load.strategies import ReplaceWindow
from spark_jobs.observe import Counter
from spark_jobs.plan import Plan
from spark_jobs.report import DatasetCounts
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def column_of(source: Any) -> str | None:
    """The window's column of a source that reads the reach; None where it has none, or reads the window alone."""
    found = getattr(getattr(source, "window", None), "column", None)
    return found if isinstance(found, str) and getattr(source, "looks_back", False) else None


def window_column(dataset: str, sources: Mapping[str, Any], origins: Mapping[str, str]) -> str | None:
    """The window's column of the source that a dataset comes from.

    Args:
        dataset: its name.
        sources: name -> source.
        origins: dataset -> the source or dataset that it starts from.
    """
    seen = set[str]()
    while dataset in origins and dataset not in seen:
        seen.add(dataset)
        dataset = origins[dataset]
    return column_of(sources.get(dataset))


def replaces_reach(destination: Any, window_column: str) -> bool:
    """Whether a load replaces all that was read, and not the window alone."""
    write = getattr(destination, "write", None)
    by_column = isinstance(write, ReplaceWindow) and write.column == window_column
    return by_column and getattr(destination, "looks_back", False)


def reach_of(plan: Plan, dataset: str, destination: Any) -> Window | None:
    """The reach, where a load of a dataset replaces it whole; None where it replaces the window alone."""
    found = _column(plan, dataset) if plan.reach else None
    return plan.reach if found is not None and replaces_reach(destination, found) else None


def own_rows(flow: Flow, context: Context) -> Flow:
    """The rows of a dataset that are checked and loaded: without those that are context for the steps.

    Args:
        flow: the dataset, its steps done.
        context: `dataset` is its name.

    Raises:
        ConfigError: the dataset has lost the window's column, or it is no timestamp or date any more; or some of its
            loads replace the reach, and others don't.
    """
    found = _context_column(context)
    if found is None:
        return flow
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    counter = Counter(flow.rows.where(_belongs(flow.rows, found, context)), passed=F.count(F.lit(1)))

    def counts() -> DatasetCounts:
        told, passed = flow.counts(), counter.values()["passed"]
        return replace(told, filtered=told.filtered + told.rows - passed, rows=passed)

    return Flow(rows=counter.rows, counts=counts, refused=flow.refused)


def _column(plan: Plan, dataset: str) -> str | None:
    return window_column(dataset, plan.extract, {name: item.source for name, item in plan.transform.items()})


def _context_column(context: Context) -> str | None:
    """The column that tells context from the window's rows; None where no row is context."""
    plan, name = context.plan, context.dataset
    found = _column(plan, name) if plan.reach else None
    loads = [destination for dataset, destination in plan.load.values() if dataset == name]
    if found is None or not loads:
        return None
    replacing = {replaces_reach(destination, found) for destination in loads}
    if len(replacing) > 1:
        raise ConfigError(
            f"some loads of dataset {name!r} replace all that was read, others take the window's rows alone",
            where=context.where,
            expected="one or the other",
            remedy=f"give one of them a dataset of its own, such as `own: {{from: {name}}}`",
        )
    return found if replacing == {False} else None


def _belongs(rows: DataFrame, name: str, context: Context) -> Any:
    """Whether a row is none that lies before the window; one without a value isn't known to."""
    from pyspark.sql import functions as F  # noqa: N812

    spelled = next((known for known in rows.columns if known.lower() == name.lower()), None)
    if spelled is None:
        raise ConfigError(
            f"dataset {context.dataset!r} has no column {name!r}: nothing tells the window's rows from those before it",
            where=context.where,
            expected=f"the window's column of its source, found {listed(rows.columns)}",
            remedy="keep the column, or leave lookback out",
        )
    window = context.plan.window
    span = Span(column=spelled, window=window, zone=window.timezone, where=context.where)
    return ~F.coalesce(span.before(column(spelled), rows.schema[spelled].dataType), F.lit(False))
