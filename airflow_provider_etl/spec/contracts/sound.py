"""What can't be true of a contract, whatever the data: bounds that exclude each other, keys that are no columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from airflow_provider_etl.spec.contracts.contract import dated_columns, find, items_of, key_of
from airflow_provider_etl.spec.contracts.language import Completeness, ContractColumn, ContractFile, Freshness, share_of
from airflow_provider_etl.spec.contracts.room import none_left, outside
from airflow_provider_etl.spec.diagnostics import did_you_mean, shown
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.check.literal import inverted, misfit
from spark_jobs.check.regex import doubtful
from spark_jobs.outline import INSTANTS, bad_types, collisions, family

_COMMON: Final = re.compile(r"[\w\s^$.*+?{}|,:;@/%#=-]*")
"""Expressions that mean the same to Python and Java."""


def check(file: ContractFile, node: MapNode, problems: Problems) -> None:
    """Tell every contradiction at its place in the contract's file.

    Args:
        file: the contract.
        node: its keys.
        problems: where problems go.
    """
    columns = find(node, "columns")
    if isinstance(columns, MapNode):
        for clash in collisions("columns", file.columns):
            again = [name for name in file.columns if repr(name) in clash.message][-1]
            problems.add(key_of(columns, again), clash.code, clash.message, clash.hint)
        for bad in bad_types("", {name: item.type for name, item in file.columns.items()}):
            problems.add(find(columns, bad.option, "type"), bad.code, bad.message, bad.hint)
    for name, item in file.columns.items():
        _bounds(name, item, find(columns, name), problems)
        _regex(name, item, find(columns, name), problems)
    _named(file, node, problems)
    _fresh(file, node, problems)
    _complete(file, node, problems)


def _bounds(name: str, item: ContractColumn, node: Node, problems: Problems) -> None:
    given: list[tuple[str, Any, Node]] = [
        (key, value, find(node, key)) for key, value in (("min", item.min), ("max", item.max)) if value is not None
    ]
    values = list(zip(item.values, items_of(find(node, "values")), strict=False))
    given += [("values", value, place) for value, place in values]
    kind = item.type if family(item.type) is not None else None
    for key, value, place in given:
        for wrong in misfit(key, value, name, kind):
            problems.add(place, wrong.code, wrong.message, wrong.hint)
    if inverted(item.min, item.max):
        message = f"max: it is smaller than min, {item.min!r}: no value can pass"
        problems.add(find(node, "max"), "option-conflict", message)
    elif why := none_left(item.type, item.min, item.max):
        side = "max" if item.min is None or "is below" in why else "min"
        problems.add(find(node, side), "option-conflict", f"{side}: {why}", "widen the range, or take another type")
    _listed(item, values, problems)


def _listed(item: ContractColumn, values: list[tuple[Any, Node]], problems: Problems) -> None:
    """Values of a list that the bounds exclude, and a list without one that the type has."""
    strange = [why for value, _ in values if (why := outside(item.type, value))]
    if values and len(strange) == len(values):
        message = f"values: {strange[0]}, and neither is another: no value can pass"
        problems.add(values[0][1], "option-conflict", message, "take others, or another type")
    for value, place in values:
        for side, bound, out in (
            ("smaller than min", item.min, inverted(item.min, value)),
            ("larger than max", item.max, inverted(value, item.max)),
        ):
            if out:
                message = f"values: {value!r} is {side}, {bound!r}"
                problems.add(place, "option-conflict", message, "take it out, or widen the range")


def _regex(name: str, item: ContractColumn, node: Node, problems: Problems) -> None:
    for why in doubtful(item.regex).values() if item.regex is not None else ():
        problems.add(find(node, "regex"), "invalid-value", why)
    for value, place in zip(item.values, items_of(find(node, "values")), strict=False):
        if isinstance(value, str) and _never(item.regex, value):
            message = f"values: {value!r} doesn't match regex, {item.regex!r}"
            problems.add(place, "option-conflict", message, "take it out, or widen the expression")
    kind = family(item.type)
    if item.regex is not None and kind not in (None, "text"):
        message = f"column {name!r} is {item.type}: only text can match a regular expression"
        problems.add(find(node, "regex"), "type-mismatch", message, "say min, max or values")


def _never(regex: str | None, value: str) -> bool:
    """Whether a text surely doesn't match."""
    if regex is None or not _COMMON.fullmatch(regex):
        return False
    try:
        return re.search(regex, value) is None
    except (re.error, OverflowError):
        return False  # it is told as no regular expression, or Java alone takes it


def _named(file: ContractFile, node: MapNode, problems: Problems) -> None:
    """Columns that other keys name, and a key that may be without a value."""
    for name, place in _names(file, node):
        if name not in file.columns:
            known = ", ".join(file.columns)
            near = did_you_mean(name, file.columns)
            hint = f"{near} there are: {known}".strip()
            problems.add(place, "unknown-column", f"there is no column {shown(name)} in the contract", hint)
    for name in file.keys:
        said = find(node, "columns", name, "required")
        if isinstance(said, ScalarNode) and said.text == "false":
            message = f"required: {name!r} is a key, and keys have a value in every row"
            problems.add(said, "option-conflict", message, "take it out of keys, or say true")


def _names(file: ContractFile, node: MapNode) -> Iterator[tuple[str, Node]]:
    yield from zip(file.keys, items_of(find(node, "keys")), strict=False)
    if isinstance(file.freshness, Freshness):
        yield file.freshness.column, find(node, "freshness", "column")
    if isinstance(file.completeness, Completeness):
        yield from zip(file.completeness.columns, items_of(find(node, "completeness", "columns")), strict=False)


def _fresh(file: ContractFile, node: MapNode, problems: Problems) -> None:
    said = file.freshness
    if isinstance(said, Freshness):
        kind = file.columns[said.column].type if said.column in file.columns else None
        if kind is not None and family(kind) not in {None, *INSTANTS}:
            message = f"column {said.column!r} is {kind}, and can't say how new a row is"
            problems.add(find(node, "freshness", "column"), "type-mismatch", message, "name a timestamp or date")
    elif said is not None and len(dated := dated_columns(file)) != 1:
        found = f"the timestamps and dates are {', '.join(dated)}" if dated else "no column is a timestamp or date"
        hint = f"write {{column: {dated[0] if dated else 'NAME'}, within: ..}}"
        problems.add(find(node, "freshness"), "invalid-value", f"freshness names no column, and {found}", hint)


def _complete(file: ContractFile, node: MapNode, problems: Problems) -> None:
    found, place = file.completeness, find(node, "completeness")
    if isinstance(found, Completeness):
        found, place = found.share, find(place, "share")
    if found is not None and share_of(found) is None:
        problems.add(place, "out-of-range", *no_share(found))
    elif file.completeness is found and share_of(found or 0) and not _requires(file):
        message = "completeness names no columns, and none is required"
        problems.add(place, "invalid-value", message, "write {columns: [..], share: ..}")


def _requires(file: ContractFile) -> bool:
    return bool(file.keys) or any(item.required for item in file.columns.values())


def no_share(value: str | float) -> tuple[str, str]:
    """Message and hint about what is no share."""
    return f"{shown(str(value))} is no share of rows", "from 0 to 1, or from 0 % to 100 %"
