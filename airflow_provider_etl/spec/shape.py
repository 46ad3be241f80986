"""Nodes -> values, as type hints say: here every scalar gets its type, and everything that doesn't fit gets its place.

A dataclass is a mapping of its fields, unions take the member that the node can be. What this module can't know (a
third party's own constraints) is left to the pydantic gate in `gate.py`.
"""

from __future__ import annotations

import functools
import typing
from collections.abc import Mapping
from typing import Any, Final, Literal

from airflow_provider_etl.spec import hints, scalars
from airflow_provider_etl.spec.bounds import refused_by
from airflow_provider_etl.spec.class_plan import ClassPlan, plan_of
from airflow_provider_etl.spec.diagnostics import did_you_mean, near_miss, nearest, one_of, shown
from airflow_provider_etl.spec.fitting import Wanted, fit
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.reading import FAILED, Convert, Mode, Reading
from spark_jobs.errors import ConfigError

_MOST: Final = 50  # unknown keys that are told one by one


@functools.cache
def converter(hint: Any) -> Convert:
    """How a node becomes a value of a type.

    Raises:
        TypeError: a hint that the pipeline file has no form for.
    """
    members = hints.members(hint)
    if Node in members:
        return lambda node, _reading, _mode: node
    mappings = [item for item in members if hints.is_class(item) or hints.is_mapping(item) or item is Any]
    lists = [item for item in members if hints.is_list(item) or item is Any]
    short = [item for item in mappings if hints.is_class(item) and plan_of(item).shorthand]
    wanted = Wanted(tuple(item for item in members if hints.is_scalar(item)), hints.described(hint))
    if not (mappings or lists or wanted.types):
        raise TypeError(f"a pipeline file can't hold a {hint!r}")

    stands_for = short[0] if len(short) == 1 and set(wanted.types) <= {type(None)} else None

    def convert(node: Node, reading: Reading, mode: Mode) -> Any:
        if isinstance(node, ScalarNode) and stands_for is not None and _told(node) != "nothing":
            return build(stands_for, node, reading)
        if isinstance(node, ScalarNode) and wanted.types:
            return fit(node, wanted, reading, mode)
        if isinstance(node, ListNode) and lists:
            return _list(node, lists[0], reading, mode)
        if isinstance(node, MapNode) and mappings:
            return _mapping(node, mappings, reading, mode)
        message = f"{_told(node)} stands where {wanted.words} is wanted"
        reading.problems.add(node, "wrong-type", message, _remedy(node, mappings, lists))
        return FAILED

    return convert


def _told(node: Node) -> str:
    """A node that isn't what is wanted, in words."""
    if not isinstance(node, ScalarNode) or not node.text:
        return described(node)
    kind = scalars.resolved(node.text)[0] if node.plain else "text"
    return f"text {shown(node.text)}" if kind == "text" else "nothing" if kind == "null" else node.text


def _remedy(node: Node, mappings: list[Any], lists: list[Any]) -> str:
    if not isinstance(node, ScalarNode) or not node.text:
        return ""
    if lists:
        return f"write [{node.text}]"
    tags = {value: name for item in mappings if hints.is_class(item) for name, value in _tags(item)}
    if node.text in tags:
        return f"write {{{tags[node.text]}: {node.text}}}"
    numbers = [
        key for item in mappings if hints.is_class(item) for key, own in plan_of(item).fields.items() if own.hint is int
    ]
    is_number = node.plain and scalars.resolved(node.text)[0] == "int"
    return f"write {{{numbers[0]}: {node.text}}}" if is_number and len(numbers) == 1 else ""


def _list(node: ListNode, hint: Any, reading: Reading, mode: Mode) -> Any:
    arguments = typing.get_args(hint) or (Any,)
    item = converter(arguments[0])
    found = [item(child, reading, mode) for child in node.items]
    if any(value is FAILED for value in found):
        return FAILED
    return found if typing.get_origin(hint) is list else tuple(found)


def _mapping(node: MapNode, members: list[Any], reading: Reading, mode: Mode) -> Any:
    classes = [member for member in members if hints.is_class(member)]
    if classes:
        chosen = classes[0] if len(classes) == 1 else _told_apart(node, classes, reading)
        return FAILED if chosen is None else build(chosen, node, reading)
    arguments = typing.get_args(members[0]) or (str, Any)
    item = converter(arguments[1])
    found = {}
    for key, entry in node.entries.items():
        reading.substitute(entry.key, None)
        found[key] = item(entry.value, reading, mode)
    return FAILED if any(value is FAILED for value in found.values()) else found


