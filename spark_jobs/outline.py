"""What is known of a dataset's columns before anything runs: `lint` follows it through the steps.

A kind says by `outline` which columns it gives, and by `misfits` what can't be with the columns that it gets. Nothing
here reads data or imports Spark, so it must never claim what Spark would not: what isn't certain is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from spark_jobs.columns import nearest

Rest = Literal["none", "new", "any"]
"""Which columns there may be beside the known ones: none; new ones that a contract doesn't name; any."""

_ORDER: Final[tuple[Rest, ...]] = ("none", "new", "any")
_SAME: Final = {
    "integer": "int",
    "long": "bigint",
    "short": "smallint",
    "byte": "tinyint",
    "real": "float",
    "dec": "decimal",
    "numeric": "decimal",
    "character": "char",
    "timestamp_ltz": "timestamp",
}
_FAMILIES: Final = {
    "tinyint": "integer",
    "smallint": "integer",
    "int": "integer",
    "bigint": "integer",
    "decimal": "decimal",
    "float": "float",
    "double": "float",
    "string": "text",
    "char": "text",
    "varchar": "text",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp_ntz",
    "binary": "binary",
    "array": "nested",
    "map": "nested",
    "struct": "nested",
    "variant": "nested",
    "interval": "interval",
    "time": "time",
    "void": "void",
    "geometry": "nested",
    "geography": "nested",
}
TYPES: Final = tuple(sorted({*_FAMILIES, *_SAME} - {"void"}))
NUMBERS: Final = frozenset({"integer", "decimal", "float"})
INSTANTS: Final = frozenset({"date", "timestamp", "timestamp_ntz"})
_NAMES: Final = re.compile(r"`[^`]+`|\w+")
_WORD: Final = re.compile(r"\s*([a-z_]+)")


def plain_type(text: str) -> str:
    """A Spark type with its usual name: `INTEGER` is `int`, `dec(10,2)` is `decimal(10,2)`."""
    lowered = text.strip().lower()
    match = _WORD.match(lowered)
    word = match[1] if match else ""
    return _SAME[word] + lowered[len(word) :] if word in _SAME else lowered


def family(kind: str | None) -> str | None:
    """What a type is compared as: integer, decimal, float, text, boolean, date …; None where it isn't known."""
    match = _WORD.match(plain_type(kind)) if kind is not None else None
    return _FAMILIES.get(match[1]) if match else None


def alike(left: str | None, right: str | None) -> bool:
    """Whether keys of two types can be compared without changing a value (`columns.comparable`, before Spark)."""
    one, other = family(left), family(right)
    if one is None or other is None or "void" in (one, other) or "nested" in (one, other):
        return True
    return one == other or {one, other} <= {"integer", "decimal"}


