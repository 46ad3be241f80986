"""`jars FILE`: which jars a pipeline needs on its engine's Spark, and how sure that is."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.spec import Pipeline, uses
from airflow_provider_etl.spec.compatibility import Resolved, known
from spark_jobs.errors import ConfigError

NAME: Final = "jars"
_VERSION: Final = re.compile(r"\d+\.\d+(\.\d+)?")
HELP: Final = "which jars a pipeline needs on its engine's Spark, and how sure that is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument("--spark", metavar="VERSION", help="ask for this Spark; default: the engine's")
    told = "packages: coordinates for spark.jars.packages; files: names in the jars folder; default: both, with reasons"
    parser.add_argument("--format", choices=("text", "packages", "files", "json"), default="text", help=told)


def execute(options: argparse.Namespace) -> int:
    """Print them: 0, 1 where they can't be together, 2 where the file is bad."""
    pipeline = opened(options, expressions=False)
    if pipeline is None:
        return 2
    if options.spark:
        if not _VERSION.fullmatch(options.spark):
            raise ConfigError(f"--spark {options.spark!r} is no version", expected="such as 4.1 or 4.1.3")
        pipeline = replace(pipeline, engine=replace(pipeline.engine, spark=options.spark))
    resolved = uses.resolved_of(pipeline)
    if options.format == "json":
        print(json.dumps(_json(resolved), indent=2))
    for misfit in resolved.misfits if options.format != "json" else ():
        print(f"error: {misfit.message}; {misfit.hint}", file=sys.stderr)
    if resolved.unlocked and options.format == "files" and not resolved.misfits:
        print(f"no lock has {', '.join(resolved.unlocked)}", file=sys.stderr)
    if not resolved.misfits and options.format != "json":
        print("\n".join(_told(pipeline, resolved, options.format)))
    return 1 if resolved.misfits else 0


def _told(pipeline: Pipeline, resolved: Resolved, form: str) -> Iterator[str]:
    if form == "packages":
        yield ",".join(resolved.packages)
    elif form == "files":
        yield from resolved.files
    else:
        yield from _text(pipeline, resolved)


def _text(pipeline: Pipeline, resolved: Resolved) -> Iterator[str]:
    engine = pipeline.engine
    way = "fetched by Spark itself" if engine.packages == "resolve" else f"from {engine.jars}"
    way = "brought by the service, or named in its conf" if engine.service else way
    yield f"{pipeline.name}: Spark {resolved.line}, engine {engine.name}, jars {way}"
    places: Mapping[str, str] = uses.of_pipeline(pipeline)
    for name, fit in resolved.fits.items():
        where = "every run needs it" if places[name] == "engine" else f"for {places[name]}"
        yield f"  {known()[name].title}, {where} (evidence: {fit.evidence}; {fit.why})"
        yield from (f"    {item}" for item in fit.packages)
    if resolved.files and not engine.service:
        yield f"  in the folder: {len(resolved.files)} files; --format files names them"
    if resolved.unlocked and engine.packages == "folder" and not engine.service:
        yield f"  no lock has {', '.join(resolved.unlocked)}: put them into the folder, or say packages: resolve"


def _json(resolved: Resolved) -> dict[str, object]:
    return {
        "spark": resolved.line,
        "parts": {name: {"packages": fit.packages, "evidence": fit.evidence} for name, fit in resolved.fits.items()},
        "packages": [] if resolved.misfits else resolved.packages,
        "files": [] if resolved.misfits else resolved.files,
        "unlocked": [] if resolved.misfits else resolved.unlocked,
        "errors": [f"{item.message}; {item.hint}" for item in resolved.misfits],
    }
