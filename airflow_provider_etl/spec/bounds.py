"""What a field's metadata asks of its value, beyond its type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.nodes import ListNode, Node, ScalarNode, scalars
from airflow_provider_etl.spec.reading import Reading


def refused_by(metadata: Mapping[str, Any], node: Node, value: Any, reading: Reading) -> bool:
    """Whether a value breaks `ge`, `le`, `pattern`, `min_length` or `distinct`; if so, it is told.

    Args:
        metadata: the field's; its other keys mean nothing here.
        node: the value's place.
        value: the value.
        reading: where problems go.
    """
    if isinstance(value, (int, float, timedelta)) and not isinstance(value, bool):
        return _out_of_range(metadata, node, value, reading)
    pattern = metadata.get("pattern")
    if pattern is not None and isinstance(value, str) and not re.search(pattern, value):
        reading.problems.add(node, "invalid-value", f"{shown(value)} doesn't match {pattern}")
        return True
    shortest = metadata.get("min_length", 0)
    if isinstance(value, (str, tuple, list, Mapping)) and len(value) < shortest:
        reading.problems.add(node, "invalid-value", f"{len(value)} given, at least {shortest} wanted")
        return True
    return bool(metadata.get("distinct")) and isinstance(node, ListNode) and _repeated(node, reading)


def _repeated(node: ListNode, reading: Reading) -> bool:
    """Whether a column stands in a list twice; Spark makes no difference between large and small letters."""
    seen: dict[str, str] = {}
    again = []
    for item in scalars(node):
        if item.text.lower() in seen:
            again.append(item)
        seen.setdefault(item.text.lower(), item.text)
    for item in again:
        message = f"column {shown(seen[item.text.lower()])} stands here twice"
        reading.problems.add(item, "duplicate-column", message, "keep one of them")
    return bool(again)


def _out_of_range(metadata: Mapping[str, Any], node: Node, value: Any, reading: Reading) -> bool:
    low, high = metadata.get("ge"), metadata.get("le")
    if (low is None or value >= low) and (high is None or value <= high):
        return False
    sides = (("at least", low), ("at most", high))
    bounds = " and ".join(f"{word} {bound}" for word, bound in sides if bound is not None)
    found = node.text if isinstance(node, ScalarNode) else str(value)
    reading.problems.add(node, "out-of-range", f"{shown(found)} is out of range: {bounds}")
    return True
