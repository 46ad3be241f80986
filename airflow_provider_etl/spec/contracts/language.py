"""The keys of a contract file, and what a source or load says of the contract that it keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

from spark_jobs.kinds import PYDANTIC

Mode = Literal["evolve", "freeze", "discard", "quarantine"]
COMPLETE: Final = 0.99
"""The share of required values that there must be where a contract says nothing."""
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%")


@dataclass(frozen=True, kw_only=True)
class ContractColumn:
    """One column that a contract promises."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: str
    """Spark SQL type, such as `int`, `decimal(10,2)`, `timestamp`, `array<string>`."""
    required: bool = False
    """Whether every row has a value."""
    unique: bool = False
    """Whether no two rows of a window share a value; rows without one are ignored."""
    min: int | float | str | None = None
    """Smallest value: a number, or a date or timestamp as text, in the pipeline's timezone where it has no offset."""
    max: int | float | str | None = None
    """Largest value."""
    values: tuple[int | float | bool | str, ...] = field(default=(), metadata={"min_length": 1})
    """The only values that there are."""
    regex: str | None = None
    """Java regular expression, searched anywhere in the text: anchor it with ^ and $ where the whole must match."""
    pii: bool | str = field(default=False, metadata={"pattern": "^[a-z][a-z0-9_]*$"})
    """Whether its values are personal, or of which class: `true`, or a word such as `email`, `phone`, `name`. `lint`
    warns where they reach a load as they are."""
    description: str = ""
    """What the column means, for people."""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How old the newest row may be."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    column: str
    """Timestamp or date that says how new a row is."""
    within: timedelta
    """How long before the end of its window the newest row may lie, such as 1h."""


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """How many rows have a value."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    columns: tuple[str, ...] = field(metadata={"min_length": 1})
    """The columns, taken together."""
    share: str | float
    """Share of their values that are there, such as `99 %` or 0.99."""


@dataclass(frozen=True, kw_only=True)
class Modes:
    """What becomes of what the contract doesn't name; nothing said: what the source or load does by itself."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    table: Mode | None = None
    """Tables that the data would bring: `evolve` or `freeze`, which are one: a pipeline file names its tables, and no
    data adds one."""
    columns: Mode | None = None
    """Columns that the contract doesn't name: let them come, stop, leave them out, or set rows aside that have a value
    there."""
    types: Mode | None = None
    """Values that break a type or a rule: `freeze` stops, `quarantine` sets the rows aside."""


@dataclass(frozen=True, kw_only=True)
class ContractFile:
    """What a dataset promises to those who read it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    extends: str | None = None
    """Another contract, relative to this file, whose keys hold where this one has none; mappings merge."""
    version: str | int = ""
    """Its version, for people; in quotes where it looks like a number with a point: "1.0"."""
    owner: str = ""
    """Who answers for the data."""
    description: str = ""
    """What the data is."""
    columns: dict[str, ContractColumn] = field(metadata={"min_length": 1})
    """Column -> what is promised."""
    keys: tuple[str, ...] = field(default=(), metadata={"distinct": True, "min_length": 1})
    """Columns that tell rows apart: each row has a value in all of them, and no two rows of a window share them."""
    freshness: timedelta | Freshness | None = None
    """How old the newest row may be: {column, within}; a duration alone where one column is a timestamp or date."""
    completeness: str | float | Completeness | None = None
    """Share of values that are there: a share such as `95 %` of the required columns together, counted before rows
    without them are set aside (default: 99 %; `0 %` asks for none); or of any columns: {columns, share}."""
    modes: Modes = field(default_factory=Modes)
    """What becomes of what the contract doesn't name."""


@dataclass(frozen=True, kw_only=True)
class ContractUse:
    """A contract, where more is to be said of it than its file."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    file: str
    """The contract's file, relative to the project folder."""
    schema: str | None = None
    """Which of its schemas, where a file in the Open Data Contract Standard holds several."""
    completeness: str | float | None = None
    """The share of required values that must be there here, in place of the contract's own, such as `90 %`."""
    modes: Modes = field(default_factory=Modes)
    """Modes that hold here in place of the contract's own."""


def share_of(value: str | float) -> float | None:
    """A share such as `99 %` or 0.99 as a number from 0 to 1; None where it is none."""
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, str) and match is None:
        return None
    share = float(Decimal(match[1]) / 100) if match is not None else float(value)
    return share if 0 <= share <= 1 else None
