"""Windows that have rows set aside, run again as a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_etl.compat import AirflowException, AirflowFailException, Context
from airflow_provider_etl.operators.base import EtlOperator, ReportJson
from airflow_provider_etl.operators.events import emit
from spark_jobs.errors import ConfigError, DataError, EtlError
from spark_jobs.plan import VERBS
from spark_jobs.window import Window

if TYPE_CHECKING:
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
        limit: how many windows at most, the oldest first; None for all.
    """

    template_fields: Sequence[str] = ("environment", "rule", "dataset")
    verbs: ClassVar[tuple[str, ...]] = VERBS

    def __init__(
        self,
        *,
        pipeline: str | Mapping[str, Any],
        rule: str = "",
        dataset: str = "",
        retryable: bool = False,
        limit: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pipeline=pipeline, **kwargs)
        self.rule, self.dataset, self.retryable, self.limit = rule, dataset, retryable, limit

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

        try:
            self._pipeline = self.read()
            pipeline = self._pipeline.with_params(context.get("params") or {})
            before = self._waiting(pipeline)
            reports = dict(self._replayed(context, pipeline, list(before)))
            outcomes = [outcome(pipeline, window, before[window], report) for window, report in reports.items()]
        except EtlError as error:
            kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
            raise kind(str(error)) from None
        emit(context, list(reports.values()))
        for line in told(outcomes) if outcomes else ("[etl] no row waits",):
            self._say(line)
        self._refuse_failed([item["error"] for item in outcomes if item["state"] == "failed"], len(outcomes))
        return {"windows": outcomes}

    def _waiting(self, pipeline: Pipeline) -> dict[Window, int]:
        from airflow_provider_etl.aside.replay import waiting
        from airflow_provider_etl.hooks.quarantine import Wanted

        found = waiting(pipeline, Wanted(rule=self.rule, dataset=self.dataset), hopeful=self.retryable)
        kept = [window for window in found if pipeline.skipped(window) is None]
        return {window: found[window] for window in kept[: self.limit]}

    def _replayed(
        self, context: Context, pipeline: Pipeline, windows: Sequence[Window]
    ) -> Iterator[tuple[Window, ReportJson]]:
        """Each window with its report; after one that fails, the rest goes on in another application."""
        plans = [pipeline.plan(window, self._attempt(context, pipeline, window, None)) for window in windows]
        while plans:
            reports = self._reports(pipeline.engine.kind, plans)
            yield from zip(windows, reports, strict=False)
            plans, windows = plans[len(reports) :], windows[len(reports) :]

    @staticmethod
    def _refuse_failed(errors: Sequence[Mapping[str, str] | None], windows: int) -> None:
        if errors:
            kinds = {str((error or {}).get("kind")) for error in errors}
            kind = AirflowFailException if kinds <= set(_FINAL) else AirflowException
            first = (errors[0] or {}).get("message", "it didn't say why")
            raise kind(f"{len(errors)} of {windows} windows failed, the first: {first}")
