"""`explain FILE`: what a pipeline does, in words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.explaining import graph, mermaid, promises, resources, spans
from airflow_provider_etl.sensors.condition import span
from airflow_provider_etl.spec import Assets, Cron, Every, Pipeline, scalars
from airflow_provider_etl.spec.schedule import local_instant
from airflow_provider_etl.starter.values import flow
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NAME: Final = "explain"
HELP: Final = "explain a pipeline: its graph, its windows, what each load promises"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument("--window", metavar="A/B", help="a window to explain; default: those of the next 7 days")
    parser.add_argument("--from", dest="begin", metavar="D", help="where the 7 days begin; default: now")
    parser.add_argument(
        "--format", choices=("text", "mermaid"), default="text", help="mermaid: the graph alone, for documents"
    )


def execute(options: argparse.Namespace) -> int:
    """Print the explanation."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    asked = pipeline.window_of(options.window) if options.window else None
    begin = _begin(options.begin, pipeline)
    told = mermaid.chart(pipeline) if options.format == "mermaid" else explained(pipeline, asked, begin)
    print("\n".join(told))
    return 0


def _begin(text: str | None, pipeline: Pipeline) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return local_instant(scalars.instant(text), pipeline.timezone)
    except ValueError as error:
        raise ConfigError(f"--from {text!r} is not {error}", where="explain") from error


def explained(pipeline: Pipeline, asked: Window | None, begin: datetime) -> Iterator[str]:
    """The explanation, line by line.

    Args:
        pipeline: what to explain.
        asked: a window to show; None for those of seven days.
        begin: where those begin.
    """
    yield f"{pipeline.name}: {_headline(pipeline)}" if pipeline.description.strip() else pipeline.name
    if pipeline.id != pipeline.name:
        yield f"  tables, staging and quarantine know it as {pipeline.id}"
    yield f"  runs {_when(pipeline)}, {pipeline.execution}, on engine {pipeline.engine.name}"
    yield from resources.told(pipeline)
    if pipeline.depends_on_previous:
        yield "  a window runs only after the one before it has succeeded"
    yield f"  environment {pipeline.environment.name}, fingerprint {pipeline.fingerprint[:12]}"
    yield ""
    if pipeline.wait_for:
        yield from _waits(pipeline)
        yield ""
    yield from graph.tree(pipeline)
    yield ""
    yield from spans.one(pipeline, asked) if asked else spans.week(pipeline, begin)
    yield ""
    yield from promises.told(pipeline)


def _headline(pipeline: Pipeline) -> str:
    return pipeline.description.strip().partition("\n")[0]


def _when(pipeline: Pipeline) -> str:
    match pipeline.schedule:
        case Cron(text):
            return f'on "{text}" in {pipeline.timezone}'
        case Every(length):
            return f"every {flow(length)} from {pipeline.start}"
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
