"""The end of a run: its metrics, its messages, and no staged files that nobody needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from airflow_provider_etl.compat import Context, Stats
from airflow_provider_etl.operators.alarms import told_of
from airflow_provider_etl.operators.base import StagedOperator
from spark_jobs.sweeping import LocalStorage, sweep

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


_DROPPED: Final = ("filtered", "deduplicated", "quarantined")


class FinishOperator(StagedOperator):
    """End a run, however it went; as a teardown it never decides the run's state.

    Args:
        staged: what the load returned: `load.output`; nothing, where it didn't load.
    """

    verbs: ClassVar[tuple[str, ...]] = ()
    operator_extra_links = ()

    def execute(self, context: Context) -> dict[str, Any]:
        """Emit the metrics, tell people, sweep what dead attempts have staged.

        Returns:
            `windows`, `loaded`, and the sums of their counts.
        """
        pipeline = self.read()
        reports = [self.staged] if isinstance(self.staged, Mapping) else list(self.staged or [])
        return finish(pipeline, reports, context, self._say)


def finish(pipeline: Pipeline, reports: Sequence[Mapping[str, Any]], context: Context, say: Any) -> dict[str, Any]:
    """What every run ends with; see `FinishOperator`."""
    totals = Counter({"read": 0, **dict.fromkeys(_DROPPED, 0), "inserted": 0})
    for report in reports:
        counts = _counts(pipeline, report)
        _emit(pipeline.name, report, counts)
        totals.update(counts)
    if not reports:
        Stats.incr(f"etl.{pipeline.name}.runs.not_loaded")
    told_of(reports, context, pipeline.notify, pipeline.name)
    swept = _swept(pipeline)
    counted = ", ".join(f"{number:,} {key}" for key, number in totals.items())
    say(f"[etl] finish: {len(reports)} windows loaded ({counted}), {swept} dead attempts swept")
    return {"windows": len(reports), "loaded": bool(reports), **totals}


def _counts(pipeline: Pipeline, report: Mapping[str, Any]) -> dict[str, int]:
    """Rows read by the sources, dropped on the way by all datasets, and inserted by all loads."""
    datasets, loads = report["datasets"], report["loads"].values()
    read = sum(int(datasets[name]["read"]) for name in pipeline.extract if name in datasets)
    dropped = {key: sum(int(counts[key]) for counts in datasets.values()) for key in _DROPPED}
    return {"read": read, **dropped, "inserted": sum(int(load["rows_inserted"]) for load in loads)}


def _emit(pipeline: str, report: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """One run's metrics: `etl.PIPELINE.rows.read`, `.seconds.load`, `.checks.failed`, `.runs.loaded` and the like."""
    begin = f"etl.{pipeline}"
    Stats.incr(f"{begin}.runs.{report['state']}")
    for key, number in counts.items():
        Stats.gauge(f"{begin}.rows.{key}", number)
    for step, seconds in report["seconds"].items():
        Stats.gauge(f"{begin}.seconds.{step}", seconds)
    failed = sum(not check["success"] for check in report["checks"])
    Stats.gauge(f"{begin}.checks.failed", failed)


def _swept(pipeline: Pipeline) -> int:
    """Staged runs that were removed; where staging is on remote storage, Spark sweeps it after each load."""
    storage = LocalStorage.at(pipeline.environment.staging)
    hours = pipeline.engine.retention / timedelta(hours=1)
    return sweep(storage, f"{pipeline.environment.staging}/{pipeline.id}", hours) if storage else 0
