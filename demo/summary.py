"""The last page of the demo: what was loaded, where the time went, where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.proof import Picture

Report = Mapping[str, Any]


def proven(console: Console, tasks: int, before: Picture, after: Picture) -> None:
    """What the second backfill was held against, after it held."""
    console.print(
        f"\n[bold green]Proven:[/bold green] all {tasks} tasks of the second backfill really ran again, each under a "
        f"later attempt number;\nthe table went from version {before.version} to {after.version} and is identical row "
        f"for row: {after.rows} rows before and after."
    )
    for day, digest in sorted(after.windows.items()):
        console.print(f"  {day}  {before.windows[day]} = {digest}", highlight=False)


def windows(console: Console, reports: Sequence[Report]) -> None:
    """A line per window: rows in, out, set aside; checks; the table's version."""
    table = Table(title="What was loaded", title_justify="left")
    for name in ("pipeline", "window", "read", "kept", "quarantined", "checks", "rows in table", "version", "seconds"):
        table.add_column(name, justify="left" if name in {"pipeline", "window", "checks"} else "right")
    for report in reports:
        table.add_row(*_row(report))
    console.print(table)


def _row(report: Report) -> list[str]:
    main = report["datasets"][_source(report)]
    receipt = next(iter(report["loads"].values()))
    return [
        report["pipeline"],
        report["window"]["key"],
        str(main["read"]),
        str(receipt["rows_inserted"]),
        str(sum(dataset["quarantined"] for dataset in report["datasets"].values())),
        _checks(report["checks"]),
        receipt["state"],
        str(receipt["version"]),
        f"{report['seconds']['total']:.1f}",
    ]


def _source(report: Report) -> str:
    """The dataset that the pipeline is about: the one that its window cuts comes first in the file."""
    return str(next(iter(report["datasets"])))


def _checks(checks: Sequence[Report]) -> str:
    failed = [check for check in checks if not check["success"]]
    warned = ", ".join(f"{check['name']} {check['unexpected_count']}" for check in failed)
    return f"{len(checks) - len(failed)} of {len(checks)} passed" + (f"; warned: {warned}" if warned else "")


def times(console: Console, reports: Sequence[Report], phases: Mapping[str, float]) -> None:
    """Where the time went: the demo's phases on the clock, and the steps of all Spark applications added up."""
    total = sum(phases.values())
    console.print(f"[bold]The demo took {total:.0f} s[/bold]: " + _listed(phases))
    steps: dict[str, float] = {}
    for report in reports:
        for step, seconds in report["seconds"].items():
            steps[step] = steps.get(step, 0.0) + seconds
    spent = steps.pop("total") or 1.0
    share = 100 * steps["start"] / spent
    steps["other"] = max(0.0, spent - sum(steps.values()))
    console.print(f"Spark's applications took {spent:.0f} s side by side: {_listed(steps)}; {share:.0f} % is start-up")


def _listed(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {spent:.0f} s" for name, spent in seconds.items() if spent >= 0.5)


def places(console: Console, lake: Path, picture: Picture) -> None:
    """Where to look next."""
    table = lake / "flights"
    console.print(f"\n[bold]Where to look[/bold]\n  {table}: Delta, version {picture.version}, {picture.rows} rows")
    query = "groupby('flight_date').dep_delay.mean()"
    code = f"from deltalake import DeltaTable; print(DeltaTable('{table}').to_pandas().{query})"
    console.print(f'  .venv/bin/python -c "{code}"', soft_wrap=True, highlight=False)
    console.print("  .venv/bin/airflow-etl explain dags/pipelines/flights.yaml", highlight=False)
    console.print("  make demo-ui: this Airflow with its DAGs and runs, in a browser", highlight=False)
