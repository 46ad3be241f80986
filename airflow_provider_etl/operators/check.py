"""The verb `check` as a task: of a pipeline's staged rows, or alone on any table that a source can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_etl.compat import AirflowException, AirflowFailException, Context
from airflow_provider_etl.operators.base import StagedOperator
from airflow_provider_etl.operators.data_docs import DataDocsLink
from airflow_provider_etl.operators.links import LINKS
from airflow_provider_etl.operators.submitting import ReportJson, digest, token_of
from spark_jobs.errors import ConfigError, DataError, EtlError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


class CheckOperator(StagedOperator):
    """Answer the checks over the staged rows; rows that fail a check with `on_fail: quarantine` are set aside.

    Without `pipeline` and `staged`, and with `source` and `checks` in their place, it checks what the source reads, in
    any DAG: nothing is loaded, so nothing can be set aside. They are read when the DAG is parsed, by the rules of
    pipeline files.

    Args:
        pipeline, staged, environment, pipeline_name: as for every verb that goes on with what was staged.
        source: `{kind: options}`: what stands under `extract`, such as `{"table": {"path": "data/lake/orders"}}`. With
            no `window` of its own it is read whole; `bad_records` is `fail`.
        checks: what stands under `check`, such as `[{"not_null": ["id"]}]`.
        datasets: name -> `{kind: options}`: other data, for the checks that look at some (`references`).
        window: `START/END`, a template, for sources that read one; without it, `freshness` looks back from now.
        timezone: IANA name of the zone in which the window's ends are local where they have no offset.
        engine: a name from the environment file; by default its default.
    """

    template_fields: Sequence[str] = ("staged", "environment", "window")
    verbs: ClassVar[tuple[str, ...]] = ("check",)
    skipped: ClassVar[str] = "nothing is checked: say `when_open: fail` where that must not pass for a success"
    operator_extra_links = (DataDocsLink(), *LINKS)

    def __init__(  # noqa: PLR0913 - what a user may say of it
        self,
        *,
        pipeline: str | Mapping[str, Any] = "",
        staged: Any = None,
        source: Mapping[str, Any] | None = None,
        checks: Sequence[Any] | None = None,
        datasets: Mapping[str, Any] | None = None,
        window: str | None = None,
        timezone: str = "UTC",
        engine: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pipeline=pipeline, staged=staged, **kwargs)
        self.source = source
        self.checks = checks
        self.datasets = datasets
        self.window = window
        self.timezone = timezone
        self.engine = engine
        given = {bool(pipeline), staged is not None}, {source is not None, checks is not None}
        if given not in (({True}, {False}), ({False}, {True})):
            raise ConfigError(
                "it has neither a pipeline nor a source with checks, or parts of both",
                where=self.task_id,
                expected="pipeline= and staged=, or source= and checks=",
            )
        if source is not None and "{{" not in str(self.environment or ""):
            self.question()

    def question(self) -> Pipeline:
        """The source and the checks as a pipeline that loads nothing.

        Raises:
            ConfigError: they have errors: all of them are in the message.
        """
        from airflow_provider_etl.operators.source import checked
        from airflow_provider_etl.spec.alone import Question, load_question

        asked = Question(
            source=self.source or {},
            checks=self.checks or (),
            datasets=self.datasets or {},
            window=self.window is not None,
            timezone=self.timezone,
            engine=self.engine,
        )
        dag = self.dag if self.has_dag() else None
        name = f"{dag.dag_id}.{self.task_id}" if dag else self.task_id
        folder = Path(dag.fileloc).resolve().parent if dag else Path.cwd()
        key = f"check-{digest(name)[:20]}"
        loaded = load_question(asked, name=name, key=key, environment=self.environment or None, base=folder)
        return checked(loaded, name, what="check")

    def execute(self, context: Context) -> ReportJson | list[ReportJson]:
        """As every operator; alone: ask the checks.

        Returns:
            Alone: `{state, window, rows, passed, failed, warned, checks}`; where a check fails that stops, it is in
            XCom too. No rows, no values of rows.

        Raises:
            AirflowFailException: a check failed that stops, or the configuration is wrong; a retry can't help.
            AirflowException: resources or infrastructure failed; Airflow may try again.
        """
        if self.source is None:
            return super().execute(context)
        try:
            return self._ask(context)
        except EtlError as error:
            kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
            raise kind(str(error)) from None

    def _ask(self, context: Context) -> ReportJson:
        from airflow_provider_etl.engines.application import failure
        from airflow_provider_etl.operators.answers import plan_of, results_of, table

        self._planned, self._told = (), ()
        pipeline = self._pipeline = self.question()
        plan = plan_of(pipeline, self.window, token_of(context, pipeline.fingerprint, self.window))
        self._await_settled(pipeline, plan.window)
        report = self._reports(context, pipeline.engine, [plan])[-1]
        found, error = results_of(report, self.window), failure(report)
        for line in table(found["checks"]):
            self._say(line)
        if error is not None:
            context["ti"].xcom_push("return_value", found)  # who is told of the failure finds what failed
            raise error
        return found
