"""Asset events: what downstream pipelines and people learn of a load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from airflow_provider_etl.compat import Asset, Context, asset_name

_MOST: Final = 20  # names that an event has room for


def asset_of(pipeline: str, load: str) -> Asset:
    """The asset that one load of a pipeline keeps up to date.

    Args:
        pipeline: its id: who waits for the asset doesn't notice that the file was renamed.
        load: the load's name.
    """
    return Asset(name=f"{pipeline}.{load}")


def emit(context: Context, reports: Sequence[Mapping[str, Any]], loads: Iterable[str] = ()) -> None:
    """Give the task's events what was loaded, and take away those of assets that didn't change.

    Args:
        context: the task's context; outlets that aren't one of the pipelines' loads are left alone.
        reports: one per window.
        loads: names of assets (`pipeline.load`) that the task may change, whether or not a report tells of them.
    """
    task = context["ti"].task
    known = {f"{_id(report)}.{load}" for report in reports for load in report["loads"]} | {*loads}
    kept = []
    for outlet in task.outlets:
        name = asset_name(outlet)
        extra = extra_of(name, reports)
        if extra:
            context["outlet_events"][outlet].extra = extra
        if extra or name not in known:
            kept.append(outlet)
    task.outlets = kept


def _id(report: Mapping[str, Any]) -> str:
    """What the assets of a report's pipeline are named by; reports of an earlier release know no id."""
    return str(report.get("id") or report["pipeline"])


def extra_of(asset: str | None, reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`window` (or `windows`), rows, version, fingerprint, table, checks; empty where no load changed the asset."""
    loaded = [
        (report, receipt)
        for report in reports
        for load, receipt in report["loads"].items()
        # A run that finds its own commit again has loaded it: the try before it died before it could tell.
        if f"{_id(report)}.{load}" == asset and report["state"] == "loaded" and receipt["state"] != "superseded"
    ]
    if not loaded:
        return {}
    windows = [{key: report["window"][key] for key in ("start", "end", "timezone")} for report, _ in loaded]
    report, receipt = loaded[-1]
    return {
        **({"window": windows[0]} if len(windows) == 1 else {"windows": windows}),
        "rows": sum(receipt["rows_inserted"] for _, receipt in loaded),
        "version": receipt["version"],
        "fingerprint": report["fingerprint"],
        "table": receipt["table"],
        **_checks(report for report, _ in loaded),
    }


def _checks(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the checks found: how many passed, warned and failed, and the names of those that didn't pass."""
    found = [check for report in reports for check in report.get("checks") or ()]
    words = Counter(
        "passed" if check["success"] else "warned" if check["on_fail"] == "warn" else "failed" for check in found
    )
    failing = list(dict.fromkeys(check["name"] for check in found if not check["success"]))[:_MOST]
    return {"checks": {"passed": 0, "warned": 0, "failed": 0} | words | {"failing": failing}} if found else {}
