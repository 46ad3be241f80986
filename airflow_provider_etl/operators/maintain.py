"""Upkeep of a pipeline's tables as a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from airflow_provider_etl.compat import AirflowException, AirflowFailException, Context
from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.application import Application, failure
from airflow_provider_etl.operators.base import EtlOperator
from airflow_provider_etl.operators.memory import TaskMemory
from airflow_provider_etl.operators.submitting import token_of
from spark_jobs.errors import ConfigError, DataError, EtlError


class MaintainOperator(EtlOperator):
    """Do what the `maintenance` blocks of a pipeline's loads say, as `airflow-etl maintain` does.

    Args:
        pipeline: as for every operator.
        loads: names of the loads; by default those that have a block.
        tables: whether tables are kept up; False: the quarantine and results of checks alone.
        dry_run: tell what would be done, and do nothing.
    """

    verbs: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        pipeline: str | Mapping[str, Any],
        loads: Sequence[str] = (),
        tables: bool = True,
        dry_run: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(pipeline=pipeline, **kwargs)
        self.loads = loads
        self.tables = tables
        self.dry_run = dry_run

    def execute(self, context: Context) -> dict[str, Any]:
        """Maintain; the report (JSON).

        Raises:
            AirflowFailException: configuration or data are wrong; a retry can't help.
            AirflowException: resources or infrastructure failed; Airflow may try again.
        """
        from airflow_provider_etl import upkeep

        try:
            pipeline = self.read()
            loads = upkeep.chosen(pipeline, self.loads, block=True) if self.tables else []
            job = upkeep.job(upkeep.order(pipeline, "maintain", loads, dry_run=self.dry_run))
            engine, memory = pipeline.engine, None
            if engine.options():  # its job outlives a worker that dies: a retry must find it
                token = token_of(context, pipeline.fingerprint, self.dry_run, *loads)
                job = replace(job, token=token, owner=self._owner(context))
                memory = TaskMemory(context, engine.kind, engine.options(), self._say)
            self._application = Application(engine_of(engine.kind, engine.options()), job, memory)
            if self._killed:
                self._application.cancel()
            report: dict[str, Any] = self._application.run(self._say)
            if (error := failure(report)) is not None:
                raise error
        except EtlError as error:
            kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
            raise kind(str(error)) from None
        for line in upkeep.told(report):
            self._say(line)
        return report
