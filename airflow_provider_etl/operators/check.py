"""The verb `check` as a task."""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_etl.operators.base import StagedOperator
from airflow_provider_etl.operators.data_docs import DataDocsLink


class CheckOperator(StagedOperator):
    """Answer the checks over the staged rows; rows that fail a check with `on_fail: quarantine` are set aside."""

    verbs: ClassVar[tuple[str, ...]] = ("check",)
    operator_extra_links = (DataDocsLink(),)