@dataclass(frozen=True, kw_only=True)
class Outline:
    """The columns of a dataset, as far as they are known.

    Args:
        columns: name -> Spark type; None where the type isn't known.
        rest: which other columns there may be.
        gone: names, in lower case, that certainly aren't there, whatever `rest` says.
        personal: names, in lower case, of columns whose values are personal and aren't masked.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    rest: Rest = "any"
    gone: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()

    def spelled(self, name: str) -> str | None:
        """The column as it is spelled here: letter case makes no difference to Spark; None where none is known."""
        if name in self.columns:
            return name
        return next((known for known in self.columns if known.lower() == name.lower()), None)

    def may_have(self, name: str) -> Rest:
        """How a name that isn't known stands: `none` it can't be there, `new` nobody promised it, `any` who knows."""
        return "none" if name.lower() in self.gone else self.rest

    def select(self, names: Iterable[str]) -> Outline:
        """These columns and no others."""
        columns = {name: self.columns.get(name) for name in names}
        return Outline(columns=columns, rest="none", personal=self.personal & _lowered(columns))

    def without(self, names: Sequence[str]) -> Outline:
        """All but these columns."""
        kept = {name: kind for name, kind in self.columns.items() if name not in names}
        return replace(self, columns=kept, gone=self.gone | _lowered(names), personal=self.personal - _lowered(names))

    def renamed(self, names: Mapping[str, str]) -> Outline:
        """Columns under other names, all at once."""
        columns = {names.get(name, name): kind for name, kind in self.columns.items()}
        columns |= {new: None for new in names.values() if new not in columns}
        there = {new.lower() for new in names.values()}
        gone = (self.gone | _lowered(names)) - there
        moved = {new.lower() for old, new in names.items() if old.lower() in self.personal}
        return replace(self, columns=columns, gone=gone, personal=self.personal - _lowered(names) - there | moved)

    def plus(self, columns: Mapping[str, str | None]) -> Outline:
        """With more columns, none of them personal, behind the others; those of the same name are replaced in place."""
        there = _lowered(columns)
        together = _together(self.columns, columns)
        return replace(self, columns=together, gone=self.gone - there, personal=self.personal - there)

    def holding(self, names: Iterable[str]) -> Outline:
        """With some columns that are personal."""
        return replace(self, personal=self.personal | _lowered(names))

    def says_personal(self, text: str, kind: str | None) -> bool:
        """Whether an expression gives a personal value: it names such a column, and tells more than a yes or a number.

        Args:
            text: the expression.
            kind: its type; None where it isn't known.
        """
        named = self.personal & _lowered(name.strip("`") for name in _NAMES.findall(text))
        texts = any(family(self.columns.get(self.spelled(name) or "")) == "text" for name in named)
        return bool(named) and family(kind) != "boolean" and not (texts and family(kind) in NUMBERS)

    def beside(self, other: Outline) -> Outline:
        """With the columns of another dataset behind one's own."""
        gone = frozenset(
            {name for name in self.gone if other.spelled(name) is None and other.may_have(name) == "none"}
            | {name for name in other.gone if self.spelled(name) is None and self.may_have(name) == "none"}
        )
        columns, rest = _together(self.columns, other.columns), looser(self.rest, other.rest)
        return Outline(columns=columns, rest=rest, gone=gone, personal=self.personal | other.personal)


def _lowered(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _together(columns: Mapping[str, str | None], more: Mapping[str, str | None]) -> dict[str, str | None]:
    """Columns and others; one that differs from an earlier one in letter case alone is told once, and not kept."""
    spelled = {name.lower(): name for name in columns}
    return {**columns, **{name: kind for name, kind in more.items() if spelled.get(name.lower(), name) == name}}


def looser(*rests: Rest) -> Rest:
    """The least certain of several."""
    return max(rests, key=_ORDER.index)


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Something that can't be with the columns there are.

    Args:
        option: the option that it is about, as the file calls it; with a dot, one in it: `columns.amount`.
        message: what was found.
        hint: what to do.
        code: which rule it breaks; `column-not-promised` is a warning.
    """

    option: str
    message: str
    hint: str = ""
    code: Literal["type-mismatch", "column-collision", "unknown-column", "unknown-type", "column-not-promised"] = (
        "type-mismatch"
    )


class Scope(Protocol):
    """What `lint` can tell a kind."""

    @property
    def datasets(self) -> Mapping[str, Outline]:
        """The other datasets by name."""

    def type_of(self, text: str, rows: Outline) -> str | None:
        """The type of an expression over these columns; None where it isn't known."""

    def query(self, text: str, rows: Outline | None) -> Outline:
        """What a SELECT over `input` (these columns; None: there is no `input`) and the other datasets gives."""


def collisions(option: str, names: Iterable[str]) -> Iterator[Misfit]:
    """A misfit for each name that differs from an earlier one in letter case at most."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other is not name:
            clash = f"two columns are called {name!r}" if other == name else f"columns {other!r} and {name!r} collide"
            hint = "choose names that differ in more than letter case"
            yield Misfit(option=option, message=clash, hint=hint, code="column-collision")


def bad_types(option: str, types: Mapping[str, str]) -> Iterator[Misfit]:
    """A misfit for each type that Spark doesn't know.

    Args:
        option: the option that holds them; empty where the mapping is the whole value.
        types: column -> type as it is written.
    """
    for name, text in types.items():
        if family(text) is None:
            place = f"{option}.{name}" if option else name
            hint = nearest(text, TYPES) or "such as int, decimal(10,2), string, date, timestamp"
            yield Misfit(option=place, message=f"{text!r} is no type of Spark", hint=hint, code="unknown-type")
