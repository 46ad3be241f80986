"""What a kind is: a frozen keyword-only dataclass (its options) with the one method that does it.

The dataclass is the language: the file reader validates it with pydantic, the JSON Schema and the docs are generated
from it, and here it is rebuilt from the plan without pydantic. Field metadata says what a type can't:

- `alias`: the name in the file, where it is a Python keyword (`with`, `from`).
- `ge`, `le`: bounds of a number.
- `expression`: True where the text is one Spark SQL expression; `query`: True where it is one SELECT; `aggregate`: True
  where the expression is computed over the rows of a group.
- `column`: True where the text (or each item, or each key) names a column of the incoming rows.
- `column_of`: the option with the name of the dataset whose columns the text names; `shared_with`: likewise, where
  the columns are of both, or the values of a mapping are of that one; `directed`: True where `asc`, `desc` may follow;
  `fields`: True where a path may lead to a field of it.
- `dataset`: True where the text names another dataset.
- `connection`: True where the text is the id of an Airflow connection: whoever submits the plan hands it over beside it
  (connections.py), and the method finds it in its context.
- `function`: True where the text names a Python function, `module:function`, which the deployment must allow.
- `upkeep`: True where the option changes no row and so is no part of the fingerprint.
- `substitute`: "text" where `${...}` may stand in the value, "sql" where it becomes a Spark SQL literal, "database"
  where it becomes one of the database that gets the text: `${timestamp:…}` in the plan (jdbc/queries.py).

Class attributes: `shorthand` names the field that a value which is no mapping stands for (`filter: "a > 1"`), and where
`whole` is True every value is that field, a mapping too (`derive: {late: "dep_delay > 15"}`). `requires` names the
third-party modules that the method imports. `example` stands in docs/language.md, and a test lints it. A source whose
`reads_datasets` is True reads the sources above it: its `outline` gets a Scope, and it needs no window of its own. One
whose `consumes` is True gives a window what no window has read before: its loads keep what that was. A
step whose `masks` is True hides values, which then no row that is set aside may show (privacy.py).

What `lint` asks, where a kind has it: `conflicts()` says which options can't go together (option -> why), `outline`
which columns come out, `misfits` what can't be with the columns that go in (outline.py).
A source that has no path says by `sampled(path)` which files stand for it in a test of sample rows.
"""

from __future__ import annotations

import dataclasses
import importlib
import re
import types
import typing
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal, TypeVar

from spark_jobs.errors import ConfigError

# A plain dict, so that this package needs no pydantic: the spec package validates the dataclasses with it.
PYDANTIC: Final[dict[str, Any]] = {"extra": "forbid", "strict": True}

T = TypeVar("T")
_LENGTH: Final = re.compile(r"(\d+(?:\.\d+)?)s")
_ENTRY_POINTS: Final = "airflow_provider_etl.kinds"


def find(registry: Mapping[str, str], name: str, group: str) -> type[Any]:
    """The class of a kind.

    Args:
        registry: name -> "module:Class", the kinds that ship.
        name: the kind's name as in the pipeline file.
        group: "extract", "transform", "check" or "load"; a third party's entry point is called `group.name`.

    Raises:
        ConfigError: no such kind is installed.
    """
    target = registry.get(name) or _entry_point(f"{group}.{name}")
    if target is None:
        known = ", ".join(sorted(registry))
        raise ConfigError(f"unknown {group} kind {name!r}", expected=f"one of {known}")
    module, _, attribute = target.partition(":")
    kind: type[Any] = getattr(importlib.import_module(module), attribute)
    return kind


def reads_datasets(kind: Any) -> bool:
    """Whether a source is made of the sources above it."""
    return bool(getattr(kind, "reads_datasets", False))


def consumes(kind: Any) -> bool:
    """Whether a source gives a window what no window has read before, so that its loads must keep what that was."""
    return bool(getattr(kind, "consumes", False))


def _entry_point(name: str) -> str | None:
    from importlib.metadata import entry_points

    found = [point.value for point in entry_points(group=_ENTRY_POINTS) if point.name == name]
    return found[0] if found else None


def aliases(kind: type[Any]) -> dict[str, str]:
    """Name in the file -> name of the field."""
    return {field.metadata.get("alias", field.name): field.name for field in dataclasses.fields(kind)}


def normalise(kind: type[Any], value: Any) -> Any:
    """Turn a shorthand into the mapping it stands for; anything else is returned as it is."""
    shorthand = getattr(kind, "shorthand", None)
    if shorthand and (getattr(kind, "whole", False) or not isinstance(value, Mapping)):
        return {key: value for key, name in aliases(kind).items() if name == shorthand}
    return value


def build(kind: type[T], value: Mapping[str, Any], where: str = "") -> T:
    """Rebuild a kind, nested dataclasses included, from its JSON in the plan.

    Raises:
        ConfigError: an option that the kind doesn't have.
    """
    names, hints = aliases(kind), typing.get_type_hints(kind)
    options: dict[str, Any] = {}
    for key, item in value.items():
        if key not in names:
            raise ConfigError(f"unknown option {key!r}", where=where, expected=f"one of {', '.join(sorted(names))}")
        options[names[key]] = _rebuild(hints[names[key]], item, f"{where}.{key}")
    return kind(**options)


def _rebuild(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _rebuild_union(arguments, value, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return build(hint, value, where)
    if isinstance(value, Mapping) and len(arguments) == 2:
        return {key: _rebuild(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list) and arguments:
        items = [_rebuild(arguments[0], item, f"{where}[{place}]") for place, item in enumerate(value)]
        return tuple(items) if origin is tuple else items
    return _length(value) if hint is timedelta else value


def _length(value: Any) -> Any:
    """A length of time as `dump` writes it; anything else as it is."""
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    return timedelta(seconds=float(match[1])) if match else value


def _rebuild_union(arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    for argument in arguments:
        if isinstance(value, Mapping) and dataclasses.is_dataclass(argument):
            if not _told_apart(argument, value):
                continue
            return _rebuild(argument, value, where)
        if isinstance(value, list) and typing.get_origin(argument) in (tuple, list):
            return _rebuild(argument, value, where)
        if isinstance(value, Mapping) and typing.get_origin(argument) in (dict, Mapping):
            return _rebuild(argument, value, where)
    return _length(value) if timedelta in arguments else value


def _told_apart(kind: Any, value: Mapping[str, Any]) -> bool:
    """Whether the literals that tell a union's members apart (`strategy: append`) are this one's."""
    names = aliases(kind)
    literals = {name: hint for name, hint in typing.get_type_hints(kind).items() if typing.get_origin(hint) is Literal}
    given = {names.get(key, key): item for key, item in value.items()}
    return all(given[name] in typing.get_args(hint) for name, hint in literals.items() if name in given)


def dump(kind: Any) -> Any:
    """A kind as JSON with the file's names, lengths of time in seconds (`90s`); defaults are left out."""
    if dataclasses.is_dataclass(kind) and not isinstance(kind, type):
        return {
            field.metadata.get("alias", field.name): dump(getattr(kind, field.name))
            for field in dataclasses.fields(kind)
            if not _is_default(field, getattr(kind, field.name))
        }
    if isinstance(kind, Mapping):
        return {key: dump(item) for key, item in kind.items()}
    if isinstance(kind, timedelta):
        return f"{kind.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"
    return [dump(item) for item in kind] if isinstance(kind, (list, tuple)) else kind


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        # 0 == False and 1 == 1.0: the type takes part, or an option would change its meaning on the way.
        return bool(value == field.default) and type(value) is type(field.default)
    return field.default_factory is not dataclasses.MISSING and bool(value == field.default_factory())
