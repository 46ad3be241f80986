"""A run's usage in its report, with what the last windows' say: nothing of it decides anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spark_jobs.advice import advice
from spark_jobs.failures import classify
from spark_jobs.plan import Plan
from spark_jobs.report import Report
from spark_jobs.usage import Meter
from spark_jobs.usage_kept import Kept, Local, Texts, name_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Metering:
    """Measures one application.

    Args:
        spark: a classic session.
        say: takes one line, where something went wrong.
    """

    def __init__(self, spark: SparkSession, say: Callable[[str], None]) -> None:
        self._spark, self._say = spark, say
        self._meter: Meter | None = None
        self._tried(self._start, "known")

    def end(self, plan: Plan, report: Report) -> None:
        """Tell what was needed, keep it where the run did its work, and say what the last windows' advise."""
        self._tried(lambda: self._told(plan, report), "known")
        self._tried(lambda: self._keep(plan, report), "kept for advice")

    def _start(self) -> None:
        self._meter = Meter(self._spark)

    def _told(self, plan: Plan, report: Report) -> None:
        if self._meter is not None:
            report.usage[name_of(plan.verbs)] = self._meter.usage().to_json() | {"advice": []}

    def _keep(self, plan: Plan, report: Report) -> None:
        name, failed = name_of(plan.verbs), _ran_out(report)
        usage = report.usage.get(name)
        if usage is None or plan.checks_alone or not (failed or _did_all(plan, report)):
            return
        kept = Kept(folder=plan.quarantine, pipeline=plan.id, storage=self._storage(plan.quarantine))
        window = {key: report.window[key] for key in ("start", "end")}
        figures = {key: value for key, value in usage.items() if key != "advice"}
        entry = {"window": window, "at": datetime.now(UTC).isoformat(timespec="seconds"), "failed": failed, **figures}
        usage["advice"] = advice(kept.add(name, entry))

    def _storage(self, folder: str) -> Texts:
        if "://" not in folder:
            return Local()
        from spark_jobs.session import Bucket, Storage

        return (Bucket if folder.startswith("s3a://") else Storage)(self._spark, folder)

    def _tried(self, work: Callable[[], None], what: str) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the run is what it is; the loss is told
            self._say(f"warning: what the run needed isn't {what}: {classify(error, 'usage')}")


def _did_all(plan: Plan, report: Report) -> bool:
    """Whether the work was done: one that found its own commit again has needed next to nothing, and says nothing."""
    return report.state != "failed" and plan.verbs[-1] in report.verbs


def _ran_out(report: Report) -> bool:
    """Whether it failed for want of memory: to forget that would make the others' peaks look like all there is."""
    error = report.error or {}
    return report.state == "failed" and error.get("kind") == "resource" and "memory" in str(error.get("message"))
