"""A class of the language as a table: its options, what each takes, its default, what it is for."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from airflow_provider_etl.spec import hints
from airflow_provider_etl.spec.class_docs import attribute_docs
from airflow_provider_etl.spec.class_plan import plan_of
from airflow_provider_etl.spec.nodes import Node

_WORDS: Final = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "date": "date",
    "datetime": "time",
    "timedelta": "duration",
    "Any": "anything",
}


def table(kind: Any) -> Iterator[str]:
    """The lines of a Markdown table, one row for each option."""
    yield "| key | takes | default | |"
    yield "|---|---|---|---|"
    docs, fields = attribute_docs(kind), {item.name: item for item in dataclasses.fields(kind)}
    for key, plan in plan_of(kind).fields.items():
        takes = _escaped(_named(words(plan.hint), plan.metadata) + bounds(plan.metadata))
        yield f"| `{key}` | {takes} | {_default(fields[plan.name])} | {_escaped(docs.get(plan.name, ''))} |"


def _named(takes: str, metadata: Mapping[str, Any]) -> str:
    """What a text is, where the metadata says so."""
    meanings = {"expression": "expression", "query": "query", "column": "column", "column_of": "column", "path": "path"}
    meaning = next((word for key, word in meanings.items() if metadata.get(key)), None)
    takes = takes.replace("text", meaning) if meaning else takes
    return f"{takes}, `${{…}}` too" if metadata.get("substitute") else takes


def words(hint: Any) -> str:
    """What a type takes, in words."""
    members = [item for item in hints.members(hint) if item is not type(None)]
    return " or ".join(dict.fromkeys(_words(item) for item in members))


def _words(hint: Any) -> str:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return " · ".join(f"`{value}`" for value in arguments)
    if hints.is_list(hint):
        return f"list of {_plural(words(arguments[0]))}"
    if hints.is_mapping(hint):
        return f"mapping: name → {words(arguments[1])}"
    if hint is Node:
        return "mapping or list"
    return f"[{written(hint)}](#{anchor(hint)})" if hints.is_class(hint) else _WORDS.get(hint.__name__, hint.__name__)


def written(kind: Any) -> str:
    """A class as the mapping that stands for it in a file: `{strategy: append}`, `{every: …}`, `{attempts: …, …}`."""
    fields = list(plan_of(kind).fields.values())
    shown = [item for item in fields if item.required] or fields[:1]
    parts = [f"{item.key}: {_only(item.hint)}" for item in shown]
    return "`{" + ", ".join([*parts, "…"] if len(fields) > len(shown) else parts) + "}`"


def _only(hint: Any) -> str:
    """The only value that a type has; else three dots."""
    values = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
    return str(values[0]) if len(values) == 1 else "…"


def anchor(kind: Any) -> str:
    """The anchor of a class's own table."""
    return str(kind.__name__).lower()


def _plural(word: str) -> str:
    return f"{word}s" if word in {"text", "number", "whole number", "date"} else f"({word})" if " or " in word else word


def bounds(metadata: Mapping[str, Any]) -> str:
    """What an option's metadata asks of its value."""
    low, high = metadata.get("ge"), metadata.get("le")
    found = [f"at least {_shown(low)}"] if low is not None else []
    found += [f"at most {_shown(high)}"] if high is not None else []
    return ", " + ", ".join(found) if found else ""


def _default(item: dataclasses.Field[Any]) -> str:
    if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
        return "**required**"
    value = item.default if item.default is not dataclasses.MISSING else ""
    return "" if value in (None, "", ()) and not isinstance(value, bool) else f"`{_shown(value)}`"


def _shown(value: Any) -> str:
    """A value as the file writes it."""
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        unit, size = next((item for item in (("d", 86400), ("h", 3600), ("m", 60)) if not seconds % item[1]), ("s", 1))
        return f"{seconds // size}{unit}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def nested(kind: Any, above: str = "") -> dict[Any, str]:
    """The classes that a class's options are made of, in their order, those inside them too -> where each stands.

    Args:
        kind: the class.
        above: the key path that leads to it.
    """
    found: dict[Any, str] = {}
    for key, plan in plan_of(kind).fields.items():
        for inner, more in _classes(plan.hint):
            path = f"{above}{key}{more}"
            for item, place in {inner: path, **nested(inner, f"{path}.")}.items():
                found.setdefault(item, place)
    return found


def _classes(hint: Any) -> Iterator[tuple[Any, str]]:
    """Each class of a type, and what stands between the key and it."""
    for member in hints.members(hint):
        if hints.is_class(member) and member is not Node:
            yield member, ""
        else:
            between = ".NAME" if hints.is_mapping(member) else "[]"
            for argument in typing.get_args(member) if typing.get_origin(member) is not Literal else ():
                yield from ((inner, between + more) for inner, more in _classes(argument))
