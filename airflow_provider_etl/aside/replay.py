"""Running windows again that have rows set aside: which, and what became of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

_WHY_NOT: Final = {
    "replace_window": "it replaces its window whole: rows alone would take the place of all others",
    "snapshot": "it replaces its table whole: rows alone would take the place of all others",
    "append": "a repeat replaces the rows of its window: rows alone would take the place of those that are loaded",
}
_BY_KEY: Final = "the ledger names one attempt a window: rows alone would make it forget the rest of the quarantine"


def waiting(pipeline: Pipeline, wanted: Wanted, *, hopeful: bool = False) -> dict[Window, int]:
    """Window -> how many rows of it wait, as far as they are wanted; in the order of windows.

    Args:
        pipeline: whose quarantine is looked at.
        wanted: which rows count.
        hopeful: only windows with rows that may be accepted now, though their source is as it was: they broke rules
            about other data, or the pipeline's configuration has changed since.
    """
    hook = QuarantineHook(pipeline)
    found, hoped = dict[Window, int](), set[Window]()
    for group in hook.groups(wanted):
        found[group.window] = found.get(group.window, 0) + group.rows
        hoped |= {group.window} if hook.hopeful(group) else set()
    return {window: rows for window, rows in found.items() if window in hoped or not hopeful}


def outcome(pipeline: Pipeline, window: Window, before: int, report: Mapping[str, Any]) -> dict[str, Any]:
    """What a replay of a window has done: `{window, state, before, waiting, again, error}`.

    Args:
        pipeline: the pipeline.
        window: which was run.
        before: how many of its rows waited.
        report: of the run.
    """
    rows = list(QuarantineHook(pipeline).rows(Wanted(first=window.start, until=window.end), ("retries",)))
    return {
        "window": window.to_json() | {"key": window.key},
        "state": report["state"],
        "before": before,
        "waiting": len(rows),
        "again": sum(row["retries"] > 0 for row in rows),
        "error": report.get("error"),
    }


def told(outcomes: list[dict[str, Any]]) -> Iterator[str]:
    """What became of the rows, a line a window."""
    for item in outcomes:
        key, error = item["window"]["key"], item["error"]
        if error:
            yield f"  {key}: {item['before']:,} rows wait as before: error[{error['kind']}]: {error['message']}"
            continue
        new = item["waiting"] - item["again"]
        more = f", {new:,} others were set aside" if new else ""
        yield f"  {key}: {item['before']:,} rows waited, {item['again']:,} were refused again{more}"


def refuse_rows_alone(pipeline: Pipeline) -> None:
    """`--rows`: why rows alone can't be loaded.

    Raises:
        ConfigError: always, with the reason of the pipeline's first load.
    """
    name, (_, kind) = next(iter(pipeline.load.items()))
    strategy = kind.write.strategy
    raise ConfigError(
        f"--rows: load {name} is by {strategy}, and {_WHY_NOT.get(strategy, _BY_KEY)}",
        where=pipeline.name,
        expected="a replay of the whole window",
        remedy="leave --rows out: the window is run again with the file as it is now, which loads no row twice",
    )
