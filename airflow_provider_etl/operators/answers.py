"""What `CheckOperator` alone does: the plan with extract and check, and the answers for people and for XCom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

_VERBS: Final = ("extract", "check")
_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT: Final = (
    "name", "kind", "column", "dataset", "success", "on_fail", "severity", "observed", "unexpected_count",
    "unexpected_percent", "element_count", "message",
)  # fmt: skip
_TITLES: Final = ("check", "column", "answer", "observed", "failed", "why")


def plan_of(pipeline: Pipeline, window: str | None, token: str) -> Plan:
    """The plan with the verbs extract and check alone.

    Args:
        pipeline: a source and checks, no load.
        window: `START/END`; None: all that was until now.
        token: of the task's run.

    Raises:
        ConfigError: the window is none.
    """
    now = datetime.now(UTC)
    if window is not None and "/" not in window:
        raise ConfigError(
            f"window is {window!r}",
            where=pipeline.name,
            expected="START/END",
            remedy='such as "{{ data_interval_start }}/{{ data_interval_end }}"',
        )
    span = pipeline.window_of(window) if window is not None else Window(start=_BEGIN, end=now)
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token=token, run=token[:12])
    return pipeline.plan(span, attempt, verbs=_VERBS)


def results_of(report: Mapping[str, Any], window: str | None) -> dict[str, Any]:
    """What a report says of the checks; `window` is None where all rows were read."""
    checks = [{key: check[key] for key in _KEPT} for check in report["checks"]]
    broken = [check for check in checks if not check["success"]]
    counts = report["datasets"].get("source") or {}
    return {
        "state": "failed" if report["state"] == "failed" else "passed",
        "window": None if window is None else report["window"],
        "rows": counts.get("rows"),
        "passed": len(checks) - len(broken),
        "failed": sum(check["on_fail"] != "warn" for check in broken),
        "warned": sum(check["on_fail"] == "warn" for check in broken),
        "checks": checks,
    }


def table(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The answers as lines of a table."""
    rows = [_TITLES, *(_row(check) for check in checks)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_TITLES))]
    for row in rows if checks else ():
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"[etl]   {'  '.join(cells)}".rstrip()


def _row(check: Mapping[str, Any]) -> tuple[str, ...]:
    answer = "passed" if check["success"] else "warned" if check["on_fail"] == "warn" else "failed"
    observed = "" if check["observed"] is None else str(check["observed"])
    return (check["name"], check["column"] or "", answer, observed, str(check["unexpected_count"]), check["message"])
