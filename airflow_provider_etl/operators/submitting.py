"""From plans to reports: submit, wait here or in the triggerer, and do the same with the reports whichever it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from airflow_provider_etl.compat import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
    Context,
    defers_by_default,
    generation,
)
from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.application import Application, error_of, failure
from airflow_provider_etl.engines.base import Detached, Handle, Job, is_detached
from airflow_provider_etl.hooks.connections import connections_of
from airflow_provider_etl.operators.data_docs import note
from airflow_provider_etl.operators.events import emit
from airflow_provider_etl.operators.links import LINKS, note_job, note_table
from airflow_provider_etl.operators.memory import TaskMemory
from airflow_provider_etl.operators.telling import with_lineage
from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_etl.breaker.guard import Guard
    from airflow_provider_etl.spec import Pipeline
    from airflow_provider_etl.spec.engines import Engine

ReportJson = dict[str, Any]
_GRACE: Final = timedelta(minutes=10)  # for a triggerer that is away when the time is up


class SubmittingOperator(BaseOperator):
    """What hands plans to an engine.

    Args:
        deferrable: whether the task waits in the triggerer, and frees its worker, where the engine's jobs outlive it.
            None: as `[operators] default_deferrable` says. Where Spark runs beside the task it means nothing.
    """

    operator_extra_links: Collection[Any] = LINKS
    verbs: ClassVar[tuple[str, ...]] = ()
    skipped: ClassVar[str] = ""
    """What a task leaves behind that an open breaker skips; empty: a window that a backfill finds."""
    _application: Application | None = None
    _pipeline: Pipeline | None = None
    _killed: bool = False
    _planned: Sequence[Plan] = ()
    _told: Sequence[ReportJson] = ()

    def __init__(self, *, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable
        self.addresses_left: dict[str, str] | None = {}

    # -- around an application ------------------------------------------------------------------------------------

    def _concluded(self, context: Context, obtain: Callable[[], list[ReportJson]]) -> ReportJson | list[ReportJson]:
        """What follows the reports: links, errors that say whether a retry helps, events, XCom."""
        self._planned, self._told = (), ()
        try:
            try:
                reports = obtain()
            finally:
                if self._pipeline is not None:
                    note(context, self._pipeline, self._told)
                    note_table(context, self._told)
        except EtlError as error:
            kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
            raise kind(str(error)) from None
        if "load" in self.verbs:
            emit(context, reports)
        return reports[0] if len(reports) == 1 else reports

    def read(self, environment: str | None = None) -> Pipeline:
        """The pipeline."""
        raise NotImplementedError

    def on_kill(self) -> None:
        """End the Spark application, whatever it does; a second signal ends it by force."""
        self._killed = True
        if self._application is not None:
            try:
                self._application.cancel()
            except EtlError as error:  # we are in a signal's handler: whoever waits for the job is told there
                self._say(f"[etl] error: the job couldn't be ended, and may still run: {error}")

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage:  # noqa: ARG002 - its name
        """What OpenLineage's listener asks for where it is switched on, and after a failure too."""
        from airflow_provider_etl.operators.lineage import lineage_of

        return lineage_of(self._planned, self._told)

    # -- submitting -----------------------------------------------------------------------------------------------

    def _submit(self, context: Context, engine: Engine, work: Sequence[Plan | ReportJson]) -> list[ReportJson]:
        """Run the plans in one application; the reports of all windows, in their order.

        Raises:
            EtlError: one failed; those before it are loaded, and a retry finds their commits.
            TaskDeferred: the triggerer waits for it.
        """
        plans = [item for item in work if isinstance(item, Plan)]
        done = [None if isinstance(item, Plan) else item for item in work]
        if not plans:
            return [item for item in done if item is not None]
        if self._defers(engine):
            self._defer(context, engine, plans, done)
        return _filled(done, self._succeeded(self._reports(context, engine, plans)))

    def _succeeded(self, reports: list[ReportJson]) -> list[ReportJson]:
        error = failure(reports[-1])
        if error is not None:
            raise error
        return reports

    def _reports(self, context: Context, engine: Engine, plans: Sequence[Plan]) -> list[ReportJson]:
        """Run plans up to the first that fails, whose report is then the last one."""
        guard, self._application = self._prepared(context, engine, plans)
        told = self._application.run(self._say)
        return self._noted(guard, plans, told if isinstance(told, list) else [told])

    def _prepared(self, context: Context, engine: Engine, plans: Sequence[Plan]) -> tuple[Guard | None, Application]:
        told = [plan.to_json() for plan in plans]
        if engine.options():
            told = [with_lineage(context, plan, self._say) for plan in told]
        asked = told[0] if len(told) == 1 else told
        token = _shared_token(plans)
        job = Job(token=token, plan=asked, connections=connections_of(plans), owner=self._owner(context))
        guard = self._guard(plans, token)
        memory = TaskMemory(context, engine.kind, engine.options(), self._say)
        application = Application(engine_of(engine.kind, engine.options()), job, memory)
        if guard is not None and not application.lives_on():  # what runs already isn't skipped
            guard.admit()
        if self._killed:
            application.cancel()
        return guard, application

    def _owner(self, context: Context) -> str:
        return digest(self.dag_id, self.task_id, context["run_id"], context["ti"].map_index)

    def _noted(self, guard: Guard | None, plans: Sequence[Plan], reports: Sequence[ReportJson]) -> list[ReportJson]:
        if guard is not None:
            breakers = guard.note(reports[-1])
            reports = [report | {"breakers": breakers} for report in reports]
        self._planned = [*self._planned, *plans[: len(reports)]]
        self._told = [*self._told, *reports]
        return list(reports)

    def _guard(self, plans: Sequence[Plan], token: str) -> Guard | None:
        """The breakers of the sources; None where they have none."""
        defaults = self._pipeline.environment.breakers if self._pipeline else {}
        if not defaults and not any(getattr(kind, "breaker", None) for plan in plans for kind in plan.extract.values()):
            return None
        from airflow_provider_etl.breaker.guard import guard_of

        hint = {"hint": self.skipped} if self.skipped else {}
        return guard_of(plans, defaults, token, self._say, **hint)

    # -- waiting in the triggerer ---------------------------------------------------------------------------------

    def _defers(self, engine: Engine) -> bool:
        wanted = defers_by_default() if self.deferrable is None else self.deferrable
        lives_on = bool(engine.options())
        if self.deferrable and not lives_on:
            self._say(f"[etl] deferrable means nothing here: a Spark of engine {engine.name} ends with its task")
        return wanted and lives_on

    def _defer(
        self, context: Context, engine: Engine, plans: Sequence[Plan], done: list[ReportJson | None]
    ) -> NoReturn:
        """Submit, and free the worker.

        Raises:
            TaskDeferred: always.
        """
        from airflow_provider_etl.triggers.job import JobTrigger

        _, self._application = self._prepared(context, engine, plans)
        handle = self._application.begin(self._say).to_json()
        at = {"kind": engine.kind, "options": engine.options()}
        limit = self.execution_timeout
        end = datetime.now(UTC) + limit if limit is not None else None
        trigger = JobTrigger(engine=at, handle=handle, end=end.isoformat() if end else None)
        self._say("[etl] deferred: the triggerer waits for the job")
        self.defer(
            trigger=trigger,
            method_name="execute_complete",
            kwargs={"job": {"engine": at, "handle": handle, "done": done}},
            timeout=limit + _GRACE if limit is not None else None,
        )
        raise AssertionError("defer raises")

    def execute_complete(
        self, context: Context, event: Mapping[str, Any], job: Mapping[str, Any]
    ) -> ReportJson | list[ReportJson]:
        """Go on where the triggerer saw the job's end: exactly as a task that has waited itself.

        Args:
            context: the task's.
            event: `state`: `ended`, `late`, or `lost` with `kind` and `message`.
            job: what the task left when it was deferred.
        """
        self.addresses_left = None  # another process has left some before it waited
        return self._concluded(context, lambda: self._resumed(context, event, job))

    def _resumed(self, context: Context, event: Mapping[str, Any], job: Mapping[str, Any]) -> list[ReportJson]:
        engine, handle = engine_of(**job["engine"]), Handle.from_json(job["handle"])
        if not is_detached(engine):
            raise ConfigError(f"engine {job['engine']['kind']} can't be asked for another task's job", where="engine")
        if event["state"] == "late":
            engine.cancel(handle)
            raise InfrastructureError(
                f"job {handle.id} took longer than the task's execution_timeout, and was cancelled",
                where=self.task_id,
                remedy="raise the pipeline's timeout, or give the engine more",
            )
        if event["state"] == "lost":
            error = error_of(event["kind"], event["message"])
            if not isinstance(error, InfrastructureError):  # no retry will ask for the job
                self._give_up(engine, handle)
            raise error
        self._pipeline = self.read()
        note_job(context, engine.links(handle))
        asked, told = engine.plan(handle), engine.report(handle)
        plans = [Plan.from_json(item) for item in (asked if isinstance(asked, list) else [asked])]
        guard = self._guard(plans, _shared_token(plans))
        reports = self._noted(guard, plans, told if isinstance(told, list) else [told])
        return _filled(job["done"], self._succeeded(reports))

    def _give_up(self, engine: Detached, handle: Handle) -> None:
        try:
            engine.cancel(handle)
        except EtlError as error:
            self._say(f"[etl] error: job {handle.id} couldn't be ended, and may still run: {error}")

    def _say(self, line: str) -> None:
        # Lines go to the log the moment they come; %s, since a line may hold a per cent sign.
        (self.log.error if line.startswith("[etl] error") else self.log.info)("%s", line)


def _filled(done: Sequence[ReportJson | None], reports: Sequence[ReportJson]) -> list[ReportJson]:
    """The reports of all windows, in their order."""
    ran = iter(reports)
    return [next(ran) if item is None else item for item in done]


def _shared_token(plans: Sequence[Plan]) -> str:
    """The token of an application that runs these plans."""
    return plans[0].attempt.token if len(plans) == 1 else digest(*(plan.attempt.token for plan in plans))


def token_of(context: Context, *parts: object) -> str:
    """A token: the same for every try of one generation of a task."""
    ti = context["ti"]
    return digest(ti.dag_id, ti.task_id, context["run_id"], ti.map_index, generation(context), *parts)


def digest(*parts: object) -> str:
    """A hex digest of parts, told apart however they are cut."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
