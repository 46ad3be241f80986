"""`params`: values that a run may be given, and that `${param.NAME}` stands for."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.language import ParamOption
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.errors import ConfigError

_NO_PATTERN: Final = (re.error, OverflowError, RecursionError)  # what `re` fails with
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
RESERVED: Final = ("window_start", "window_end")  # what the form of a run asks for already
_BOOLS: Final = {"true": True, "false": False}
_TYPES: Final[dict[str, type]] = {"integer": int, "number": float, "boolean": bool}
_JSON: Final = {"date": {"type": "string", "format": "date"}}


@dataclass(frozen=True, kw_only=True)
class Param:
    """One value.

    Args:
        name: NAME in `${param.NAME}`.
        option: its type, default, and what it may be.
    """

    name: str
    option: ParamOption

    @property
    def schema(self) -> dict[str, Any]:
        """What a value must be, as JSON Schema."""
        told: dict[str, Any] = dict(_JSON.get(self.option.type, {"type": self.option.type}))
        if self.option.values:
            told["enum"] = [as_json(value) for value in self.option.values]
        if self.option.pattern:
            told["pattern"] = f"^(?:{self.option.pattern})$"
        return told

    @property
    def default(self) -> Any:
        """The value where none is given, as JSON; None where one must be given."""
        return as_json(self.option.default)

    def value(self, given: Any) -> str | int | float | bool | date:
        """A given value, typed.

        Args:
            given: JSON, or text from a command line.

        Raises:
            ConfigError: it isn't what the parameter may be.
        """
        found = _typed(self.option.type, given)
        allowed = [_typed(self.option.type, value) for value in self.option.values]
        if found is None:
            self._refuse(given, f"a value of type {self.option.type}")
        if allowed and found not in allowed:
            self._refuse(given, f"one of {', '.join(map(str, self.option.values))}")
        if self.option.pattern and not re.fullmatch(self.option.pattern, str(found)):
            self._refuse(given, f"text that matches {self.option.pattern}")
        return found  # type: ignore[no-any-return]

    def _refuse(self, given: Any, expected: str) -> None:
        raise ConfigError(f"{shown(str(given))} can't be its value", where=f"param {self.name}", expected=expected)


def as_json(value: Any) -> Any:
    """A parameter's value as JSON has it: a date as text."""
    return value.isoformat() if isinstance(value, date) else value


def _typed(kind: str, given: Any) -> Any:
    """The value as a type; None where it has no such form."""
    if kind == "string":
        return given if isinstance(given, str) else None
    if kind == "date":
        try:
            return given if isinstance(given, date) else date.fromisoformat(str(given))
        except ValueError:
            return None
    if isinstance(given, str):
        given = _parsed(kind, given)
    wanted = (int, float) if kind == "number" else (_TYPES[kind],)
    is_bool = isinstance(given, bool)
    return given if isinstance(given, wanted) and is_bool == (kind == "boolean") else None


def _parsed(kind: str, text: str) -> Any:
    if kind == "boolean":
        return _BOOLS.get(text.lower())
    try:
        return json.loads(text) if re.fullmatch(r"-?[0-9][0-9.eE+-]*", text) else None
    except ValueError:
        return None


def params_of(read: Mapping[str, Any]) -> dict[str, Param]:
    """Name -> parameter, of a pipeline file's `params`."""
    return {name: Param(name=name, option=_option(item)) for name, item in read.items()}


def _option(item: Any) -> ParamOption:
    """A parameter's options; a bare value is its default, and says its type."""
    if isinstance(item, ParamOption):
        return item
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return ParamOption(type=kinds[type(item)], default=item)  # type: ignore[arg-type]


def values_of(params: Mapping[str, Param], given: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> typed value: what is given, else the default; a parameter with neither is left out.

    Args:
        params: the pipeline's.
        given: values of some of them; other names are left alone, since a DAG may have more.

    Raises:
        ConfigError: a value that isn't what its parameter may be.
    """
    found = {}
    for name, param in params.items():
        value = given.get(name)
        value = param.default if value is None else value
        if value is not None:
            found[name] = param.value(value)
    return found


def defaults_of(read: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> value of the parameters whose default can be their value; the others are told elsewhere."""
    found: dict[str, Any] = {}
    for name, param in params_of(read).items():
        with contextlib.suppress(ConfigError, *_NO_PATTERN):
            found |= values_of({name: param}, {})
    return found


def told(texts: list[str], params: Mapping[str, Param]) -> dict[str, str]:
    """`NAME=VALUE` of a command line as a mapping.

    Raises:
        ConfigError: no such form, or no such parameter.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in params:
            raise ConfigError(
                f"--param {shown(text)}", expected="NAME=VALUE", remedy=nearest(name, params) if equals else ""
            )
        found[name] = value
    return found


def check(node: MapNode, params: Mapping[str, Param], *, alone: bool, problems: Problems) -> None:
    """Tell what is wrong with the parameters themselves.

    Args:
        node: the value of `params`.
        params: as they were read.
        alone: whether the pipeline starts by itself, with nobody there to fill in a form.
        problems: where it is told.
    """
    for name, param in params.items():
        entry = node.entries[name]
        for place, message, hint in _complaints(param, entry.key, entry.value, alone=alone):
            problems.add(place, "invalid-param", message, hint)


def _complaints(param: Param, key: Node, node: Node, *, alone: bool) -> Iterator[tuple[Node, str, str]]:
    if not NAME.fullmatch(param.name):
        yield key, f"{shown(param.name)} can't be a parameter's name", "letters, digits and _; no digit first"
    if param.name in RESERVED:
        yield key, f"{param.name!r} is what the form of a run asks for already", "choose another name"
    place = (node.get("default") if isinstance(node, MapNode) else None) or node
    if param.option.pattern and (said := _no_pattern(param.option.pattern)):
        yield (node.get("pattern") if isinstance(node, MapNode) else None) or node, said, ""
        return
    yield from _no_values(param, node)
    if param.default is None:
        if alone:
            yield key, f"parameter {param.name!r} has no default, and nobody fills in a form", "give it a default"
        return
    if param.option.type == "string" and not isinstance(param.option.default, str):
        yield place, *_no_text(place, param.option.default)
        return
    try:
        param.value(param.default)
    except ConfigError as error:
        yield place, f"the default {shown(str(param.default))} can't be its value", f"expected {error.expected}"


def _no_values(param: Param, node: Node) -> Iterator[tuple[Node, str, str]]:
    """Listed values that aren't of the parameter's type: nothing that is given would ever equal them."""
    kind, found = param.option.type, node.get("values") if isinstance(node, MapNode) else None
    for place, value in enumerate(param.option.values):
        if _typed(kind, value) is None and (kind != "string" or isinstance(value, date)):  # numbers: told before
            where = found.items[place] if isinstance(found, ListNode) else node
            hint = f'write "{value}" in quotes' if kind == "string" else f"expected values of type {kind}"
            yield where, f"{shown(str(value))} isn't of its type, {kind}", hint


def _no_text(node: Node, default: Any) -> tuple[str, str]:
    """Message and hint for the default of a text that YAML reads as something else."""
    text = node.text if isinstance(node, ScalarNode) else str(default)
    kind = "date" if isinstance(default, date) else "boolean" if isinstance(default, bool) else "number"
    message = f"{text} is a {kind} to YAML, and the parameter's type is string"
    return message, f'write "{text}" in quotes'


def _no_pattern(text: str) -> str:
    try:
        re.compile(text)
    except _NO_PATTERN as error:
        return f"{shown(text)} is no regular expression: {error}"
    return ""
