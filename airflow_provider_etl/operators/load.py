"""The verb `load` as a task."""

from __future__ import annotations

from typing import ClassVar

from airflow_provider_etl.operators.base import StagedOperator
from airflow_provider_etl.operators.links import LINKS, TableLink


class LoadOperator(StagedOperator):
    """Publish the staged, checked rows in one commit per destination."""

    verbs: ClassVar[tuple[str, ...]] = ("load",)
    operator_extra_links = (*LINKS, TableLink())
