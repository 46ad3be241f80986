"""Verdicts for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from airflow_provider_etl.spec import Diagnostic
from airflow_provider_etl.testing.verdict import Verdict

_MARKS: Final = {"missing": "-", "surplus": "+", "differs": "~"}
_WORDS: Final = {"passed": "ok  ", "failed": "FAIL", "error": "ERR "}


def lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A line a verdict, and below it what is not as expected: `-` is missing, `+` is surplus, `~` differs."""
    for item in verdicts:
        yield f"{_WORDS[item.state]}  {place(item)}  {title(item)}  {item.seconds:.1f} s"
        for note in item.notes:
            yield f"        {note}"
        for problem in item.problems:
            mark = _MARKS.get(problem.kind, "!")
            yield f"  {_file(item)}:{problem.line}: {mark} {problem.what}: {problem.message}"


def counted(verdicts: Sequence[Verdict]) -> str:
    """The last line."""
    passed = sum(item.state == "passed" for item in verdicts)
    return f"{len(verdicts)} tested: {passed} passed, {len(verdicts) - passed} failed"


def place(item: Verdict) -> str:
    """`flights.test.yaml:12`, or the pipeline file where a real window was run twice."""
    return f"{_file(item)}:{item.subject.case.line}" if item.subject.case else item.subject.path


def title(item: Verdict) -> str:
    """What was tested."""
    return item.subject.case.name if item.subject.case else f"{item.subject.window} twice"


def _file(item: Verdict) -> str:
    return item.subject.case.path if item.subject.case else item.subject.path


def as_json(verdicts: Sequence[Verdict], diagnostics: Sequence[Diagnostic], untested: Sequence[str]) -> dict[str, Any]:
    """`{passed, failed, tests: [{pipeline, path, line, name, window, state, problems, notes, seconds}], …}`.

    Args:
        verdicts: how the tests ended.
        diagnostics: what is wrong with the files.
        untested: pipeline files that have no tests.
    """
    passed = sum(item.state == "passed" for item in verdicts)
    return {
        "passed": passed,
        "failed": len(verdicts) - passed,
        "tests": [_test(item) for item in verdicts],
        "diagnostics": [item.to_json() for item in diagnostics],
        "untested": list(untested),
    }


def _test(item: Verdict) -> dict[str, Any]:
    return {
        "pipeline": item.subject.pipeline.name,
        "path": _file(item),
        "line": item.subject.case.line if item.subject.case else 1,
        "name": title(item),
        "window": str(item.subject.window),
        "state": item.state,
        "problems": [
            {"line": problem.line, "what": problem.what, "kind": problem.kind, "message": problem.message}
            for problem in item.problems
        ],
        "notes": list(item.notes),
        "seconds": item.seconds,
    }
