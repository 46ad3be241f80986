"""`lookback`: how far back a window reaches, and what the rest of the file must be for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from airflow_provider_etl.spec.nodes import Node, scalars
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.rules import read_by, target_of
from airflow_provider_etl.spec.schedule import in_zone
from airflow_provider_etl.spec.variables import names_window
from airflow_provider_etl.spec.verbs import Placed, Verbs
from spark_jobs.columns import listed
from spark_jobs.kinds import reads_datasets
from spark_jobs.lookback import column_of, replaces_reach
from spark_jobs.outline import Outline
from spark_jobs.window import Window

_DAY: Final = timedelta(days=1)


def reach(window: Window, lookback: timedelta, first: datetime | None) -> Window:
    """A window with the time before it that is read too.

    Args:
        window: in the pipeline's zone.
        lookback: how long that is: whole days are days of the zone's wall clock, the rest is real time.
        first: the start of the pipeline's first window, before which nothing is read; None where there is none.
    """
    days, rest = divmod(lookback, _DAY)
    start = window.start
    if days:
        start = in_zone(window.local_start.replace(tzinfo=None, fold=0) - days * _DAY, window.zone)
    start -= rest
    if first is not None:
        start = min(max(start, first), window.start)
    return Window(start=start, end=window.end, timezone=window.timezone)


def check(node: Node | None, verbs: Verbs, problems: Problems) -> None:
    """Report a lookback that no source has a use for, and datasets that would have to be two things at once.

    Args:
        node: the key's value; None where the file doesn't say it.
        verbs: what was read.
        problems: where problems go.
    """
    sources = [placed.kind for placed in verbs.extract.values()]
    if node is None or not sources or FAILED in sources:
        return
    if not any(column_of(source) for source in sources):
        message = "no source has a window column: there is nothing to look back for"
        problems.add(node, "lookback-unused", message, "say `window: {column: …}` in a source, or leave lookback out")
    _paths(verbs, problems)
    _queries(verbs, problems)
    for dataset in verbs.datasets:
        _mixed(dataset, verbs, problems)
        if any(target_of(name, verbs) == dataset for name in verbs.load):
            _context(dataset, verbs, problems)


def _paths(verbs: Verbs, problems: Problems) -> None:
    """Report sources that have a window column and find only the window's own files: what they lack would be lost."""
    for name, placed in verbs.extract.items():
        if getattr(placed.kind, "as_of", None) is not None:
            continue  # a table as it was then has the rows before the window too
        if column_of(placed.kind) and any(names_window(node.text) for node in scalars(placed.node)):
            message = f"source {name!r} names the window: what lies before it is in files that aren't read"
            hint = "name all files, and let `window: {column: …}` choose the rows; or leave lookback out"
            problems.add(verbs.sources[name], "lookback-path", message, hint)


def _queries(verbs: Verbs, problems: Problems) -> None:
    """Report sources made of such with rows from before the window, in which nothing tells them from the others."""
    for name, placed in verbs.extract.items():
        if not reads_datasets(placed.kind) or column_of(placed.kind):
            continue
        wide = [item for item in read_by(placed, verbs) if item != name and item in verbs.extract]
        found = next((item for item in wide if column_of(verbs.extract[item].kind)), None)
        if found is not None:
            message = f"rows of {found!r} from before the window come into {name!r}, where nothing tells them"
            hint = "say `window: {column: …}` of what the query answers, or query them in a step"
            problems.add(verbs.sources[name], "lookback-context", message, hint)


def _mixed(dataset: str, verbs: Verbs, problems: Problems) -> None:
    """Report loads of a dataset of which one replaces all that was read, and another takes the window's rows alone."""
    column = _column(dataset, verbs)
    loads = {name: placed for name, placed in verbs.load.items() if target_of(name, verbs) == dataset}
    if column is None or any(placed.kind is FAILED for placed in loads.values()):
        return
    whole = [name for name, placed in loads.items() if replaces_reach(placed.kind, column)]
    for name, placed in loads.items():
        if whole and name not in whole:
            message = f"load {name!r} takes the window's rows of {dataset!r} alone, load {whole[0]!r} all that was read"
            hint = f"give it a dataset of its own, such as `own: {{from: {dataset}}}`"
            problems.add(placed.node.holder, "lookback-mixed", message, hint)


def _context(dataset: str, verbs: Verbs, problems: Problems) -> None:
    """Report steps that bring rows from before the window into a dataset in which nothing tells them from the others.

    Each of several windows would load them.
    """
    own = _column(dataset, verbs)
    for placed, other in _read(dataset, verbs):
        full = getattr(placed.kind, "how", None) in {"right", "full"}
        if _column(other, verbs) and (own is None or (full and own not in placed.kind.on)):
            _tell_context(dataset, other, placed, verbs, problems)


def _united(dataset: str, verbs: Verbs, outlines: Mapping[str, Outline], problems: Problems) -> None:
    """Report unions with rows from before the window that haven't the column by which they are told."""
    own = _column(dataset, verbs)
    for placed, other in _read(dataset, verbs) if own else ():
        if placed.name == "union" and (column := _column(other, verbs)):
            rows = outlines.get(other, Outline())
            promised = column == own and rows.may_have(own or "") != "none"
            if rows.spelled(own or "") is None and not promised:
                _tell_context(dataset, other, placed, verbs, problems)


def _tell_context(dataset: str, other: str, placed: Placed, verbs: Verbs, problems: Problems) -> None:
    source = _chain(other, verbs)[-1]
    message = f"rows of {source!r} from before the window come into {dataset!r}, where nothing tells them"
    hint = (
        f"begin {dataset!r} with `from: {other}`, keep the window's column, or load it in a pipeline without lookback"
    )
    problems.add(placed.node, "lookback-context", message, hint)


def _read(dataset: str, verbs: Verbs) -> Iterator[tuple[Placed, str]]:
    """The steps that a dataset comes from, each with the other sources and datasets that it reads."""
    for name in _chain(dataset, verbs):
        for placed in verbs.transform.get(name, []):
            yield from ((placed, other) for other in read_by(placed, verbs))


def _chain(dataset: str, verbs: Verbs) -> list[str]:
    """A dataset and those that it comes from, down to its source."""
    found = [dataset]
    while (origin := verbs.origins.get(found[-1])) is not None and origin.text not in found:
        found.append(origin.text)
    return found


def check_columns(verbs: Verbs, outlines: Mapping[str, Outline], problems: Problems) -> None:
    """Report loads of the window's rows alone whose dataset has lost the column that tells them from the others.

    Args:
        verbs: what was read, in a file that says `lookback`.
        outlines: source or dataset -> its columns.
        problems: where problems go.
    """
    for name, placed in verbs.load.items():
        dataset = target_of(name, verbs) or ""
        _united(dataset, verbs, outlines, problems)
        column, rows = _column(dataset, verbs), outlines.get(dataset, Outline())
        if column is None or placed.kind is FAILED or replaces_reach(placed.kind, column):
            continue
        if rows.spelled(column) is None and rows.may_have(column) == "none":
            message = f"dataset {dataset!r} has no column {column!r}: nothing tells the window's rows from earlier ones"
            hint = f"keep the column; there are {listed(list(rows.columns))}"
            problems.add(placed.node.holder, "lookback-column", message, hint)


def _column(dataset: str, verbs: Verbs) -> str | None:
    source = verbs.extract.get(_chain(dataset, verbs)[-1])
    return column_of(source.kind) if source else None
