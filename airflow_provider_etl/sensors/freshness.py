"""The watch over a run's `freshness` where Airflow has no deadlines: a task that waits beside the verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from airflow_provider_etl.compat import (
    AirflowRescheduleException,
    BaseSensorOperator,
    Context,
    default_wait_mode,
    ended,
    noted_first,
    queued_at,
    triggerer_runs,
)
from airflow_provider_etl.operators.alarms import late, told_late
from airflow_provider_etl.operators.source import read_pipeline
from airflow_provider_etl.sensors.condition import span

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

# The run lasts until its watch has seen that its loads have ended. A look costs a query in the triggerer, and the start
# of a task without one.
_DEFERRED: Final = timedelta(seconds=5)
_RESCHEDULED: Final = timedelta(seconds=30)
# The trigger ends at the deadline; where the triggerer has died, Airflow ends the wait this later.
_GRACE: Final = timedelta(minutes=1)


class FreshnessSensor(BaseSensorOperator):
    """Wait until the tasks that load have ended; once the run is late, tell those who want to know `late`, and end.

    It succeeds either way, and holds no worker while it waits: it is deferred, or rescheduled where `[etl] wait_mode`
    says anything else or no triggerer runs.

    Args:
        pipeline: path of a pipeline file, searched from the DAG's file upwards; or a mapping in the same language.
        environment: name or path of an environment; by default `[etl] environment`.
        pipeline_name: what a pipeline given as a mapping is called; by default the DAG's id.
    """

    template_fields: Sequence[str] = ("environment",)
    ui_color: ClassVar[str] = "#e6f1f2"

    def __init__(
        self,
        *,
        pipeline: str | Mapping[str, Any],
        environment: str | None = None,
        pipeline_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(mode="reschedule", **kwargs)
        self.pipeline = pipeline
        self.environment = environment
        self.pipeline_name = pipeline_name

    def execute(self, context: Context) -> None:
        """Watch the run."""
        self._watch(context)

    def execute_complete(self, context: Context, event: Any) -> None:  # noqa: ARG002 - Airflow gives it
        """Look again: the trigger says only that it is worth it."""
        self._watch(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on where the trigger ended; where it has failed, or nobody ran it, wait without one."""
        if next_method == "__fail__":
            self.log.warning("[etl] the trigger has failed, or no triggerer runs: going on without one")
            return self._watch(context, deferrable=False)
        return super().resume_execution(next_method, next_kwargs, context)

    def _watch(self, context: Context, *, deferrable: bool = True) -> None:
        queued, freshness = queued_at(context), self._pipeline.freshness
        if ended(self.dag_id, str(context["run_id"]), self._loads):
            self.log.info("[etl] what loads has ended: nothing to watch")
        elif queued is None or freshness is None:
            self.log.info("[etl] the run was never queued, or the pipeline has no freshness: nothing to watch")
        elif datetime.now(UTC) < queued + freshness:
            self._wait(context, queued + freshness, deferrable=deferrable)
        elif noted_first(context, "etl.late"):
            late(self._pipeline.name, str(freshness), told_late(self._pipeline.notify), context)

    def _wait(self, context: Context, end: datetime, *, deferrable: bool) -> NoReturn:
        """Free the worker."""
        now = datetime.now(UTC)
        self.log.info("[etl] late in %s, unless %s ends before", span(end - now), ", ".join(self._loads))
        if not (deferrable and default_wait_mode() == "deferrable" and triggerer_runs()):
            raise AirflowRescheduleException(min(end, now + _RESCHEDULED))
        from airflow_provider_etl.triggers.freshness import FreshnessTrigger

        trigger = FreshnessTrigger(
            dag_id=self.dag_id,
            run_id=str(context["run_id"]),
            task_ids=self._loads,
            every=_DEFERRED.total_seconds(),
            end=end.isoformat(),
        )
        self.defer(trigger=trigger, method_name="execute_complete", timeout=end - now + _GRACE)
        raise AssertionError("defer raises")

    @cached_property
    def _loads(self) -> list[str]:
        """The tasks that load the pipeline."""
        tasks = [task for task in self.dag.tasks if "load" in getattr(task, "verbs", ())]
        return sorted(task.task_id for task in tasks if task.pipeline == self.pipeline)

    @cached_property
    def _pipeline(self) -> Pipeline:
        name = self.pipeline_name or self.dag_id
        return read_pipeline(self.pipeline, name=name, dag_file=self.dag.fileloc, environment=self.environment or None)
