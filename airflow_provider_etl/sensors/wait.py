"""The sensor of one item of a pipeline's `wait_for`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.compat import Context
from airflow_provider_etl.operators.source import checked, read_pipeline
from airflow_provider_etl.operators.windows import windows_of
from airflow_provider_etl.sensors.asking import Ask
from airflow_provider_etl.sensors.base import EtlSensor
from airflow_provider_etl.sensors.neighbours import neighbour
from airflow_provider_etl.sensors.pipeline import OtherPipeline
from airflow_provider_etl.sensors.sql import REFERENCE
from airflow_provider_etl.sensors.waiting import Patience
from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.waiting import Wait
from airflow_provider_etl.spec.waits import of_window, values_of
from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


class WaitSensor(EtlSensor):
    """Wait for one item of a pipeline's `wait_for`, for every window of the run.

    Args:
        pipeline: path of a pipeline file, searched from the DAG's file upwards; or a mapping in the same language.
        wait: which item: its `task`, or its number in the list, from 1.
        environment: name or path of an environment; by default `[etl] environment`.
        pipeline_name: what a pipeline given as a mapping is called; by default the DAG's id.

    How often it asks, how long and where it waits is what the item says.
    """

    template_fields: Sequence[str] = ("environment",)

    def __init__(
        self,
        *,
        pipeline: str | Mapping[str, Any],
        wait: str | int,
        environment: str | None = None,
        pipeline_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.wait = str(wait)
        self.environment = environment
        self.pipeline_name = pipeline_name

    def asks(self, context: Context) -> Sequence[Ask]:
        """One a window of the run; none for those that are left out whatever comes."""
        pipeline = self._pipeline.with_params(context.get("params") or {})
        wait = self._of(pipeline)
        windows = pipeline.loaded_of(windows_of(context, pipeline), ask=False)
        return [self._ask(wait, pipeline, window) for window in windows]

    def patience(self) -> Patience:
        """What the item says."""
        condition = self._of(self._pipeline).condition
        return Patience(
            every=condition.every,
            timeout=condition.timeout,
            on_timeout=condition.on_timeout,
            mode=condition.mode,
        )

    @cached_property
    def _pipeline(self) -> Pipeline:
        name = self.pipeline_name or self.dag_id
        return read_pipeline(self.pipeline, name=name, dag_file=self.dag.fileloc, environment=self.environment or None)

    def _of(self, pipeline: Pipeline) -> Wait:
        found = next((wait for wait in pipeline.wait_for if wait.name == self.wait), None)
        if found is None:
            known = ", ".join(wait.name for wait in pipeline.wait_for) or "none: it has no wait_for"
            raise ConfigError(f"{pipeline.name} has no wait {self.wait!r}", where=self.task_id, expected=known)
        return found

    def _ask(self, wait: Wait, pipeline: Pipeline, window: Window) -> Ask:
        window = replace(window, timezone=pipeline.timezone)
        condition = of_window(wait, pipeline, window)
        named = set(REFERENCE.findall(str(kinds.dump(condition))))
        return Ask(
            kind=wait.kind,
            condition=condition,
            window=window,
            values={name: value for name, value in values_of(pipeline).items() if name in named},
            prepared=self._prepared(condition, pipeline, window),
        )

    def _prepared(self, condition: Any, pipeline: Pipeline, window: Window) -> Any:
        if not isinstance(condition, OtherPipeline):
            return None
        home = Path(self.dag.fileloc).resolve().parent
        other = neighbour(condition.name, pipeline.path or home, home)
        if other is None:
            return condition.prepare(window, None)
        loaded = load_file(other, environment=self.environment or None)
        return condition.prepare(window, checked(loaded, str(other)))
