"""One scalar -> one value of the types that its field takes."""

from __future__ import annotations

import functools
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from airflow_provider_etl.spec import scalars
from airflow_provider_etl.spec.diagnostics import did_you_mean, shown
from airflow_provider_etl.spec.nodes import ScalarNode
from airflow_provider_etl.spec.reading import FAILED, Mode, Reading

_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%")
_SEEN: Final = {"null": "nothing", "bool": "a boolean", "int": "a number", "float": "a number", "text": "text"}


@dataclass(frozen=True)
class Wanted:
    """What a field takes.

    Args:
        types: scalar types; a Literal is one of them.
        words: the same for people, lists and mappings included.
    """

    types: tuple[Any, ...]
    words: str

    @functools.cached_property
    def text(self) -> bool:
        """Whether any text will do."""
        return str in self.types or Any in self.types

    @functools.cached_property
    def literals(self) -> list[Any]:
        """The values that are given one by one."""
        return [value for item in self.types if typing.get_origin(item) is Literal for value in typing.get_args(item)]

    @functools.cached_property
    def parse(self) -> Callable[[str], Any] | None:
        """How a text becomes a duration, a date or a time, where one is wanted."""
        if timedelta in self.types:
            return scalars.duration
        return scalars.instant if date in self.types or datetime in self.types else None


def fit(node: ScalarNode, wanted: Wanted, reading: Reading, mode: Mode) -> Any:
    """The scalar's value; FAILED, with the reason told, where it is of another type."""
    kind, value = scalars.resolved(node.text) if node.plain else ("text", node.text)
    if kind == "text" and value in wanted.literals:
        return value
    if kind == "null" and type(None) in wanted.types:
        return None
    is_date = (kind, value) == ("unclear", "a date") and date in wanted.types
    if wanted.parse is not None and (is_date or not wanted.text) and kind != "null":
        return _parsed(node, wanted.parse, wanted, reading)
    if kind == "text" and wanted.text:
        return reading.substitute(node, mode)
    found = _typed(kind, value, wanted)
    if found is FAILED:
        reading.problems.add(node, *_misfit(node, kind, value, wanted))
    return found


def _typed(kind: str, value: Any, wanted: Wanted) -> Any:
    for item, fitting in ((bool, "bool"), (int, "int"), (float, "int float"), (type(None), "null")):
        if kind in fitting.split() and (item in wanted.types or Any in wanted.types):
            return float(value) if item is float else value
    return value if any(value == item and type(value) is type(item) for item in wanted.literals) else FAILED


def _parsed(node: ScalarNode, parse: Callable[[str], Any], wanted: Wanted, reading: Reading) -> Any:
    try:
        return parse(node.text)
    except ValueError as error:
        if wanted.literals:
            hint = did_you_mean(node.text, [str(item) for item in wanted.literals])
            reading.problems.add(node, "unknown-value", f"{shown(node.text)} is not {wanted.words}", hint)
        elif parse is scalars.instant and scalars.is_relative(node.text):
            message = f"{shown(node.text)} is another date every day: the windows would move with it"
            reading.problems.add(node, "relative-date", message, "write an absolute date, such as 2013-01-01")
        else:
            reading.problems.add(node, "wrong-type", f"{shown(node.text)} is not {error}")
        return FAILED


def _misfit(node: ScalarNode, kind: str, value: Any, wanted: Wanted) -> tuple[str, str, str]:
    """Code, message and hint for a scalar of another type."""
    if kind == "null":
        return "wrong-type", f"nothing stands where {wanted.words} is wanted", "give a value, or leave the key out"
    seen = value if kind == "unclear" else _SEEN[kind]
    if kind != "text" and wanted.text:
        hint = f'write "{node.text}" in quotes if it is text'
        return "quote-needed", f"{node.text} is {seen} to YAML, where {wanted.words} is wanted", hint
    texts = [str(item) for item in wanted.literals]
    if kind == "text" and texts:
        return "unknown-value", f"{shown(node.text)} is not {wanted.words}", did_you_mean(node.text, texts)
    hint = ""
    if not node.plain and scalars.resolved(node.text)[0] not in ("text", "unclear"):
        hint = "take the quotes away"
    elif bool in wanted.types and seen == "a boolean":
        hint = "write true or false"
    elif float in wanted.types and (share := _PERCENT.fullmatch(node.text)):
        hint = f"write {float(Decimal(share[1]) / 100)}"
    return "wrong-type", f"{shown(node.text)} stands where {wanted.words} is wanted", hint
