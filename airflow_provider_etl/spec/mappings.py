"""A Python mapping as nodes, so that a pipeline written in Python is read by the same rules as a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from airflow_provider_etl.spec.building import MAX_DEPTH
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, Source
from airflow_provider_etl.spec.problems import Problems


def from_mapping(mapping: Mapping[str, Any], name: str, problems: Problems) -> Node:
    """The nodes of a mapping; their place is 1:1, the key path tells them apart.

    Args:
        mapping: text keys; values are texts, numbers, booleans, None, dates, durations, lists and mappings.
        name: stands for the file's path.
        problems: where values that have no form in a file are told.
    """
    return _node(mapping, Source(name), problems, None, None)


def _node(value: Any, source: Source, problems: Problems, parent: Node | None, key: str | int | None) -> Node:
    place = (source, 1, 1, 0, 0, parent, key)
    if isinstance(value, str):
        return ScalarNode(*place, text=value, plain=False)
    if isinstance(value, Mapping):
        return _mapping(value, MapNode(*place), problems)
    if isinstance(value, (list, tuple)):
        found = ListNode(*place)
        for index, item in enumerate(value if _fits(found, problems) else ()):
            found.items.append(_node(item, source, problems, found, index))
        return found
    return _scalar(value, ScalarNode(*place), problems)


def _mapping(value: Mapping[Any, Any], node: MapNode, problems: Problems) -> MapNode:
    for key, item in value.items() if _fits(node, problems) else ():
        place = ScalarNode(node.source, parent=node, key=str(key), text=str(key), plain=False)
        if not isinstance(key, str):
            problems.add(place, "yaml-key", f"key {key!r} is no text")
        node.entries[str(key)] = Entry(place, _node(item, node.source, problems, node, str(key)))
    return node


def _fits(node: Node, problems: Problems) -> bool:
    """Whether a node isn't too deep: a mapping that contains itself ends here."""
    depth, above = 0, node.parent
    while above is not None:
        depth, above = depth + 1, above.parent
    if depth >= MAX_DEPTH:
        problems.add(Node(node.source), "yaml-too-deep", f"more than {MAX_DEPTH} levels of nesting", "flatten it")
    return depth < MAX_DEPTH


def _scalar(value: Any, node: ScalarNode, problems: Problems) -> ScalarNode:
    if value is None or isinstance(value, bool):
        node.text = {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, timedelta):
        node.text = f"{int(value.total_seconds())}s"
    elif isinstance(value, (date, datetime)):
        node.text = value.isoformat()
    elif isinstance(value, (int, float)):
        node.text = repr(value)
    else:
        problems.add(node, "wrong-type", f"a {type(value).__name__} has no form in a pipeline", "give text or numbers")
    return node
