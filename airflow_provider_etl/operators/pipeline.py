"""All four verbs as one task."""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_etl.operators.base import EtlOperator
from spark_jobs.plan import VERBS


class PipelineOperator(EtlOperator):
    """Run all four verbs in one Spark application: nothing is staged but the result."""

    verbs: ClassVar[tuple[str, ...]] = VERBS
