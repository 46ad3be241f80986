"""The verb `transform` as a task."""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_etl.operators.base import StagedOperator


class TransformOperator(StagedOperator):
    """Run the steps over the staged rows and stage the result."""

    verbs: ClassVar[tuple[str, ...]] = ("transform",)
