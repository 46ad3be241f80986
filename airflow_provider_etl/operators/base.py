"""What the operators share: from context to plan, from plan to engine, from report to XCom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_etl.compat import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    BaseOperator,
    Context,
    asset_triggered,
    cleared,
    first_try,
    generation,
)
from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.application import Application, failure
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.hooks.connections import connections_of
from airflow_provider_etl.hooks.ledger import already_done, newest_attempt
from airflow_provider_etl.operators.data_docs import note
from airflow_provider_etl.operators.events import emit
from airflow_provider_etl.operators.source import read_pipeline
from airflow_provider_etl.operators.windows import reprocessing, windows_of
from spark_jobs.errors import ConfigError, DataError, EtlError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_etl.breaker.guard import Guard
    from airflow_provider_etl.spec import Pipeline

ReportJson = dict[str, Any]


class EtlOperator(BaseOperator):
    """One or more verbs of a pipeline, in one Spark application, however many windows the run has.

    Args:
        pipeline: path of a pipeline file, searched from the DAG's file upwards; or a mapping in the same language.
        environment: name or path of an environment; by default `[etl] environment`.
        pipeline_name: what a pipeline given as a mapping is called; by default the DAG's id.

    In a DAG that assets start, give the first task these assets as `inlets` too: so it finds the events that Airflow
    overlooks (`compat.triggering_extras`).
    """

    template_fields: Sequence[str] = ("environment",)
    verbs: ClassVar[tuple[str, ...]] = ()
    skipped: ClassVar[str] = ""
    """What a task leaves behind that an open breaker skips; empty: a window that a backfill finds."""
    staged: Any = None
    _application: Application | None = None
    _pipeline: Pipeline | None = None
    _killed: bool = False
    _planned: Sequence[Plan] = ()
    _told: Sequence[ReportJson] = ()

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
        self._planned, self._told = (), ()
        try:
            self._pipeline = self.read()
            pipeline = self._pipeline.with_params(context.get("params") or {})
            work = [self._window(context, pipeline, *item) for item in self._work(context, pipeline)]
            try:
                reports = self._submit(pipeline.engine.kind, work)
            finally:
                note(context, pipeline, self._told)
        except EtlError as error:
            kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
            raise kind(str(error)) from None
        if "load" in self.verbs:
            emit(context, reports)
        return reports[0] if len(reports) == 1 else reports

    def on_kill(self) -> None:
        """End the Spark application, whatever it does; a second signal ends it by force."""
        self._killed = True
        if self._application is not None:
            self._application.cancel()

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage:  # noqa: ARG002 - its name
        """What OpenLineage's listener asks for where it is switched on, and after a failure too."""
        from airflow_provider_etl.operators.lineage import lineage_of

        return lineage_of(self._planned, self._told)

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
        known = [newest_attempt(pipeline, window), told["number"]]
        return Attempt(
            number=attempt_number(pipeline.fingerprint, max((n for n in known if n is not None), default=None)),
            # What was staged is part of it: rows extracted anew aren't the ones that an earlier try has published.
            token=digest(*who, pipeline.fingerprint, window, told["number"]),
            run=digest(self.dag_id, context["run_id"], window)[:12],
            since=told["since"],
        )

    def _submit(self, engine: str, work: Sequence[Plan | ReportJson]) -> list[ReportJson]:
        """Run the plans in one application; the reports of all windows, in their order.

        Raises:
            EtlError: one failed; those before it are loaded, and a retry finds their commits.
        """
        plans = [item for item in work if isinstance(item, Plan)]
        done = iter(self._run(engine, plans) if plans else [])
        return [next(done) if isinstance(item, Plan) else item for item in work]

    def _run(self, engine: str, plans: Sequence[Plan]) -> list[ReportJson]:
        reports = self._reports(engine, plans)
        error = failure(reports[-1])
        if error is not None:
            raise error
        return reports

    def _reports(self, engine: str, plans: Sequence[Plan]) -> list[ReportJson]:
        """Run plans up to the first that fails, whose report is then the last one."""
        one = plans[0] if len(plans) == 1 else None
        token = one.attempt.token if one else digest(*(plan.attempt.token for plan in plans))
        asked = one.to_json() if one else [plan.to_json() for plan in plans]
        job = Job(token=token, plan=asked, connections=connections_of(plans))
        guard = self._guard(plans, token)
        self._application = Application(engine_of(engine), job)
        if self._killed:
            self._application.cancel()
        told = self._application.run(self._say)
        reports = [told] if one else list(told)
        if guard is not None:
            breakers = guard.note(reports[-1])
            reports = [report | {"breakers": breakers} for report in reports]
        self._planned = [*self._planned, *plans[: len(reports)]]
        self._told = [*self._told, *reports]
        return list(reports)

    def _guard(self, plans: Sequence[Plan], token: str) -> Guard | None:
        """The breakers of the sources, which let this task through; None where they have none.

        Raises:
            AirflowSkipException: one is open, and says that the task is skipped then.
            InfrastructureError: one is open.
        """
        defaults = self._pipeline.environment.breakers if self._pipeline else {}
        if not defaults and not any(getattr(kind, "breaker", None) for plan in plans for kind in plan.extract.values()):
            return None
        from airflow_provider_etl.breaker.guard import guard_of

        hint = {"hint": self.skipped} if self.skipped else {}
        guard = guard_of(plans, defaults, token, self._say, **hint)
        if guard is not None:
            guard.admit()
        return guard

    def _say(self, line: str) -> None:
        # Lines go to the log the moment they come; %s, since a line may hold a per cent sign.
        (self.log.error if line.startswith("[etl] error") else self.log.info)("%s", line)


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


def digest(*parts: object) -> str:
    """A hex digest of parts, told apart however they are cut."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
