"""Checks that compare a window with those before it: their verdict depends on what was loaded first."""

from __future__ import annotations

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.verbs import Verbs

_HINT = "say `depends_on_previous: true`, or `on_fail: warn`"


def check(verbs: Verbs, problems: Problems, *, ordered: bool) -> None:
    """Warn of checks that look back and decide what is loaded, while windows may run in any order.

    Args:
        verbs: what was read.
        problems: where problems go.
        ordered: whether windows run one after the other.
    """
    for placed in (placed for checks in verbs.check.values() for placed in checks):
        kind = placed.kind
        if ordered or not getattr(kind, "looks_back", False) or kind.on_fail == "warn":
            continue
        node = option_node(type(kind), placed.node, "on_fail") or placed.node.holder
        message = f"{placed.name} compares with the windows before: what is loaded depends on which of them ran first"
        problems.add(node, "history-needs-order", message, _HINT, severity="warning")
