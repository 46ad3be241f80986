"""The contract of what arrives: which columns a source has and which types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.kinds import PYDANTIC

if TYPE_CHECKING:
    from pyspark.sql.types import DataType


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that a source promises."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: str
    """Spark SQL type, such as `int`, `decimal(10,2)`, `timestamp`, `array<string>`."""
    required: bool = False
    """Whether every row must have a value, and every file the column."""
    pii: bool | str = field(default=False, metadata={"pattern": "^[a-z][a-z0-9_]*$"})
    """Whether its values are personal, or of which class: `true`, or a word such as `email`, `phone`, `name`. `lint`
    warns where they reach a load as they are."""
    description: str = ""
    """What the column means, for people."""


@dataclass(frozen=True, kw_only=True)
class WindowColumn:
    """The rows of a window are those whose column lies in it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    column: str = field(metadata={"column": True})
    """Timestamp or date that says to which window a row belongs: start <= column < end."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Columns with their types, and what becomes of others.

    Args:
        columns: name -> what is promised; empty: nothing is.
        new_columns: evolve, freeze, discard or quarantine.
        nested: whether the format can hold arrays, maps and structs.
        label: the format's name in a sentence.
        folders: columns that the names of folders hold, `day=2013-01-01`, and not the files.
        where: place in the pipeline file.
        window: the column that says to which window a row belongs, and that every file must have; None for none.
    """

    columns: Mapping[str, Column]
    new_columns: str
    nested: bool
    where: str
    window: str | None = None
    label: str = "CSV"
    folders: tuple[str, ...] = ()

    @cached_property
    def types(self) -> dict[str, DataType]:
        """Name -> Spark's type.

        Raises:
            ConfigError: a type that Spark doesn't know or that the format can't hold; two names that differ by case.
        """
        twin = twins(self.columns)
        if twin:
            raise ConfigError(f"columns {twin[0]!r} and {twin[1]!r} differ only by case", where=f"{self.where}.columns")
        return {name: self._type(name, column.type) for name, column in self.columns.items()}

    def _type(self, name: str, text: str) -> DataType:
        from pyspark.errors import ParseException
        from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

        place = f"{self.where}.columns.{name}.type"
        try:
            kind = T.DataType.fromDDL(text)
        except ParseException as error:
            raise ConfigError(f"unknown type {text!r}", where=place, expected="a Spark SQL type") from error
        listed = isinstance(kind, T.StructType) and not text.lower().lstrip().startswith("struct")
        if listed or isinstance(kind, T.NullType):
            raise ConfigError(f"{text!r} is no type of a column", where=place, expected="a Spark SQL type")
        if isinstance(kind, (T.CharType, T.VarcharType)):
            raise ConfigError(f"type {text!r} isn't enforced", where=place, expected="string")
        if not self.nested and isinstance(kind, (T.ArrayType, T.MapType, T.StructType, T.VariantType)):
            raise ConfigError(f"{self.label} can't hold {text!r}", where=place, expected="a type of single values")
        return kind

    @cached_property
    def given(self) -> dict[str, DataType]:
        """Name -> Spark's type of the columns that the files themselves hold."""
        return {name: kind for name, kind in self.types.items() if name not in self.folders}

    def required(self) -> list[str]:
        """Names of the columns that every file must have."""
        needed = [name for name, column in self.columns.items() if column.required]
        if self.window is not None and self.window not in needed:
            needed.append(self.window)
        return [name for name in needed if name not in self.folders]

    def fit(self, found: Sequence[str], place: str) -> list[str]:
        """See that columns found in a file fit, and say which are new, in their order.

        Raises:
            DataError: a column is there twice, or only by another spelling, or a required one isn't, or a new one is
                while the contract is frozen.
        """
        both = [name for name in found if name in self.folders]
        if both:
            raise DataError(
                f"column {both[0]!r} is in the file, and in the names of its folders",
                where=place,
                expected="one of them",
                remedy="take it out of partitions, or out of the files",
            )
        twin = twins(found)
        if twin:
            same = f"{twin[0]!r} twice" if twin[0] == twin[1] else f"{twin[0]!r} and {twin[1]!r}"
            raise DataError(f"the file has column {same}", where=place, expected="names that differ by more than case")
        self._refuse_near(found, place)
        self._refuse_missing(found, place)
        new = [name for name in found if name not in self.columns]
        if new and self.new_columns == "freeze":
            raise DataError(
                f"new columns: {', '.join(map(repr, new))}",
                where=place,
                expected=f"only {', '.join(self.columns)} (new_columns: freeze)",
                remedy="add them to columns, or let them evolve",
            )
        return new

    def _refuse_near(self, found: Sequence[str], place: str) -> None:
        spelled = {_folded(name): name for name in found}
        for name in self.columns:
            near = spelled.get(_folded(name))
            if near is not None and near != name and name not in found and name not in self.folders:
                raise DataError(
                    f"column {name!r} isn't there, but {near!r} is",
                    where=place,
                    expected=f"{name!r}, exactly so",
                    remedy=f"did you mean {near!r}? write it so in columns, and rename it in a step",
                )

    def _refuse_missing(self, found: Sequence[str], place: str) -> None:
        missing = [name for name in self.required() if name not in found]
        if missing:
            raise DataError(
                f"required column {', '.join(map(repr, missing))} is missing; there are {', '.join(map(repr, found))}",
                where=place,
                expected="every required column",
            )


def twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Two names that Spark can't tell apart; None where there are none."""
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            return seen[name.lower()], name
        seen[name.lower()] = name
    return None


def _folded(name: str) -> str:
    return name.strip().casefold()
