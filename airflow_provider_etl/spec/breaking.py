"""Circuit breakers that skip windows: whether a pipeline can bear it."""

from __future__ import annotations

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import Verbs


def check(verbs: Verbs, environment: Environment | None, problems: Problems, *, ordered: bool) -> None:
    """Report `when_open: skip` where each window waits for the one before: to Airflow a skipped one was loaded.

    Args:
        verbs: what was read.
        environment: where it runs; None where that isn't known.
        problems: where problems go.
        ordered: whether windows run one after the other.
    """
    for name, placed in verbs.extract.items() if ordered else ():
        connection = getattr(placed.kind, "connection", None)
        if placed.kind is FAILED or not connection:
            continue
        defaults = environment.breakers if environment is not None else {}
        found = getattr(placed.kind, "breaker", None) or defaults.get(connection)
        if found is not None and found.when_open == "skip":
            node = option_node(type(placed.kind), placed.node, "breaker") or verbs.sources[name]
            message = "windows wait for the one before (depends_on_previous), and one that is skipped holds none back"
            problems.add(node, "conflicting-keys", message, "say `when_open: fail` in a breaker of the source")
