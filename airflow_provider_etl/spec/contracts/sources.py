"""A contract on a source: its columns become the source's own, with their places in the contract's file."""

from __future__ import annotations

from typing import Any, Final

from airflow_provider_etl.spec.contracts.contract import Contract, find, key_of
from airflow_provider_etl.spec.contracts.modes import Chosen
from airflow_provider_etl.spec.nodes import Entry, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.outline import plain_type

_OWN: Final = ("type", "required", "pii", "description")  # what a source's column has
_ONE_WAY: Final = ("required", "pii")  # a reader may ask for more than it is promised, never for less


def text_at(node: Node, text: str, *, plain: bool = False) -> ScalarNode:
    """A scalar of our own, at the place of another node."""
    return ScalarNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key, text, plain)


def map_at(node: Node, entries: dict[str, Entry] | None = None) -> MapNode:
    """A mapping of our own, at the place of another node."""
    given = {} if entries is None else entries
    return MapNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key, given)


def rewritten(source: MapNode, fields: Any, contract: Contract, modes: Chosen, problems: Problems) -> MapNode:
    """A source's options with its contract's columns among them.

    Args:
        source: its options.
        fields: the options that its kind has.
        contract: the contract.
        modes: those that hold here.
        problems: where contradictions between the two are told.
    """
    entries = {key: entry for key, entry in source.entries.items() if key != "contract"}
    if "columns" in fields:
        columns = find(contract.node, "columns")
        own = source.get("columns")
        if own is not None and not isinstance(own, MapNode):
            return source.without("contract")  # told where the source is read: columns are a mapping
        assert isinstance(columns, MapNode)  # noqa: S101 - the contract is sound
        joined = _columns(columns, own, contract, modes, problems)
        entries["columns"] = Entry(entries["columns"].key if own else source.entries["contract"].key, joined)
    for level, option, said in (("columns", "new_columns", "columns"), ("types", "bad_records", "types")):
        mode = modes.mode(level)
        if mode is not None and option in fields:
            value = "fail" if (option, mode) == ("bad_records", "freeze") else mode
            _set(entries, source, option, value, place=contract.at("modes", said), problems=problems)
    return map_at(source, entries)


def _set(  # noqa: PLR0913 - what a contradiction is told with
    entries: dict[str, Entry], source: MapNode, option: str, value: str, *, place: str, problems: Problems
) -> None:
    """An option that the contract decides; the source may say the same."""
    own = entries.get(option)
    if own is not None and isinstance(own.value, ScalarNode) and own.value.text != value:
        message = f"{option}: {own.value.text} here, and the contract's modes say {value} at {place}"
        problems.add(own.value, "contract-conflict", message, "take it out, or say modes where the contract is named")
    elif own is None:
        key = source.entries["contract"].key
        entries[option] = Entry(key, text_at(source.entries["contract"].value, value))


def _columns(promised: MapNode, own: MapNode | None, contract: Contract, modes: Chosen, problems: Problems) -> MapNode:
    joined = {}
    for name, entry in promised.entries.items():
        kept = _kept(entry.value, required=name in contract.required)
        ours = own.entries.get(name) if own else None
        joined[name] = (
            Entry(ours.key, _refined(name, ours.value, kept, contract, problems)) if ours else kept_at(entry, kept)
        )
    for name, entry in own.entries.items() if own else ():
        near = next((item for item in contract.columns if item.lower() == name.lower()), None)
        if near is None:
            _refuse_new(name, entry.key, contract, modes, problems)
            joined[name] = entry
        elif near != name:  # told once: beside the contract's own it would be told again, as its twin
            _refuse_respelt(name, near, entry.key, contract, problems)
    return map_at(own or promised, joined)


def kept_at(entry: Entry, value: Node) -> Entry:
    """An entry of the contract with another value."""
    return Entry(entry.key, value)


def _kept(column: Node, *, required: bool) -> MapNode:
    """Of a contract's column, what a source's has."""
    given = column.entries if isinstance(column, MapNode) else {}
    entries: dict[str, Entry] = {key: given[key] for key in _OWN if key in given}
    if required:
        entries.setdefault("required", Entry(text_at(column, "required"), text_at(column, "true", plain=True)))
    return map_at(column, entries)


def _refined(name: str, own: Node, promised: MapNode, contract: Contract, problems: Problems) -> Node:
    """A column of the source over the contract's: it may ask for more, and may not say otherwise."""
    if not isinstance(own, MapNode):
        return own  # no mapping: told where the source is read
    for key, entry in own.entries.items():
        other = promised.get(key)
        if not isinstance(other, ScalarNode) or not isinstance(entry.value, ScalarNode) or key == "description":
            continue
        same = plain_type(entry.value.text) == plain_type(other.text)
        if not same and not (key in _ONE_WAY and entry.value.text != "false"):
            message = f"{key} of column {name!r} is {entry.value.text} here, and {other.text} in the contract"
            place = f"{contract.told}, {_place(other)}"
            hint = "take it out here, or mend the contract: a source may ask for more, never say otherwise"
            problems.add(entry.value, "contract-conflict", f"{message}, {place}", hint)
    return map_at(own, {**promised.entries, **own.entries})


def _refuse_respelt(name: str, near: str, key: Node, contract: Contract, problems: Problems) -> None:
    columns = find(contract.node, "columns")
    place = _place(key_of(columns, near)) if isinstance(columns, MapNode) else contract.at("columns")
    message = f"column {name!r} is called {near!r} in the contract, {contract.told}, {place}"
    problems.add(key, "contract-conflict", message, "letter case counts: write it so")


def _refuse_new(name: str, key: Node, contract: Contract, modes: Chosen, problems: Problems) -> None:
    """A column that the contract doesn't name: right where it lets others come."""
    if modes.mode("columns") not in (None, "evolve"):
        message = f"column {name!r} isn't in the contract {contract.told}, whose columns are closed"
        place = contract.at("modes", "columns")
        problems.add(key, "contract-conflict", f"{message} ({modes.mode('columns')}, {place})", "add it there")


def _place(node: Node) -> str:
    return f"{node.source.path}:{node.line}:{node.column}"
