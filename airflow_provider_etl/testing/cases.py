"""A test file, or everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from airflow_provider_etl.spec import Diagnostic, Pipeline, shape
from airflow_provider_etl.spec.files import TESTS
from airflow_provider_etl.spec.nodes import MapNode, ScalarNode, described
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_file
from airflow_provider_etl.spec.reading import FAILED, Mode, Reading
from airflow_provider_etl.testing.language import CaseFile
from airflow_provider_etl.testing.reader import Case, CaseReader


@dataclass(frozen=True, kw_only=True)
class Cases:
    """What a test file gave.

    Args:
        path: as the caller named it.
        cases: none where there is an error.
        diagnostics: errors and warnings by place.
    """

    path: str
    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]


def cases_beside(path: Path) -> Path | None:
    """The test file beside a pipeline file; None where there is none."""
    names = [path.with_name(path.stem + ending) for ending in TESTS]
    return next((name for name in names if name.exists()), None)


def pipeline_file_of(path: Path) -> Path | None:
    """The pipeline file that a test file is beside; None where there is none."""
    stem = next(path.name.removesuffix(ending) for ending in TESTS if path.name.endswith(ending))
    names = [path.with_name(stem + ending) for ending in (".yaml", ".yml")]
    return next((name for name in names if name.exists()), None)


def orphaned(path: Path) -> Diagnostic:
    """The error of a test file that is beside no pipeline file."""
    name = next(path.name.removesuffix(ending) for ending in TESTS if path.name.endswith(ending))
    message = f"there is no {name}.yaml beside it" if path.exists() else "there is no such file"
    hint = "rename the test file with its pipeline, or remove it"
    return Diagnostic(path=str(path), line=1, column=1, code="test-orphaned", message=message, hint=hint)


def load_cases(path: Path, pipeline: Pipeline) -> Cases:
    """Read a test file.

    Args:
        path: the test file.
        pipeline: the pipeline without errors that it tests.

    Returns:
        Its cases, or none and why. Nothing is raised for what is wrong with the file.
    """
    problems = Problems()
    node = read_file(str(path), problems)
    if node is not None and not isinstance(node, MapNode):
        problems.add(node, "not-a-mapping", f"{described(node)} stands where the keys of a test file are wanted")
    cases: tuple[Case, ...] = ()
    if isinstance(node, MapNode):
        read = shape.build(CaseFile, node, Reading(problems=problems, substitute=_as_it_is))
        shared = {} if read is FAILED else read.sources
        reader = CaseReader(path=path, pipeline=pipeline, problems=problems, node=node, shared=shared)
        if read is FAILED:
            reader.glance()
        else:
            cases = reader.cases(read)
    return Cases(path=str(path), cases=() if problems.failed else cases, diagnostics=problems.sorted())


def _as_it_is(node: ScalarNode, _mode: Mode) -> str:
    return node.text
