"""What Airflow makes of the project's files, as JSON that must be alike on every version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from airflow_provider_etl.engines.base import Handle, Job
from tests.airflow.lanes.versions import AIRFLOW_3

# Around both changes of the clock of a year, in New York and in Berlin.
SPANS: Final = (
    (datetime(2013, 3, 8, 23, tzinfo=UTC), datetime(2013, 3, 12, 5, tzinfo=UTC)),
    (datetime(2013, 10, 25, 22, tzinfo=UTC), datetime(2013, 11, 5, 6, tzinfo=UTC)),
)
# One of the schedule's windows, where a source names it; daily's is the day of the clock's change.
WINDOWS: Final = {
    "daily": ("2013-03-10T00:00", "2013-03-11T00:00"),
    "weekly": ("2013-03-04T06:00", "2013-03-11T06:00"),
}
ANY_WINDOW: Final = ("2013-03-09T00:00", "2013-03-11T00:00")


# The one task that not every version has: 2.11 knows no deadlines, so a task of the run watches it, in a file with
# `freshness` alone (docs/airflow-versions.md; test_freshness.py says what it must be).
WATCH: Final = "freshness"
WATCHED: Final = ("daily", "hourly")


def graph(dag: Any) -> dict[str, Any]:
    """Task id -> what it is, what it waits for, what it runs with and what it keeps up to date; all but WATCH."""
    from airflow_provider_etl.compat import asset_name

    return {
        task.task_id: {
            "operator": f"{type(task).__module__}.{type(task).__name__}",
            "upstream": sorted(task.upstream_task_ids),
            "downstream": sorted(task.downstream_task_ids),
            "inlets": sorted(str(asset_name(asset)) for asset in task.inlets),
            "outlets": sorted(str(asset_name(asset)) for asset in task.outlets),
            "retries": task.retries,
            "retry_delay": str(task.retry_delay),
            "doubles": bool(task.retry_exponential_backoff),
            "max_retry_delay": str(task.max_retry_delay),
            "timeout": str(task.execution_timeout),
            "owner": task.owner,
        }
        for task in sorted(dag.tasks, key=lambda task: str(task.task_id))
        if not (task.task_id == WATCH and dag.dag_id in WATCHED and not AIRFLOW_3)
    }


def settings(dag: Any) -> dict[str, Any]:
    """How the DAG runs."""
    from airflow_provider_etl.compat import NO_START

    start = None if dag.start_date == NO_START else dag.start_date.astimezone(UTC)
    return {
        "description": dag.description,
        "tags": sorted(dag.tags),
        "start": str(start),
        "end": str(dag.end_date and dag.end_date.astimezone(UTC)),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "params": {name: dict(sorted(dag.params.get_param(name).schema.items())) for name in sorted(dag.params)},
    }


def windows(dag: Any) -> list[list[str]]:
    """The windows that the scheduler makes of the stored DAG in SPANS; none where time doesn't start it."""
    from tests.airflow.lanes.versions import from_json, intervals, to_json

    stored = from_json(to_json(dag))
    if not stored.timetable.can_be_scheduled or not stored.timetable.periodic:
        return []
    return [
        [start.isoformat(), end.isoformat()]
        for start, end in intervals(stored, SPANS[-1][1])
        if any(first <= start < last for first, last in SPANS)
    ]


class NotingEngine:
    """A fake: stands in for Spark, notes the plans and answers each with a report as `spark_jobs.run` would."""

    def __init__(self) -> None:
        self.plans: list[dict[str, Any]] = []
        self._last: dict[str, Any] = {}

    def submit(self, job: Job) -> Handle:
        """Note the job."""
        assert isinstance(job.plan, dict), "one window"
        self._last = job.plan
        self.plans.append(job.plan)
        return Handle(token=job.token, id=str(len(self.plans)))

    def output(self, _handle: Handle) -> Iterator[str]:
        """A line for the log."""
        yield "[etl] 100 % done"

    def report(self, _handle: Handle) -> dict[str, Any]:
        """Everything went well."""
        plan = self._last
        load = {"strategy": "append", "state": "loaded", "table": "t", "rows_inserted": 3, "rows_deleted": 0}
        loads = dict.fromkeys(plan["load"], load | {"version": 7}) if "load" in plan["verbs"] else {}
        return {
            **{key: plan[key] for key in ("pipeline", "window", "fingerprint", "attempt")},
            "verbs": [*(plan["previous"] or {}).get("verbs", []), *plan["verbs"]],
            "state": "loaded" if loads else "running",
            "loads": loads,
            "error": None,
            "datasets": {},
            "checks": [],
            "quarantined": {},
            "seconds": {"load": 1.0},
        }

    def cancel(self, _handle: Handle) -> None:
        """There is nothing to end."""


def stable(value: Any, project: str) -> Any:
    """A plan without what is another one in every run: who writes, where the project lies, the package's version."""
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if key not in ("attempt", "fingerprint")}
        return {key: stable(item, project) for key, item in kept.items()}
    if isinstance(value, (list, tuple)):
        return [stable(item, project) for item in value]
    return value.replace(project, "<project>") if isinstance(value, str) else value
