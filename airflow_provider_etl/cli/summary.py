"""A report in words, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from spark_jobs.advice import text_of

_COUNTS: Final = {
    "read": "read",
    "rows": "kept",
    "filtered": "filtered",
    "deduplicated": "repeats",
    "quarantined": "set aside",
}
_REASONS: Final = 10  # reasons listed before the rest is summed up


def summary(report: Mapping[str, Any]) -> str:
    """Rows, reasons, checks, loads and seconds of one report (JSON), a line each."""
    window = report["window"]
    lines = [f"{report['pipeline']} {window['start']}/{window['end']}: {report['state']}"]
    for part in (_rows, _reasons, _checks, _approval, _loads, _seconds, _usage, _error):
        lines += part(report)
    return "\n".join(lines)


def _rows(report: Mapping[str, Any]) -> Iterator[str]:
    table = [["rows", *_COUNTS.values()]]
    table += [[name, *(f"{counts[key]:,}" for key in _COUNTS)] for name, counts in report["datasets"].items()]
    if len(table) > 1:
        yield from _aligned(table)


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for first, *rest in table:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join([f"  {first.ljust(widths[0])}", *cells])


def _reasons(report: Mapping[str, Any]) -> Iterator[str]:
    reasons = list(report["quarantined"].items())
    for reason, rows in reasons[:_REASONS]:
        yield f"  set aside {rows:,}: {reason}"
    if more := reasons[_REASONS:]:
        yield f"  set aside {sum(rows for _, rows in more):,}: for {len(more)} more reasons"


def _checks(report: Mapping[str, Any]) -> Iterator[str]:
    checks = report["checks"]
    if checks:
        yield f"  checks: {sum(check['success'] for check in checks)} of {len(checks)} passed"
    for check in checks:
        if not check["success"]:
            subject = f"{check['dataset']}.{check['column']}" if check["column"] else check["dataset"]
            yield f"    {check['name']}({subject}): {check['message']} ({check['on_fail']})"


def _approval(report: Mapping[str, Any]) -> Iterator[str]:
    approval = report.get("approval")
    if approval and approval["state"] == "approved":
        who = approval["by"]["name"] if approval["by"] else "somebody whom Airflow doesn't name"
        yield f"    approved by {who} at {approval['at']}: {', '.join(approval['checks'])}"


def _loads(report: Mapping[str, Any]) -> Iterator[str]:
    for name, load in report["loads"].items():
        yield (
            f"  load {name}: {load['state']} by {load['strategy']}, {load['rows_inserted']:,} rows in, "
            f"{load['rows_deleted']:,} out, version {load['version']}, {load['table']}"
        )
        if load["columns_added"]:
            yield f"    new columns: {', '.join(load['columns_added'])}"
        if load["columns_missing"]:
            yield f"    columns that only the table has, null in the rows: {', '.join(load['columns_missing'])}"


def _seconds(report: Mapping[str, Any]) -> Iterator[str]:
    seconds = dict(report["seconds"])
    total = seconds.pop("total", 0.0)
    if total:
        share = round(100 * seconds.get("start", 0.0) / total)
        steps = ", ".join(f"{step} {spent:.1f}" for step, spent in seconds.items())
        yield f"  seconds: {total:.1f} ({steps}); the start of Spark is {share} % of it"


def _usage(report: Mapping[str, Any]) -> Iterator[str]:
    for name, usage in (report.get("usage") or {}).items():
        executors = f", {usage['executors']} executors" if usage["executors"] else ""
        yield (
            f"  {name} needed {text_of(usage['heap_peak'])} of {text_of(usage['heap_max'])} heap{executors}, "
            f"{usage['cpu_seconds']:.1f} s of CPU, {text_of(usage['bytes_read'])} read, "
            f"{text_of(usage['bytes_written'])} written"
        )
        yield from (f"    advice: {line}" for line in usage["advice"])


def _error(report: Mapping[str, Any]) -> Iterator[str]:
    if error := report.get("error"):
        place = f"{error['where']}: " if error["where"] else ""
        yield f"  error[{error['kind']}]: {place}{error['message']}"
