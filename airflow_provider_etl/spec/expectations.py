"""Expectations by Great Expectations' own names: read as the check that they are here, every value at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_etl.spec import scalars
from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.check.gx_names import EXPECTATIONS, OTHERS, Expectation

OURS: Final = ("on_fail", "name", "severity")


@dataclass(frozen=True, kw_only=True)
class Native:
    """The check that an expectation is.

    Args:
        kind: its kind.
        node: its options; None where something in them is wrong and was told.
    """

    kind: str
    node: MapNode | None


def is_expectation(name: str) -> bool:
    """Whether Great Expectations has an expectation of that name."""
    return name in EXPECTATIONS or name in OTHERS


def native(name: str, key: ScalarNode, node: Node, problems: Problems) -> Native | None:
    """The check that an expectation is; None, and the reason is told, where there is none.

    Args:
        name: an expectation's.
        key: where it stands.
        node: its arguments.
        problems: where problems go.
    """
    if name in OTHERS:
        problems.add(key, "unknown-kind", f"{shown(name)} has no equal in this release", OTHERS[name])
        return None
    found = EXPECTATIONS[name]
    if not isinstance(node, MapNode):
        problems.add(node, "wrong-type", f"the arguments of {name} are a mapping", nearest("", found.arguments))
        return Native(kind=found.kind, node=None)
    entries = _implied(name, found, node)
    known = [_argument(key, entry, found, problems) for key, entry in node.entries.items()]
    if any(item is None for item in known):
        return Native(kind=found.kind, node=None)
    for item in known:
        entries |= item or {}
    whole = MapNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key, entries)
    return Native(kind=found.kind, node=whole)


def _implied(name: str, found: Expectation, node: MapNode) -> dict[str, Entry]:
    always = {"name": name, **found.always}
    return {option: _entry(option, value, node.holder) for option, value in always.items()}


def _argument(key: str, entry: Entry, found: Expectation, problems: Problems) -> dict[str, Entry] | None:
    """The options that an argument stands for; None where it was refused."""
    if key in OURS:
        return {key: entry}
    meaning = found.arguments.get(key)
    if meaning is None:
        hint = nearest(key, [*found.arguments, *OURS])
        problems.add(entry.key, "unknown-key", f"unknown argument {shown(key)}", hint)
        return None
    if _plain(entry.value) is None:  # to Great Expectations, as if it weren't there
        return {}
    if isinstance(meaning, str):
        return {meaning: entry}
    try:
        options = meaning(_plain(entry.value))
    except ValueError as error:
        problems.add(entry.value, "invalid-value", str(error))
        return None
    return {option: Entry(entry.key, _node(value, entry.value)) for option, value in options.items()}


def _plain(node: Node) -> Any:
    """A node as what YAML reads in it."""
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.items]
    if isinstance(node, MapNode):
        return {key: _plain(entry.value) for key, entry in node.entries.items()}
    if not isinstance(node, ScalarNode) or not node.plain:
        return getattr(node, "text", None)
    kind, value = scalars.resolved(node.text)
    return node.text if kind == "unclear" else value


def _entry(option: str, value: Any, place: Node) -> Entry:
    return Entry(_text(option, place), _node(value, place))


def _node(value: Any, place: Node) -> Node:
    """A value as a node that stands where another does."""
    at = (place.source, place.line, place.column, place.start, place.end, place.parent, place.key)
    if isinstance(value, Mapping):
        return MapNode(*at, {key: _entry(key, item, place) for key, item in value.items()})
    if isinstance(value, list):
        return ListNode(*at, list(_nodes(value, place)))
    return _text(value, place)


def _nodes(values: list[Any], place: Node) -> Iterator[Node]:
    given = place.items if isinstance(place, ListNode) and len(place.items) == len(values) else [place] * len(values)
    yield from (_node(value, item) for value, item in zip(values, given, strict=True))


def _text(value: Any, place: Node) -> ScalarNode:
    at = (place.source, place.line, place.column, place.start, place.end, place.parent, place.key)
    words = {True: "true", False: "false", None: "null"}
    is_word = value is None or isinstance(value, bool)
    return ScalarNode(*at, words[value] if is_word else str(value), not isinstance(value, str))
