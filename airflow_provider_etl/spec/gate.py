"""The last gate of `lint`: pydantic validates a third party's kinds as their dataclasses say.

`shape` has typed and placed everything it knows, which is all that our own kinds use (tests/spec/test_gate.py holds it
against pydantic); other constraints (`Annotated[...]`, validators) speak here. The DAG processor does without it:
importing pydantic and building adapters costs more than reading the file.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import Placed, Verbs
from spark_jobs import kinds

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_OURS: Final = "spark_jobs."


def check(verbs: Verbs, problems: Problems) -> None:
    """Report what pydantic refuses, at the places where it stands."""
    for placed in verbs.placed():
        if placed.kind is not FAILED and not type(placed.kind).__module__.startswith(_OURS):
            validate(placed, problems)


def adapter(kind: Any) -> TypeAdapter[Any]:
    """The kind's pydantic adapter."""
    return _adapter(kind)


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def validate(placed: Placed, problems: Problems) -> None:
    """Report what pydantic refuses in one kind."""
    from pydantic import ValidationError

    try:
        # As JSON: in strict mode a mapping is a dataclass, and a list a tuple, only there.
        adapter(type(placed.kind)).validate_json(json.dumps(kinds.dump(placed.kind)))
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            node = _place(placed.node, item["loc"])
            problems.add(node, "invalid-value", item["msg"].removeprefix("Value error, "))


def _place(node: Node, loc: tuple[int | str, ...]) -> Node:
    """The node that pydantic's path leads to; names of union members, which the file doesn't know, are passed over."""
    for step in loc:
        if isinstance(node, MapNode) and isinstance(step, str):
            node = node.get(step) or node
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
    return node
