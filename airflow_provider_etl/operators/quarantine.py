"""Windows that have rows set aside, run again as a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from airflow_provider_etl.compat import AirflowException, AirflowFailException, AirflowSkipException, Context
from airflow_provider_etl.operators.base import EtlOperator
from airflow_provider_etl.operators.events import emit
from airflow_provider_etl.operators.submitting import ReportJson, digest
from airflow_provider_etl.unrun import unrun
from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError
from spark_jobs.plan import VERBS, Plan
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.hooks.quarantine import Wanted
    from airflow_provider_etl.spec import Pipeline

_FINAL = ("config", "data")  # kinds of errors that a retry can't help


class QuarantineReplayOperator(EtlOperator):
    """Run the windows again that have rows waiting in quarantine, as `airflow-etl quarantine replay` does.

    Every window is run whole, with the pipeline's file as it is now. One that fails keeps no other from its turn; the
    task fails after the last one.

    Args:
        pipeline: as for every operator.
        rule: only windows with rows that broke this rule; empty for any.
        dataset: only windows with rows that this source or dataset refused; empty for any.
        retryable: only windows with rows that may be accepted now though their source is as it was: they broke rules
            about other data, or the pipeline's file has changed since.
        limit: how many windows at most, from 1; None for all. Each run chooses anew, so that windows that fail every
            time keep no other from its turn; a retry of a run chooses as the run did.
        since: only windows that start no longer ago than this; None for all.
        fails: where a window fails, `any`: the task does; `all`: only where no other was loaded. Airflow sends events
            of a task that succeeds alone: with `all` those who wait for the table learn of the windows that were
            loaded, and the ones that failed are in the log and in what the task returns.
    """

    template_fields: Sequence[str] = ("environment", "rule", "dataset")
    verbs: ClassVar[tuple[str, ...]] = VERBS
    skipped: ClassVar[str] = "the rows wait in quarantine as they did: the next replay finds them"

    def __init__(  # noqa: PLR0913 - what a user may say of it
        self,
        *,
        pipeline: str | Mapping[str, Any],
        rule: str = "",
        dataset: str = "",
        retryable: bool = False,
        limit: int | None = None,
        since: timedelta | None = None,
        fails: Literal["any", "all"] = "any",
        **kwargs: Any,
    ) -> None:
        super().__init__(pipeline=pipeline, **kwargs)
        if limit is not None and limit < 1:
            raise ConfigError(f"limit is {limit}", where=self.task_id, expected="windows a run: 1 or more, or None")
        if fails not in {"any", "all"}:
            raise ConfigError(f"fails is {fails!r}", where=self.task_id, expected="any or all")
        self.rule, self.dataset, self.retryable, self.limit, self.since = rule, dataset, retryable, limit, since
        self.fails = fails

    def execute(self, context: Context) -> dict[str, Any]:
        """Run them.

        Returns:
            `windows`, a list of {window, state, before, waiting, again, error}: rows that waited before and wait now,
            and those of them that were refused again.

        Raises:
            AirflowFailException: configuration or data are wrong; a retry can't help.
            AirflowException: resources or infrastructure failed; Airflow may try again.
        """
        from airflow_provider_etl.aside.replay import outcome, told

        self._planned, self._told = (), ()
        wanted = self._wanted_rows()
        try:
            self._pipeline = self.read()
            pipeline = self._pipeline.with_params(context.get("params") or {})
            before = self._waiting(context, pipeline, wanted)
            reports = self._replayed(context, pipeline, list(before))
            outcomes = [outcome(pipeline, window, rows, reports[window], wanted) for window, rows in before.items()]
        except EtlError as error:
            kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
            raise kind(str(error)) from None
        emit(context, list(reports.values()), [f"{pipeline.id}.{load}" for load in pipeline.load])
        for line in told(outcomes) if outcomes else ("[etl] no row waits",):
            self._say(line)
        failed = [item["error"] for item in outcomes if item["state"] == "failed"]
        if self.fails == "any" or len(failed) == len(outcomes):
            self._refuse_failed(failed, len(outcomes))
        return {"windows": outcomes}

    def _wanted_rows(self) -> Wanted:
        from airflow_provider_etl.hooks.quarantine import Wanted

        first = None if self.since is None else datetime.now(UTC) - self.since
        return Wanted(rule=self.rule, dataset=self.dataset, first=first)

    def _waiting(self, context: Context, pipeline: Pipeline, wanted: Wanted) -> dict[Window, int]:
        """The windows of this run's turn, in their order, with how many of their rows wait."""
        from airflow_provider_etl.aside.replay import waiting

        found = waiting(pipeline, wanted, hopeful=self.retryable)
        for window in list(found):
            reason = pipeline.skipped(window)
            if reason:
                self._say(f"[etl]   {window.key}: left out (skip_if), {found.pop(window):,} rows wait: {reason}")
        turn = sorted(found, key=lambda window: digest(context["run_id"], window))[: self.limit]
        return {window: found[window] for window in sorted(turn)}

    def _replayed(self, context: Context, pipeline: Pipeline, windows: Sequence[Window]) -> dict[Window, ReportJson]:
        """Each window's report; after one that fails, the rest goes on in another application."""
        from airflow_provider_etl.aside.replay import attempted

        def planned(of: Pipeline, window: Window) -> Plan:
            return of.plan(window, self._attempt(context, of, window, None))

        found = {window: attempted(pipeline, window, planned) for window in windows}
        plans = {window: plan for window, plan in found.items() if isinstance(plan, Plan)}
        reports = {window: report for window, report in found.items() if not isinstance(report, Plan)}
        unplanned = len(reports)
        while plans:
            try:
                reports |= zip(plans, self._reports(context, pipeline.engine, list(plans.values())), strict=False)
            except (InfrastructureError, AirflowSkipException) as error:
                if len(reports) == unplanned:  # no application has run: the task's end says why
                    raise
                # A breaker has opened since: what is loaded is told all the same, the rest is the next replay's.
                why = InfrastructureError(str(error))
                return reports | {window: unrun(pipeline, window, why) for window in plans}
            plans = {window: plan for window, plan in plans.items() if window not in reports}
        return reports

    @staticmethod
    def _refuse_failed(errors: Sequence[Mapping[str, str] | None], windows: int) -> None:
        if errors:
            kinds = {str((error or {}).get("kind")) for error in errors}
            kind = AirflowFailException if kinds <= set(_FINAL) else AirflowException
            first = (errors[0] or {}).get("message", "it didn't say why")
            raise kind(f"{len(errors)} of {windows} windows failed, the first: {first}")
