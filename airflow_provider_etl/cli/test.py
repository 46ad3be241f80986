"""`test PATH…`: the cases of test files, and real windows run twice; in scratch folders, in one local Spark."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.cli.opened import add_params
from airflow_provider_etl.spec import Diagnostic, Pipeline, find_files, load_file
from airflow_provider_etl.spec.files import TESTS
from airflow_provider_etl.spec.params import told
from airflow_provider_etl.testing.cases import cases_beside, load_cases, orphaned, pipeline_file_of
from airflow_provider_etl.testing.order import Subject, order, scene_of, scene_of_window
from airflow_provider_etl.testing.telling import as_json, counted, lines
from airflow_provider_etl.testing.verdict import Verdict, unknown_case, verdict
from spark_jobs.connections import Connections, named
from spark_jobs.errors import ConfigError, InfrastructureError

NAME: Final = "test"
HELP: Final = "run the cases of FILE.test.yaml, and a window twice, in a scratch folder"
_PROGRESS: Final = "[test] "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="pipeline files, their test files (FILE.test.yaml), or folders that hold some",
    )
    parser.add_argument(
        "--window",
        metavar="A/B",
        help="run this window of the real sources twice over copies of the real tables, and compare them; "
        "START/END in the pipeline's zone, or START of one of the schedule's windows",
    )
    add_params(parser)
    parser.add_argument("--case", metavar="TEXT", help="only the cases whose names hold this text")
    parser.add_argument("--json", metavar="FILE", help="write the results (JSON) to this file; - for stdout")
    parser.add_argument("--verbose", action="store_true", help="show what Spark says")


def execute(options: argparse.Namespace) -> int:
    """Test: 0 all is as expected, 1 something isn't, 2 a file is bad or there is nothing to test."""
    found = _Found()
    for path in _files(options.paths, found):
        _take(path, options, found)
    for diagnostic in found.diagnostics:
        print(diagnostic, file=sys.stderr)
    if any(item.severity == "error" for item in found.diagnostics):
        _write(options.json, [], found)
        return 2
    if not found.subjects:
        raise ConfigError(_nothing(options, found), where="test", remedy="write FILE.test.yaml, or give --window")
    try:
        verdicts = _run(found.subjects, small=not options.window, verbose=options.verbose)
    except KeyboardInterrupt:
        raise InfrastructureError("interrupted", where="test") from None
    if options.json != "-":
        print("\n".join([*lines(verdicts), *_untested(found), counted(verdicts)]))
    _write(options.json, verdicts, found)
    return 0 if all(item.state == "passed" for item in verdicts) else 1


@dataclass
class _Found:
    """What is to be tested."""

    subjects: list[Subject] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def _files(given: Sequence[str], found: _Found) -> Iterator[Path]:
    """The pipeline files of the paths given, each once."""
    paths: dict[Path, None] = {}
    for item in given:
        path = Path(item)
        if path.is_dir():
            paths |= dict.fromkeys(find_files(path))
            for orphan in sorted(_orphans(path)):
                found.diagnostics.append(orphaned(orphan))
        elif path.name.endswith(TESTS):
            pipeline = pipeline_file_of(path)
            if pipeline is None:
                found.diagnostics.append(orphaned(path))
            else:
                paths[pipeline] = None
        else:
            paths[path] = None
    return iter(paths)


def _orphans(folder: Path) -> Iterator[Path]:
    for ending in TESTS:
        for path in folder.rglob(f"*{ending}"):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if not hidden and pipeline_file_of(path) is None:
                yield path


def _take(path: Path, options: argparse.Namespace, found: _Found) -> None:
    """Add what a pipeline file has to be tested."""
    loaded = load_file(path, environment=options.environment, expressions=True)
    found.diagnostics += loaded.diagnostics
    if loaded.pipeline is None:
        return
    tests = cases_beside(path)
    if tests is None and not options.window:
        found.untested.append(str(path))
    if tests is not None:
        _take_cases(path, tests, loaded.pipeline, options, found)
    if options.window:
        pipeline = loaded.pipeline.with_params(told(options.param, loaded.pipeline.params))
        found.subjects.append(_twice(path, pipeline, options.window))


def _take_cases(path: Path, tests: Path, pipeline: Pipeline, options: argparse.Namespace, found: _Found) -> None:
    cases = load_cases(tests, pipeline)
    found.diagnostics += cases.diagnostics
    for case in cases.cases:
        found.names.append(case.name)
        if options.case and options.case not in case.name:
            continue
        scene, window = scene_of(case), case.runs[-1].window
        found.subjects.append(Subject(path=str(path), pipeline=case.pipeline, case=case, window=window, scene=scene))


def _twice(path: Path, pipeline: Pipeline, text: str) -> Subject:
    from airflow_provider_etl.hooks.ledger import newest_attempt

    window = pipeline.window_of(text)
    scene = scene_of_window(pipeline, window, newest_attempt(pipeline, window))
    return Subject(path=str(path), pipeline=pipeline, case=None, window=window, scene=scene)


def _nothing(options: argparse.Namespace, found: _Found) -> str:
    if options.case and found.names:
        return unknown_case(options.case, found.names)
    names = ", ".join(found.untested[:5]) or "the folder"
    return f"nothing to test: {names} has no test file"


def _untested(found: _Found) -> Iterator[str]:
    for path in found.untested:
        yield f"none  {path} has no test file"


def _run(subjects: list[Subject], *, small: bool, verbose: bool) -> list[Verdict]:
    """All of them in one Spark, which ends with this process."""
    from airflow_provider_etl.engines.application import Application
    from airflow_provider_etl.engines.base import Job
    from airflow_provider_etl.engines.local import LocalEngine

    asked = order([dict(item.scene) for item in subjects], [item.pipeline for item in subjects], small=small)
    engine = LocalEngine((sys.executable, "-m", "spark_jobs.rehearsal"))
    job = Job(token=uuid4().hex, plan=asked, connections=_connections(subjects))
    results: list[Mapping[str, Any]] = Application(engine, job).run(_say(verbose=verbose))
    return [verdict(subject, result) for subject, result in zip(subjects, results, strict=True)]


def _connections(subjects: list[Subject]) -> Connections:
    """Those of the sources that are read where they are; samples stand for the others, and loads go to the scratch."""
    from airflow_provider_etl.hooks.connections import resolved

    places: dict[str, str] = {}
    for subject in subjects:
        if subject.case is None:
            places = named({f"extract.{name}": kind for name, kind in subject.pipeline.extract.items()}) | places
    return resolved(places)


def _say(*, verbose: bool) -> Any:
    def say(line: str) -> None:
        if verbose or (line.startswith(_PROGRESS) and sys.stderr.isatty()):
            print(line, file=sys.stderr, flush=True)

    return say


def _write(path: str | None, verdicts: Sequence[Verdict], found: _Found) -> None:
    if path is None:
        return
    text = json.dumps(as_json(verdicts, found.diagnostics, found.untested), indent=2)
    if path == "-":
        print(text)
    else:
        Path(path).write_text(text + "\n", encoding="utf-8")
