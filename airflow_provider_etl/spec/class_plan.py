"""The options of a kind, made ready for reading."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_etl.spec.nodes import MapNode, Node


@dataclass(frozen=True, kw_only=True)
class FieldPlan:
    """One option.

    Args:
        name: the field's name.
        key: its key in the file.
        hint: its type.
        metadata: what the type can't say (kinds.py).
        required: whether it has no default.
    """

    name: str
    key: str
    hint: Any
    metadata: Mapping[str, Any]
    required: bool


@dataclass(frozen=True, kw_only=True)
class ClassPlan:
    """A kind.

    Args:
        fields: key in the file -> option.
        shorthand: key of the option that a value which is no mapping stands for.
        whole: whether every value is that option.
    """

    fields: Mapping[str, FieldPlan]
    shorthand: str | None
    whole: bool

    def is_short(self, node: Node) -> bool:
        """Whether a value is the shorthand's option, and no mapping of options."""
        return self.shorthand is not None and (self.whole or not isinstance(node, MapNode))


def plan_of(kind: Any) -> ClassPlan:
    """The options of a dataclass by their key in the file."""
    return _plan_of(kind)


@functools.cache
def _plan_of(kind: Any) -> ClassPlan:
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {}
    for item in dataclasses.fields(kind):
        key = item.metadata.get("alias", item.name)
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        fields[key] = FieldPlan(
            name=item.name, key=key, hint=hints[item.name], metadata=item.metadata, required=required
        )
    short = getattr(kind, "shorthand", None)
    shorthand = next((key for key, field in fields.items() if field.name == short), None)
    return ClassPlan(fields=fields, shorthand=shorthand, whole=bool(getattr(kind, "whole", False)))


def option_node(kind: Any, node: Node, key: str) -> Node | None:
    """Where an option of a kind stands: under its key, or as the whole value where that is a shorthand."""
    plan = plan_of(kind)
    if plan.is_short(node):
        return node if key == plan.shorthand else None
    return node.get(key) if isinstance(node, MapNode) else None
