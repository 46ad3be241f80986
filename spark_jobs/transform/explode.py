"""`explode`: a row for each element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions, family
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


_PLACE: Final = "leave key out; position gives an element's place"


@dataclass(frozen=True, kw_only=True)
class Explode:
    """One row for each element of an array, or each entry of a map, with the other columns beside it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "explode: {column: items, as: item, position: line}"
    effect: ClassVar[Effect] = "reshape"
    shorthand: ClassVar[str] = "column"

    column: str = field(metadata={"column": True})
    """The array or map."""
    name: str | None = field(default=None, metadata={"alias": "as", "min_length": 1})
    """What the element, or the entry's value, is called; default: as the column, in whose place it stands."""
    key: str | None = field(default=None, metadata={"min_length": 1})
    """What an entry's key is called: maps need it."""
    position: str | None = field(default=None, metadata={"min_length": 1})
    """A new column with the element's place, from 0; by default there is none."""
    empty: Literal["keep", "drop"] = "keep"
    """A row whose array or map is null or empty: keep it, with nulls for the element, or leave it out."""

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The element in the column's place, key and position before it."""
        found: dict[str, str | None] = {}
        for name, kind in rows.columns.items():
            found |= dict.fromkeys(self._names()) if name == self.column else {name: kind}
        found |= {} if self.column in rows.columns else dict.fromkeys(self._names())
        gone = rows.gone | ({self.column.lower()} - {name.lower() for name in self._names()})
        own = self.column.lower()
        kept = Outline(columns=found, rest=rows.rest, gone=gone, personal=rows.personal - {own})
        return kept.holding([self.name or own] if own in rows.personal else [])

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that holds no elements, names that collide."""
        kind = rows.columns.get(self.column)
        if family(kind) not in {None, "nested", "void"}:
            message = f"column {self.column!r} is {kind}, no array and no map"
            yield Misfit(option="column", message=message, hint="split or parse it in a derive step first")
        if kind and kind.startswith("array<") and self.key is not None:
            yield Misfit(
                option="key", message=f"column {self.column!r} is an array: its elements have no keys", hint=_PLACE
            )
        if kind and kind.startswith("map<") and self.key is None:
            message = f"column {self.column!r} is a map: its entries have keys"
            yield Misfit(option="column", message=message, hint="say what they are called: key")
        yield from collisions("as", [*rows.without([self.column]).columns, *self._names()])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, an element each; a column that has another place keeps it.

        Raises:
            ConfigError: an unknown column, neither array nor map, a map without `key`, names that collide.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require([self.column], rows.columns, f"{context.where}.column")
        self._refuse_type(rows, context.where)
        names = self._names()
        others = [name for name in rows.columns if name != self.column]
        refuse_collisions([*others, *names], context.where)
        with_place = F.posexplode_outer if self.empty == "keep" else F.posexplode
        alone = F.explode_outer if self.empty == "keep" else F.explode
        made = (with_place if self.position else alone)(column(self.column)).alias(*names)
        place = rows.columns.index(self.column)
        return rows.select(*[column(name) for name in others], made).select(
            [column(name) for name in [*others[:place], *names, *others[place:]]]
        )

    def _names(self) -> list[str]:
        """The new columns, in their order."""
        return [name for name in (self.position, self.key, self.name or self.column) if name is not None]

    def _refuse_type(self, rows: DataFrame, where: str) -> None:
        from pyspark.sql import types as T  # noqa: N812

        kind = rows.schema[self.column].dataType
        if not isinstance(kind, (T.ArrayType, T.MapType)):
            raise ConfigError(
                f"column {self.column!r} is {kind.simpleString()}", where=where, expected="an array or a map"
            )
        if isinstance(kind, T.MapType) != (self.key is not None):
            told = "a map: its entries have keys" if self.key is None else "an array: its elements have no keys"
            remedy = "say what they are called: key" if self.key is None else "leave key out"
            raise ConfigError(f"column {self.column!r} is {told}", where=where, remedy=remedy)
