"""What the results of a scene mean: everything that is not as the test file expects, with its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.testing.language import ExpectedRefusal
from airflow_provider_etl.testing.matching import Found, Problem, compared, paired
from airflow_provider_etl.testing.order import Subject
from airflow_provider_etl.testing.reader import Case
from airflow_provider_etl.testing.repeat import changed, compared_notes, why, window_of

_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How one subject ended.

    Args:
        subject: what was tested.
        state: passed; failed: not as expected; error: it couldn't be tried.
        problems: what is not as expected.
        notes: what was compared, in words.
        seconds: wall-clock time.
    """

    subject: Subject
    state: Literal["passed", "failed", "error"]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def verdict(subject: Subject, result: Mapping[str, Any]) -> Verdict:
    """Judge a scene.

    Args:
        subject: what was tested.
        result: as `spark_jobs.rehearsal.scene.Scene.play` returns it.
    """
    seconds = float(result.get("seconds", 0.0))
    line = subject.case.line if subject.case else 1
    if result.get("error"):
        problem = Problem(line=line, what="test", kind="error", message=str(result["error"]["message"]))
        return Verdict(subject=subject, state="error", problems=(problem,), seconds=seconds)
    case = subject.case
    found = list(_case(case, subject, result) if case else changed(result))
    notes = () if case else tuple(compared_notes(result))
    state: Literal["passed", "failed"] = "failed" if found else "passed"
    return Verdict(subject=subject, state=state, problems=tuple(found), notes=notes, seconds=seconds)


# -- a case -------------------------------------------------------------------------------------------------------


def _case(case: Case, subject: Subject, result: Mapping[str, Any]) -> Iterator[Problem]:
    reports: Sequence[Mapping[str, Any]] = result["reports"]
    last = reports[-1]
    failed = last["state"] == "failed"
    if failed and len(reports) < len(case.runs):
        yield _of(case, "", "run", "error", f"the earlier window {window_of(last)} failed: {why(last)}")
        return
    yield from _error(case, last, failed=failed)
    if failed and case.expect.error is not None:
        yield from _checks(case, last)
    if failed or case.expect.error is not None:
        return
    zone = subject.pipeline.timezone
    for name, wanted in case.datasets.items():
        yield from compared(f"dataset {name}", wanted, Found.from_json(result["datasets"][name]), zone)
    for name, wanted in case.tables.items():
        yield from compared(f"table {name}", wanted, Found.from_json(result["tables"][name]), zone)
    yield from _quarantine(case, Found.from_json(result["quarantine"]))
    yield from _counts(case, last)
    yield from _checks(case, last)


def _of(case: Case, key: str, what: str, kind: str, message: str) -> Problem:
    return Problem(line=case.lines.get(key, case.lines[""]), what=what, kind=kind, message=message)


def _error(case: Case, report: Mapping[str, Any], *, failed: bool) -> Iterator[Problem]:
    expected = case.expect.error
    if failed and expected is None:
        yield _of(case, "", "run", "error", f"the run failed: {why(report)}")
    elif expected is not None and not failed:
        yield _of(case, "error", "run", "error", f"the run succeeded, it was to fail with {shown(expected, 200)}")
    elif expected is not None and expected not in why(report):
        yield _of(case, "error", "run", "error", f"it failed otherwise: {why(report)}")


def _counts(case: Case, report: Mapping[str, Any]) -> Iterator[Problem]:
    for name, counts in case.expect.counts.items():
        found = report["datasets"].get(name, {})
        for key in ("read", "filtered", "deduplicated", "quarantined", "rows"):
            wanted = getattr(counts, key)
            if wanted is not None and wanted != found.get(key):
                message = f"{key}: expected {wanted}, found {found.get(key)}"
                yield _of(case, f"counts.{name}", f"counts {name}", "count", message)


def _checks(case: Case, report: Mapping[str, Any]) -> Iterator[Problem]:
    for name, wanted in case.expect.checks.items():
        answers = [check for check in report["checks"] if check["name"] == name]
        failed = [check for check in answers if not check["success"]]
        if not answers:
            yield _of(case, f"checks.{name}", f"check {name}", "check", "it was not asked")
        elif wanted == "pass" and failed:
            yield _of(case, f"checks.{name}", f"check {name}", "check", f"it failed: {failed[0]['message']}")
        elif wanted == "fail" and not failed:
            yield _of(case, f"checks.{name}", f"check {name}", "check", "it passed, it was to fail")


def _quarantine(case: Case, found: Found) -> Iterator[Problem]:
    expected = case.expect.quarantine
    if isinstance(expected, str):
        return
    wanted = [(place, item) for place, item in enumerate(expected) for _ in range(item.rows)]
    pairs = paired([[row for row, cells in enumerate(found.rows) if _refused(item, cells)] for _, item in wanted])
    missing = [place for number, (place, _) in enumerate(wanted) if number not in pairs]
    for place in dict.fromkeys(missing):
        message = f"{missing.count(place)} of {expected[place].rows} not set aside: {_told(expected[place])}"
        yield _of(case, f"quarantine[{place}]", "quarantine", "missing", message)
    surplus = [row for place, row in enumerate(found.rows) if place not in set(pairs.values())]
    for row in surplus[:_SHOWN]:
        yield _of(case, "quarantine", "quarantine", "surplus", _aside(row))
    if surplus[_SHOWN:] or found.total > len(found.rows):
        more = found.total - len(found.rows) + len(surplus[_SHOWN:])
        yield _of(case, "quarantine", "quarantine", "surplus", f"{more} more rows")


def _refused(item: ExpectedRefusal, row: Mapping[str, Any]) -> bool:
    return (
        item.dataset in (None, row["dataset"])
        and item.stage in (None, row["stage"])
        and (item.rule is None or item.rule in row["rules"])
        and (item.message or "") in (row["message"] or "")
        and (item.raw or "") in (row["raw"] or "")
        and item.line in (None, row.get("source_line"))
    )


def _told(item: ExpectedRefusal) -> str:
    parts = {key: getattr(item, key) for key in ("dataset", "stage", "rule", "message", "raw", "line")}
    return ", ".join(f"{key} {value}" for key, value in parts.items() if value is not None) or "any row"


def _aside(row: Mapping[str, Any]) -> str:
    line = f" line {row['source_line']}" if row.get("source_line") else ""
    return f"{row['dataset']}{line}, {row['stage']}: {', '.join(row['rules'])}: {row['message']}: {row['raw']}"


def unknown_case(asked: str, known: Sequence[str]) -> str:
    """Why no case was chosen."""
    return f"no case's name holds {shown(asked)}; {nearest(asked, known)}"
