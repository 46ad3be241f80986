"""Checks that ask a person: only between tasks is there somebody to ask."""

from __future__ import annotations

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.nodes import Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.verbs import Verbs


def check(verbs: Verbs, execution: Node | None, problems: Problems) -> None:
    """Report `on_fail: ask` of a fused pipeline: its check and its load are one task.

    It isn't split by itself: who says `fused` wants one start of Spark, and would get several.

    Args:
        verbs: what was read.
        execution: the file's, or the environment's default; None: staged.
        problems: where problems go.
    """
    if not isinstance(execution, ScalarNode) or execution.text != "fused":
        return
    for placed in (placed for checks in verbs.check.values() for placed in checks):
        if getattr(placed.kind, "on_fail", None) == "ask":
            node = option_node(type(placed.kind), placed.node, "on_fail") or placed.node
            message = "execution is fused: check and load are one task, and nobody can be asked between them"
            problems.add(node, "conflicting-keys", message, "execution: staged")
