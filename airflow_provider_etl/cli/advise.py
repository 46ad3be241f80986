"""`advise FILE`: what the last windows of a pipeline needed, and what that says of its engine's sizes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.paths import is_uri
from airflow_provider_etl.spec.sizes import bytes_moved, size_of
from spark_jobs.advice import LAST, LEAST, advice, text_of
from spark_jobs.errors import ConfigError
from spark_jobs.plan import VERBS
from spark_jobs.usage_kept import Kept, Local

NAME: Final = "advise"
HELP: Final = "what a pipeline's last windows needed, and what that says of memory, cores and size"
_HEAD: Final = ("window", "seconds", "heap", "process", "executor", "cpu s", "read", "written", "spilled")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument("--json", metavar="REPORT", help="write the figures and the advice (JSON) to this file")


def execute(options: argparse.Namespace) -> int:
    """Tell: 0, 2 where the file is bad."""
    pipeline = opened(options, expressions=False)
    if pipeline is None:
        return 2
    found = {name: entries for name in ("run", *VERBS) if (entries := kept_of(pipeline).entries(name))}
    said = {name: advised(pipeline, name, entries) for name, entries in found.items()}
    if options.json:
        whole = {name: {"windows": entries, "advice": said[name]} for name, entries in found.items()}
        Path(options.json).write_text(json.dumps(whole, indent=2), encoding="utf-8")
    if not found:
        print("nothing is known yet: each run that ends well keeps what it needed")
    for name, entries in found.items():
        print("\n".join([name, *_table(entries[-LAST:]), *(f"  -> {line}" for line in said[name])]))
        if not said[name]:
            few = len(entries) < LEAST
            print(f"  -> {f'{LEAST} windows of one size are wanted for advice' if few else 'nothing to change'}")
    return 0


def kept_of(pipeline: Pipeline) -> Kept:
    """What the pipeline's runs have kept.

    Raises:
        ConfigError: it is kept where only Spark can read.
    """
    folder = pipeline.environment.quarantine
    if is_uri(folder):
        raise ConfigError(
            f"what runs needed is kept under {folder}",
            where="quarantine",
            expected="a folder of this machine",
            remedy="the report of each run has the same advice: usage.run.advice",
        )
    return Kept(folder=folder, pipeline=pipeline.id, storage=Local())


def advised(pipeline: Pipeline, name: str, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The advice of the figures, and of the size that the pipeline asks for."""
    said, asked = (
        advice(entries),
        pipeline.resources.of([name] if name in VERBS else VERBS) if pipeline.resources else None,
    )
    last = entries[-LAST:]
    most = max((bytes_moved(entry) for entry in last), default=0)
    fits = size_of(most)
    if fits == "tiny" and (asked is None or asked.size != "tiny"):
        fits = "small"  # bytes as they are stored: 16 MiB of Parquet may be millions of rows
    if asked and asked.size not in (None, "auto", fits) and len(last) >= LEAST:
        said.append(
            f"the last {len(last)} windows moved {text_of(most)} at most, and the size is {asked.size}: size: {fits}"
        )
    return said


def _table(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    lines = [_HEAD, *map(_line, entries)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEAD))]
    for line in lines:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _line(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{entry['window']['start']}/{entry['window']['end']}",
        f"{entry['seconds']:.1f}",
        f"{text_of(entry['heap_peak'])} of {text_of(entry['heap_max'])}",
        text_of(entry["rss_peak"]) if entry["rss_peak"] else "-",
        f"{text_of(entry['executor_peak'])} of {text_of(entry['executor_max'])}" if entry["executor_peak"] else "-",
        f"{entry['cpu_seconds']:.1f}",
        text_of(entry["bytes_read"]),
        text_of(entry["bytes_written"]),
        text_of(entry["bytes_spilled"]),
    )
