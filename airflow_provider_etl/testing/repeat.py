"""What the results of a real window that ran twice mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_etl.testing.matching import Problem


def changed(result: Mapping[str, Any]) -> Iterator[Problem]:
    """What the second run changed, or why there was none."""
    reports: Sequence[Mapping[str, Any]] = result["reports"]
    if reports[-1]["state"] == "failed":
        which = "first" if len(reports) == 1 else "second"
        yield Problem(line=1, what="run", kind="error", message=f"the {which} run failed: {why(reports[-1])}")
        return
    for name, change in result["changes"].items():
        second = change["second"]
        if second["rows_gone"] or second["rows_came"]:
            told = f"the second run changed it: {second['rows_gone']} rows went, {second['rows_came']} came"
            yield Problem(line=1, what=_place(name), kind="differs", message=told)
            yield from (_row(name, "missing", row) for row in second["gone"])
            yield from (_row(name, "surplus", row) for row in second["came"])


def _row(name: str, kind: str, row: str) -> Problem:
    return Problem(line=1, what=_place(name), kind=kind, message=row)


def _place(name: str) -> str:
    return name if name == "quarantine" else f"table {name}"


def compared_notes(result: Mapping[str, Any]) -> Iterator[str]:
    """What was compared, so that nobody takes an empty table for a proof."""
    for name, change in result["changes"].items():
        second = change["second"]
        if name == "quarantine":
            yield f"quarantine: {second['rows']} rows set aside, compared row for row after both runs"
            continue
        first, columns = change["first"], second["columns"]
        states = ", ".join(report["loads"][name]["state"] for report in result["reports"])
        told = f"all {second['rows']} rows, {columns} columns, compared row for row after both runs"
        yield f"table {name}: {told} ({states})"
        adds, takes = first["rows_came"], first["rows_gone"]
        yield f"table {name}: the real one isn't touched; loading this window would add {adds} rows and take {takes}"


def window_of(report: Mapping[str, Any]) -> str:
    """The window of a report, in UTC."""
    return f"{report['window']['start']}/{report['window']['end']}"


def why(report: Mapping[str, Any]) -> str:
    """Why a run failed."""
    error = report.get("error") or {}
    place = f"{error.get('where')}: " if error.get("where") else ""
    return f"{place}{error.get('message', 'it did not say why')}"
