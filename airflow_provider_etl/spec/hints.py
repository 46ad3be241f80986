"""Type hints, as far as a pipeline file has a form for them, and in words."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

_WORDS: Final[dict[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "nothing",
    date: "a date",
    datetime: "a time",
    timedelta: "a duration such as 15m",
    Any: "anything",
}


def members(hint: Any) -> tuple[Any, ...]:
    """The members of a union; a single type is the only member of its own."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return members(typing.get_args(hint)[0])
    if origin in (types.UnionType, typing.Union):
        return tuple(member for argument in typing.get_args(hint) for member in members(argument))
    return (hint,)


def is_class(hint: Any) -> bool:
    """Whether it is a dataclass: a mapping with known keys."""
    return dataclasses.is_dataclass(hint) and isinstance(hint, type)


def is_mapping(hint: Any) -> bool:
    """Whether it is a mapping with free keys."""
    return typing.get_origin(hint) in (dict, Mapping)


def is_list(hint: Any) -> bool:
    """Whether it is a list."""
    return typing.get_origin(hint) in (tuple, list, Sequence)


def is_scalar(hint: Any) -> bool:
    """Whether it is written as one scalar."""
    return hint in _WORDS or typing.get_origin(hint) is Literal


def described(hint: Any) -> str:
    """What is wanted, in words; `or nothing` is left out."""
    words = [_described(member) for member in members(hint) if member is not type(None)]
    return " or ".join(dict.fromkeys(words))


def _described(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(str(value) for value in typing.get_args(hint))
    if is_list(hint):
        return "a list"
    return "a mapping" if is_class(hint) or is_mapping(hint) else _WORDS.get(hint, str(hint))
