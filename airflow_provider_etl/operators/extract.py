"""The verb `extract` as a task."""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_etl.operators.base import EtlOperator


class ExtractOperator(EtlOperator):
    """Read the sources of a window and stage their rows."""

    verbs: ClassVar[tuple[str, ...]] = ("extract",)