def _told_apart(node: MapNode, classes: list[Any], reading: Reading) -> Any:
    """The member of a union of classes: the one whose literal (`strategy: append`) the mapping has."""
    options = {value: (name, member) for member in classes for name, value in _tags(member)}
    if not options:
        return _by_keys(node, classes, reading)
    name = next(iter(options.values()))[0]
    tag = node.get(name)
    if isinstance(tag, ScalarNode) and tag.text in options:
        return options[tag.text][1]
    if isinstance(tag, ScalarNode):
        message = f"{shown(tag.text)} is not {one_of(options)}"
        reading.problems.add(tag, "unknown-value", message, did_you_mean(tag.text, options))
    elif tag is not None:
        reading.problems.add(tag, "wrong-type", f"{described(tag)} stands where {one_of(options)} is wanted")
    else:
        reading.problems.add(node.holder, "missing-key", f"key {name!r} is missing", f"give {one_of(options)}")
    return None


def _by_keys(node: MapNode, classes: list[Any], reading: Reading) -> Any:
    """The member of a union of classes that has most of the mapping's keys."""
    known = {member: [key for key in node.entries if key in plan_of(member).fields] for member in classes}
    best = max(classes, key=lambda member: len(known[member]))
    if known[best]:
        return best
    keys = [key for member in classes for key in plan_of(member).fields]
    for key, entry in node.entries.items():
        reading.problems.add(entry.key, "unknown-key", f"unknown key {shown(key)}", nearest(key, keys))
    if not node.entries:
        reading.problems.add(node.holder, "missing-key", "the mapping is empty", f"give {one_of(keys)}")
    return None


def _tags(kind: Any) -> list[tuple[str, str]]:
    return [
        (field.name, value)
        for field in plan_of(kind).fields.values()
        if typing.get_origin(field.hint) is Literal and field.required
        for value in typing.get_args(field.hint)
    ]


def build(kind: Any, node: Node, reading: Reading) -> Any:
    """A kind from its node; FAILED where something in it is wrong."""
    plan = plan_of(kind)
    holder = node.holder
    if plan.shorthand and plan.is_short(node):
        entries = {plan.shorthand: Entry(ScalarNode(node.source, node.line, node.column), node)}
    elif isinstance(node, MapNode):
        entries = node.entries
    else:
        message = f"{described(node)} stands where a mapping is wanted"
        reading.problems.add(node, "wrong-type", message, f"keys: {', '.join(sorted(plan.fields))}")
        return FAILED
    values = _values(plan, entries, reading)
    missing = [key for key, field in plan.fields.items() if field.required and key not in entries]
    meant = _tell_unknown(plan, entries, reading)
    for key in missing:
        if key in meant:
            continue
        hint = f"it takes {hints.described(plan.fields[key].hint)}"
        reading.problems.add(holder, "missing-key", f"key {key!r} is missing", hint)
    if missing or any(value is FAILED for value in values.values()):
        return FAILED
    return _construct(kind, values, holder, reading)


def _values(plan: ClassPlan, entries: Mapping[str, Entry], reading: Reading) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, entry in entries.items():
        field = plan.fields.get(key)
        if field is None:
            values[key] = FAILED
            continue
        value = converter(field.hint)(entry.value, reading, field.metadata.get("substitute"))
        refused = value is not FAILED and field.metadata and refused_by(field.metadata, entry.value, value, reading)
        values[field.name] = FAILED if refused else value
    return values


def _tell_unknown(plan: ClassPlan, entries: Mapping[str, Entry], reading: Reading) -> set[str | None]:
    """Report unknown keys, the first of very many; the names that were probably meant."""
    unknown = [key for key in entries if key not in plan.fields]
    for key in unknown[:_MOST]:
        place = entries[key].key
        reading.problems.add(place, "unknown-key", f"unknown key {shown(key)}", nearest(key, plan.fields))
    if len(unknown) > _MOST:
        place = entries[unknown[_MOST]].key
        reading.problems.add(place, "unknown-key", f"{len(unknown) - _MOST} more unknown keys", "mend the first ones")
    return {near_miss(key, plan.fields) for key in unknown[:_MOST]}


def _construct(kind: Any, values: Mapping[str, Any], holder: Node, reading: Reading) -> Any:
    try:
        return kind(**values)
    except ConfigError as error:
        hint = "; ".join(part for part in (error.expected and f"expected {error.expected}", error.remedy) if part)
        reading.problems.add(holder, "invalid-value", error.what, hint)
    except ValueError as error:
        reading.problems.add(holder, "invalid-value", str(error))
    return FAILED
