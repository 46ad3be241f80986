"""Values as YAML on one line, and a value that would do for an option that has to have one."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from airflow_provider_etl.spec import hints, scalars
from airflow_provider_etl.spec.class_plan import FieldPlan, plan_of

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./$][A-Za-z0-9_./$ -]*")
_BLOCK: Final = re.compile(r"[A-Za-z$./](?:[^:#\n\t]|:(?=[^ ]))*[^: #\n\t]")
_UNITS: Final = ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
TIME: Final = "updated_at"
KEY: Final = "id"
# What the options of strategies and sources are called, whoever's kind it is, in the starter's own columns.
_COLUMNS: Final = {"keys": (KEY,), "key": KEY, "sequence": TIME, "column": TIME, "valid_from": TIME}


def flow(value: Any) -> str:
    """A value as YAML on one line, in the forms that a pipeline file takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = {key: getattr(value, field.name) for key, field in plan_of(type(value)).fields.items()}
        return flow({key: item for key, item in items.items() if item is not None})
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(name)}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, timedelta):
        return _duration(value)
    return _text(value) if isinstance(value, str) else str(value)


def key(name: Any) -> str:
    """A key: always text to the file's reader, whatever else YAML sees in `on`."""
    return name if isinstance(name, str) and _PLAIN.fullmatch(name) else _text(str(name))


def block(value: Any) -> str:
    """A value on a line of its own, where a text may hold what ends it inside [] and {}."""
    if isinstance(value, str) and _BLOCK.fullmatch(value) and scalars.resolved(value)[0] == "text":
        return value
    return flow(value)


def _text(value: str) -> str:
    is_text = bool(value) and scalars.resolved(value)[0] == "text"
    if is_text and _PLAIN.fullmatch(value) and value == value.strip():
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + "".join(sign if sign.isprintable() else _escape(sign) for sign in escaped) + '"'


def _escape(sign: str) -> str:
    """A sign that YAML takes in no text as it is, or that would end the line."""
    number = ord(sign)
    return f"\\x{number:02x}" if number < 1 << 8 else f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    length, unit = next(pair for pair in _UNITS if seconds % pair[0] == 0)
    return f"{seconds // length}{unit}"


def example(field: FieldPlan, path: str) -> Any:
    """A value that would do for an option, by its name and its type.

    Args:
        field: the option.
        path: for an option that is a path.
    """
    if field.metadata.get("path", field.name == "path"):
        return path
    if field.name in _COLUMNS:
        return _COLUMNS[field.name]
    return _typed(hints.members(field.hint), field, path)


def _typed(members: tuple[Any, ...], field: FieldPlan, path: str) -> Any:
    for member in members:
        if hints.is_class(member):
            return required(member, path)
        if typing.get_origin(member) is Literal:
            return typing.get_args(member)[0]
    if any(hints.is_list(member) for member in members):
        return (KEY,)
    if int in members or float in members:
        return field.metadata.get("ge", 1)
    if bool in members:
        return True
    return timedelta(hours=1) if timedelta in members else TIME if field.metadata.get("column") else field.name


def required(kind: type[Any], path: str) -> dict[str, Any]:
    """The options that a kind must have, each with a value that would do."""
    return {key: example(field, path) for key, field in plan_of(kind).fields.items() if field.required}
