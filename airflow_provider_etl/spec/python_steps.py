"""Python functions that a pipeline file names: only modules that the deployment allows."""

from __future__ import annotations

from airflow_provider_etl.spec.class_plan import option_node, plan_of
from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.options import options
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import Placed, Verbs


def check(verbs: Verbs, problems: Problems) -> None:
    """Report functions of modules that aren't allowed: a DAG with one isn't made, whatever its author may write.

    Args:
        verbs: what was read.
        problems: where problems go.
    """
    for placed in verbs.placed():
        if placed.kind is not FAILED:
            _check_kind(placed, problems)


def _check_kind(placed: Placed, problems: Problems) -> None:
    kind = type(placed.kind)
    for key, field in plan_of(kind).fields.items():
        if not field.metadata.get("function"):
            continue
        module = str(getattr(placed.kind, field.name)).partition(":")[0]
        configured = options()
        if not configured.allows_python(module):
            allowed = ", ".join(configured.allowed_python) or "none"
            message = f"the deployment doesn't allow functions of {shown(module)}"
            hint = f"[etl] allowed_python: {allowed}"
            problems.add(option_node(kind, placed.node, key) or placed.node, "python-not-allowed", message, hint)
