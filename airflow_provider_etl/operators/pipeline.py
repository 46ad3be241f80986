"""All four verbs as one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from airflow_provider_etl.compat import AirflowRescheduleException, Context, TaskDeferred
from airflow_provider_etl.operators.base import EtlOperator
from airflow_provider_etl.operators.data_docs import DataDocsLink
from airflow_provider_etl.operators.finish import finish
from airflow_provider_etl.operators.links import LINKS, TableLink
from airflow_provider_etl.operators.submitting import ReportJson
from spark_jobs.plan import VERBS


class PipelineOperator(EtlOperator):
    """Run all four verbs in one Spark application: nothing is staged but the result. It finishes its run itself."""

    verbs: ClassVar[tuple[str, ...]] = VERBS
    operator_extra_links = (DataDocsLink(), *LINKS, TableLink())

    def _concluded(self, context: Context, obtain: Callable[[], list[ReportJson]]) -> ReportJson | list[ReportJson]:
        """As every operator; then what `FinishOperator` does for a staged run."""
        try:
            told = super()._concluded(context, obtain)
        except (TaskDeferred, AirflowRescheduleException):  # it goes on later
            raise
        except BaseException:
            self._end([], context)
            raise
        self._end([told] if isinstance(told, Mapping) else told, context)
        return told

    def _end(self, reports: list[dict[str, Any]], context: Context) -> None:
        """Finish; what goes wrong here must not hide what went wrong before, nor undo what was loaded."""
        try:
            finish(self._pipeline or self.read(), reports, context, self._say)
        except Exception:
            self.log.exception("[etl] error: the run's end: metrics, messages, staged files")
