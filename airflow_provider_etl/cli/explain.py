"""`explain FILE`: what a pipeline does, in words."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.sensors.condition import span
from airflow_provider_etl.spec import Assets, Cron, Every, Pipeline
from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NAME: Final = "explain"
HELP: Final = "explain a pipeline: its graph, its windows, what each load promises"
_WINDOWS: Final = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument("--window", metavar="A/B", help="a window to explain; default: the first seven of the schedule")


def execute(options: argparse.Namespace) -> int:
    """Print the explanation."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    found = [pipeline.window_of(options.window)] if options.window else None
    print("\n".join(explained(pipeline, found)))
    return 0


def explained(pipeline: Pipeline, asked: list[Window] | None) -> Iterator[str]:
    """The explanation, line by line.

    Args:
        pipeline: what to explain.
        asked: windows to show; None for the schedule's first ones.
    """
    yield f"{pipeline.name}: {pipeline.description}" if pipeline.description else pipeline.name
    yield f"  runs {_when(pipeline)}, {pipeline.execution}, on engine {pipeline.engine.name}"
    yield f"  environment {pipeline.environment.name}, fingerprint {pipeline.fingerprint[:12]}"
    yield ""
    if pipeline.wait_for:
        yield from _waits(pipeline)
        yield ""
    yield from _graph(pipeline)
    yield ""
    yield from _windows(pipeline, asked)
    yield ""
    yield from _loads(pipeline)


def _when(pipeline: Pipeline) -> str:
    match pipeline.schedule:
        case Cron(text):
            return f'on "{text}" in {pipeline.timezone}'
        case Every(length):
            return f"every {length} from {pipeline.start}"
        case Assets(names):
            return f"when {', '.join(names)} changed, for the windows of those changes"
    return "when somebody asks for a window"


def _waits(pipeline: Pipeline) -> Iterator[str]:
    yield "waits, side by side, before anything is read"
    for wait in pipeline.wait_for:
        how = wait.condition
        end = "the run is skipped" if how.on_timeout == "skip" else "the run fails"
        yield f"  {wait.task}: {how.told}"
        yield f"    asked every {span(how.every)}, {span(how.timeout)} at most: then {end}"


def _graph(pipeline: Pipeline) -> Iterator[str]:
    yield "graph"
    for name, source in pipeline.extract.items():
        yield f"  extract {name}: {_source(source)}"
    for name, dataset in pipeline.transform.items():
        steps = " -> ".join([dataset.source, *(step for step, _ in dataset.steps)])
        yield f"  transform {name}: {steps}"
    for name, checks in pipeline.check.items():
        told = ", ".join(f"{kind} ({getattr(check, 'on_fail', 'stop')})" for kind, check in checks)
        yield f"  check {name}: {told}"
    for name, (loaded, kind) in pipeline.load.items():
        yield f"  load {name}: {loaded} -> {kind.type} {getattr(kind, 'path', '')}".rstrip()


def _source(source: Any) -> str:
    rows = getattr(source, "window", None)
    column = getattr(rows, "column", None)
    belong = f"rows of the window by {column}" if column else "all of it for every window"
    place = getattr(source, "path", None) or getattr(source, "table", "")
    return f"{source.type} {place}, {belong if rows else 'one path a window'}"


def _windows(pipeline: Pipeline, asked: list[Window] | None) -> Iterator[str]:
    shown = _first(pipeline) if asked is None else asked
    yield f"windows (half-open, local time of {pipeline.timezone}, and UTC)"
    if not shown:
        yield "  none of its own: they come with the events, the run's form or --window"
    for window in shown:
        hours = (window.end - window.start) / timedelta(hours=1)
        local = f"{window.local_start.isoformat()} .. {window.local_end.isoformat()}"
        yield f"  {window.key}: {local}, {hours:g} h = {window}"
    if asked:
        for name, (unit, options) in pipeline.units(asked[0]).items():
            yield f"  load {name} writes unit {unit.key} to {options.get('path', '')}".rstrip()


def _first(pipeline: Pipeline) -> list[Window]:
    """The schedule's first windows; where it has a start in the past or none, those from its start."""
    begin = pipeline.start or datetime.now(UTC)
    end = pipeline.end or datetime(2199, 1, 1, tzinfo=UTC)
    try:
        return list(itertools.islice(pipeline.windows(begin, end), _WINDOWS))
    except ConfigError:
        return []


def _loads(pipeline: Pipeline) -> Iterator[str]:
    yield "loads, and why any window may run at any time, in any order, any number of times"
    for name, (_, kind) in pipeline.load.items():
        write = kind.write
        options = {key: value for key, value in kinds.dump(write).items() if key != "strategy"}
        told = ", ".join(f"{key} {value}" for key, value in options.items())
        yield f"  {name}: {write.strategy}{f' ({told})' if told else ''}: {write.promise}"
