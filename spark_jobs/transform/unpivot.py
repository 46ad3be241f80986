"""`unpivot`: columns become rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions, plain_type
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Unpivot:
    """One row for each of some columns: its name and its value, beside the columns that stay."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "unpivot: {columns: [first, second], name: half, value: sold}"
    effect: ClassVar[Effect] = "reshape"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """Columns that become rows; of one type."""
    name: str = field(default="name", metadata={"min_length": 1})
    """The new column that holds their names."""
    value: str = field(default="value", metadata={"min_length": 1})
    """The new column that holds their values."""
    nulls: Literal["keep", "drop"] = "keep"
    """Whether a null is a row."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.columns else {"columns": "there is no column to turn"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns that stay, then name and value."""
        kinds = {rows.columns.get(name) for name in self.columns}
        personal = [self.value for name in self.columns if name.lower() in rows.personal]
        kind = kinds.pop() if len(kinds) == 1 else None
        return rows.without(self.columns).plus({self.name: "string", self.value: kind}).holding(personal)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns of different types, names that collide."""
        kinds = {name: plain_type(kind) for name in self.columns if (kind := rows.columns.get(name))}
        first = next(iter(kinds), "")
        for name, kind in kinds.items():
            if kind != kinds[first]:
                message = f"column {name!r} is {kind}, and {first!r} is {kinds[first]}"
                yield Misfit(option="columns", message=message, hint="cast them to one type first")
        yield from collisions("name", [*rows.without(self.columns).columns, self.name, self.value])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The columns that stay, then name and value.

        Raises:
            ConfigError: an unknown column, columns of different types, names that collide.
        """
        require(self.columns, rows.columns, f"{context.where}.columns")
        kinds = {name: kind for name, kind in rows.dtypes if name in self.columns}
        if len(set(kinds.values())) > 1:
            told = ", ".join(f"{name!r} {kind}" for name, kind in kinds.items())
            raise ConfigError(
                f"columns of different types: {told}",
                where=f"{context.where}.columns",
                expected="one type",
                remedy="cast them first",
            )
        kept = [name for name in rows.columns if name not in self.columns]
        refuse_collisions([*kept, self.name, self.value], context.where)
        turned = rows.unpivot(
            [column(name) for name in kept], [column(name) for name in self.columns], self.name, self.value
        )
        return turned if self.nulls == "keep" else turned.where(column(self.value).isNotNull())
