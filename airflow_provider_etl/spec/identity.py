"""What a pipeline is known by: its `id`, which outlives the file's name."""

from __future__ import annotations

from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems

_KEY = "id"


def of(node: MapNode, name: str) -> str:
    """The pipeline's id before the file is read: what `${pipeline}` stands for.

    Args:
        node: the file's own keys, without an environment's defaults.
        name: the file's stem.
    """
    found = node.get(_KEY)
    return found.text if isinstance(found, ScalarNode) and found.text else name


def refuse_default(defaults: Node | None, problems: Problems) -> None:
    """An environment can't give every pipeline one id: they would take each other's windows for their own."""
    found = defaults.get(_KEY) if isinstance(defaults, MapNode) else None
    if found is not None:
        problems.add(found, "invalid-value", "an id can't be a default", "say it in the pipeline file that it is of")
