"""When tables are kept up: a schedule as a pipeline's own."""

from __future__ import annotations

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.nodes import MapNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.schedule import cron_problem
from airflow_provider_etl.spec.verbs import Verbs


def check(verbs: Verbs, problems: Problems) -> None:
    """Report schedules of `maintenance` that are none.

    Args:
        verbs: what was read.
        problems: where problems go.
    """
    for placed in verbs.load.values():
        when = getattr(getattr(placed.kind, "maintenance", None), "schedule", None)
        complaint = cron_problem(when) if when is not None else ""
        if complaint:
            block = option_node(type(placed.kind), placed.node, "maintenance")
            node = block.get("schedule") if isinstance(block, MapNode) else None
            problems.add(node or placed.node, "invalid-schedule", f"{when!r}: {complaint}", "such as @weekly")
