"""What the operators share before Spark is asked: from context to plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.compat import (
    AirflowRescheduleException,
    AirflowSkipException,
    Context,
    asset_triggered,
    cleared,
    first_try,
    generation,
)
from airflow_provider_etl.hooks.ledger import already_done, newest_attempt
from airflow_provider_etl.operators.source import read_pipeline
from airflow_provider_etl.operators.submitting import ReportJson, SubmittingOperator, digest
from airflow_provider_etl.operators.windows import reprocessing, windows_of
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


class EtlOperator(SubmittingOperator):
    """One or more verbs of a pipeline, in one Spark application, however many windows the run has.

    Args:
        pipeline: path of a pipeline file, searched from the DAG's file upwards; or a mapping in the same language.
        environment: name or path of an environment; by default `[etl] environment`.
        pipeline_name: what a pipeline given as a mapping is called; by default the DAG's id.
        deferrable: as for `SubmittingOperator`.

    In a DAG that assets start, give the first task these assets as `inlets` too: so it finds the events that Airflow
    overlooks (`compat.triggering_extras`).
    """

    template_fields: Sequence[str] = ("environment",)
    staged: Any = None

    def __init__(
        self,
        *,
        pipeline: str | Mapping[str, Any],
        environment: str | None = None,
        pipeline_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.environment = environment
        self.pipeline_name = pipeline_name

    def execute(self, context: Context) -> ReportJson | list[ReportJson]:
        """Run the verbs for each window of the run, one after the other.

        Returns:
            The report (JSON), or a list of them where the run has several windows.

        Raises:
            AirflowFailException: configuration or data are wrong; a retry can't help.
            AirflowException: resources or infrastructure failed; Airflow may try again.
        """
        return self._concluded(context, lambda: self._begun(context))

    def _begun(self, context: Context) -> list[ReportJson]:
        self._pipeline = self.read()
        pipeline = self._pipeline.with_params(context.get("params") or {})
        work = [self._window(context, pipeline, *item) for item in self._work(context, pipeline)]
        return self._submit(context, pipeline.engine, work)

    def read(self, environment: str | None = None) -> Pipeline:
        """The pipeline as it is in its file now.

        Args:
            environment: name or path that is used in place of the operator's own.

        Raises:
            ConfigError: there is no such file, or it has errors: all of them are in the message.
        """
        chosen = environment or self.environment or None
        return read_pipeline(self.pipeline, name=self._name(), dag_file=self.dag.fileloc, environment=chosen)

    def _name(self) -> str:
        """What a pipeline given as a mapping is called: its tables' ledgers, staging and quarantine go by that name.

        Raises:
            ConfigError: the DAG has another mapping of that name; they would take each other's windows for their own.
        """
        name = self.pipeline_name or self.dag_id
        for task in self.dag.tasks if isinstance(self.pipeline, Mapping) else ():
            same = isinstance(task, EtlOperator) and (task.pipeline_name or task.dag_id) == name
            if same and isinstance(task.pipeline, Mapping) and task.pipeline != self.pipeline:
                raise ConfigError(
                    f"tasks {task.task_id} and {self.task_id} have different pipelines of one name, {name!r}",
                    where=self.dag_id,
                    remedy="give each a pipeline_name of its own",
                )
        return name

    def _work(self, context: Context, pipeline: Pipeline) -> list[tuple[Window, ReportJson | None]]:
        """(window, report of the verb before) for each window."""
        if "extract" in self.verbs:
            return [(window, None) for window in self._wanted(windows_of(context, pipeline), pipeline)]
        before: Any = [self.staged] if isinstance(self.staged, Mapping) else self.staged
        if not before or not all(isinstance(report, Mapping) and "window" in report for report in before):
            raise ConfigError(
                f"staged is {self.staged!r:.80}",
                where=self.task_id,
                expected="what the task before returned, such as extract.output",
                remedy="clear that task too",
            )
        return [(Window.from_json(report["window"]), report) for report in before]

    def _wanted(self, windows: Sequence[Window], pipeline: Pipeline) -> list[Window]:
        """The windows that aren't left out.

        Raises:
            AirflowSkipException: all are.
        """
        reasons = {window: pipeline.skipped(window) for window in windows}
        for window, reason in reasons.items():
            if reason:
                self._say(f"[etl] {pipeline.name} {window}: skipped, since {reason}")
        kept = [window for window in windows if not reasons[window]]
        if not kept:
            raise AirflowSkipException("; ".join(f"{window}: {reason}" for window, reason in reasons.items()))
        return kept

    def _window(
        self, context: Context, pipeline: Pipeline, window: Window, before: ReportJson | None
    ) -> Plan | ReportJson:
        """What to do for a window; or the report, where there is nothing to do."""
        if before is not None and before["state"] == "skipped":
            return self._pass_on(context, before)
        if before is not None and before["fingerprint"] != pipeline.fingerprint:
            raise ConfigError(
                f"{pipeline.path or pipeline.name} was changed after the rows of this run were staged",
                where=self.task_id,
                expected=f"fingerprint {before['fingerprint']:.12}, found {pipeline.fingerprint:.12}",
                remedy="clear the run from its extract task on",
            )
        if before is None:
            self._await_settled(pipeline, window)
        attempt = self._attempt(context, pipeline, window, before)
        if before is None and first_try(context) and not asset_triggered(context) and not reprocessing(context):
            done = already_done(pipeline, window, attempt)
            if done is not None:
                self._say(f"[etl] {pipeline.name} {window}: loaded before, with this same configuration")
                return done.to_json()
        return pipeline.plan(window, attempt, verbs=self.verbs, previous=before)

    def _await_settled(self, pipeline: Pipeline, window: Window) -> None:
        """Free the worker until all sources may be read; Spark needn't be started to find that out."""
        from airflow_provider_etl.spec.settling import ready

        instant = ready(pipeline.extract, window)
        if instant > window.end and instant > datetime.now(UTC):
            self._say(f"[etl] {pipeline.name} {window}: waiting until it has settled, at {iso(instant)}")
            raise AirflowRescheduleException(instant)

    def _pass_on(self, context: Context, before: ReportJson) -> ReportJson:
        """Nothing was staged, since the tables held the window: nothing to do, unless this task was cleared alone."""
        if not cleared(context):
            return before
        raise ConfigError(
            "nothing is staged: the extract task found the window loaded already",
            where=self.task_id,
            remedy="clear the extract task too: cleared, it always runs",
        )

    def _attempt(self, context: Context, pipeline: Pipeline, window: Window, before: ReportJson | None) -> Attempt:
        ti = context["ti"]
        told: Mapping[str, Any] = before["attempt"] if before else {"number": None, "since": 0}
        who = (self.dag_id, self.task_id, context["run_id"], ti.map_index, generation(context))
        known = [newest_attempt(pipeline, window, again=not first_try(context)), told["number"]]
        return Attempt(
            number=attempt_number(pipeline.fingerprint, max((n for n in known if n is not None), default=None)),
            # What was staged is part of it: rows extracted anew aren't the ones that an earlier try has published.
            token=digest(*who, pipeline.fingerprint, window, told["number"]),
            run=digest(self.dag_id, context["run_id"], window)[:12],
            since=told["since"],
        )


class StagedOperator(EtlOperator):
    """A verb that goes on with what the verb before it staged.

    Args:
        staged: what the task before returned: `extract.output`.
    """

    template_fields: Sequence[str] = ("staged", "environment")

    def __init__(
        self,
        *,
        pipeline: str | Mapping[str, Any],
        staged: Any,
        environment: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pipeline=pipeline, environment=environment, **kwargs)
        self.staged = staged
