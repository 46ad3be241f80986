"""Expectations by Great Expectations' own names: read as the check that they are here, every value at its place.

Those that are no check here become the one check that asks Great Expectations itself (`expectation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from airflow_provider_etl.spec import scalars
from airflow_provider_etl.spec.diagnostics import did_you_mean, nearest, shown
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.check.gx_foreign import FOREIGN, IGNORED, REQUIRED, beyond
from spark_jobs.check.gx_names import EXPECTATIONS, OTHERS, Expectation

META: Final = "meta"
OURS: Final = ("on_fail", "name", "severity", META)
KIND: Final = "expectation"
_PARAMETER: Final = "$PARAMETER"


@dataclass(frozen=True, kw_only=True)
class Native:
    """The check that an expectation is.

    Args:
        kind: its kind.
        node: its options; None where something in them is wrong and was told.
        called: option -> the argument that it stands for, where they are called otherwise.
        meta: what its author notes beside it.
    """

    kind: str
    node: MapNode | None
    called: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)


def is_expectation(name: str) -> bool:
    """Whether Great Expectations has an expectation of that name."""
    return name in EXPECTATIONS or name in FOREIGN or name in OTHERS


def nearest_expectation(name: str) -> str:
    """`did you mean …?`, or nothing where no expectation is called alike."""
    return did_you_mean(name, [*EXPECTATIONS, *FOREIGN, *OTHERS])


def arguments(name: str) -> tuple[str, ...]:
    """The arguments of an expectation that is answered here, whoever answers it."""
    return FOREIGN[name] if name in FOREIGN else (*EXPECTATIONS[name].arguments, *beyond(name))


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
    if not isinstance(node, MapNode):
        problems.add(node, "wrong-type", f"the arguments of {name} are a mapping", nearest("", arguments(name)))
        return Native(kind=KIND, node=None)
    given = {option: entry for option, entry in node.entries.items() if option not in (*IGNORED, META)}
    # To Great Expectations, what has no value isn't there.
    asked = {option for option, entry in given.items() if _plain(entry.value) is not None} & {*beyond(name)}
    if name in FOREIGN or asked - _idle(asked):
        return _foreign(name, node, given, problems)
    return _equal(name, node, given, problems)


def _equal(name: str, node: MapNode, given: Mapping[str, Entry], problems: Problems) -> Native:
    """The check that an expectation is the equal of."""
    found = EXPECTATIONS[name]
    # What isn't given is called so too: a message may ask for it.
    called = {option: argument for argument, option in found.arguments.items() if isinstance(option, str)}
    entries = _implied(name, found, node)
    known = [
        (option, _argument(name, option, entry, found, problems))
        for option, entry in given.items()
        if option not in beyond(name)
    ]
    if _lacking(name, node, found.arguments, problems) or any(item is None for _, item in known):
        return Native(kind=found.kind, node=None)
    for option, item in known:
        entries |= item or {}
        called |= dict.fromkeys(item or {}, option)
    return Native(kind=found.kind, node=_with(node, entries), called=called, meta=_meta(node, problems))


def _meta(node: MapNode, problems: Problems) -> Mapping[str, Any]:
    """What an expectation's author notes beside it."""
    found = node.get(META)
    plain = _plain(found) if found is not None else None
    if plain is not None and not isinstance(plain, dict):
        problems.add(found or node, "wrong-type", "meta is a mapping: what you note, by names of your own")
    return plain if isinstance(plain, dict) else {}


def _idle(asked: set[str]) -> set[str]:
    """Arguments that mean nothing without another one."""
    return set() if "row_condition" in asked else {"condition_parser"}


def _with(node: MapNode, entries: dict[str, Entry]) -> MapNode:
    return MapNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key, entries)


def _foreign(name: str, node: MapNode, given: Mapping[str, Entry], problems: Problems) -> Native:
    """The check that asks Great Expectations itself."""
    before, known = problems.count, arguments(name)
    entries, kwargs = {"name": _entry("name", name, node.holder)}, {}
    entries |= {option: given[option] for option in OURS if option in given}
    for option, entry in given.items():
        if option in OURS:
            continue
        if option not in known:
            _unknown(name, option, entry, problems)
        elif _parameters(entry.value):
            message = f"{shown(option)} of {name} is a parameter, whose value only Great Expectations' checkpoints know"
            problems.add(entry.value, "invalid-value", message, "write the value")
        elif _plain(entry.value) is not None:
            kwargs[option] = Entry(entry.key, _typed(entry.value))
    if _lacking(name, node, known, problems) or problems.count > before:
        return Native(kind=KIND, node=None)
    place = node.holder
    entries["type"] = _entry("type", name, place)
    entries["kwargs"] = Entry(_text("kwargs", place), _with(node, kwargs))
    return Native(kind=KIND, node=_with(node, entries), meta=_meta(node, problems))


def _lacking(name: str, node: MapNode, known: Iterable[str], problems: Problems) -> bool:
    """Whether an argument is missing that the expectation can't do without; if so, it is told by its own name."""
    there = {option for option, entry in node.entries.items() if _plain(entry.value) is not None}
    lacking = [option for option in known if option in REQUIRED and option not in there]
    for option in lacking:
        problems.add(node.holder, "missing-key", f"key {option!r} is missing", f"{name} needs it")
    return bool(lacking)


def _parameters(node: Node) -> bool:
    return isinstance(node, MapNode) and _PARAMETER in node.entries


def _typed(node: Node) -> Node:
    """A value in which a date is text: Great Expectations reads JSON."""
    if isinstance(node, ListNode):
        at = (node.source, node.line, node.column, node.start, node.end, node.parent, node.key)
        return ListNode(*at, [_typed(item) for item in node.items])
    if isinstance(node, MapNode):
        return _with(node, {key: Entry(entry.key, _typed(entry.value)) for key, entry in node.entries.items()})
    return _node(_plain(node), node)


def _unknown(name: str, option: str, entry: Entry, problems: Problems) -> None:
    hint = nearest(option, [*arguments(name), *OURS])
    problems.add(entry.key, "unknown-key", f"unknown argument {shown(option)} of {name}", hint)


def _implied(name: str, found: Expectation, node: MapNode) -> dict[str, Entry]:
    always = {"name": name, **found.always}
    return {option: _entry(option, value, node.holder) for option, value in always.items()}


def _argument(name: str, key: str, entry: Entry, found: Expectation, problems: Problems) -> dict[str, Entry] | None:
    """The options that an argument stands for; None where it was refused."""
    if key in OURS:
        return {key: entry}
    meaning = found.arguments.get(key)
    if meaning is None:
        _unknown(name, key, entry, problems)
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
