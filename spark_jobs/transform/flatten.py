"""`flatten`: fields of structs become columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, family

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType


@dataclass(frozen=True, kw_only=True)
class Flatten:
    """Fields of structs as columns in the struct's place, fields of structs in them too; a null struct gives nulls."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "flatten: {columns: [address], separator: _}"
    effect: ClassVar[str] = "rows"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """The structs."""
    separator: str = "_"
    """Between the struct's name and the field's: `address_city`."""
    depth: int = field(default=10, metadata={"ge": 1, "le": 100})
    """How many structs within each other are flattened; deeper ones stay as they are."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.columns else {"columns": "there is no struct to flatten"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The other columns; which fields there are isn't known."""
        left = rows.without(self.columns)
        return replace(left, rest="any")

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that have no fields."""
        for name in self.columns:
            kind = rows.columns.get(name)
            if family(kind) not in {None, "nested"}:
                message = f"column {name!r} is {kind}, no struct"
                yield Misfit(option="columns", message=message, hint="parse it with from_json in a derive step first")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, each field in a column.

        Raises:
            ConfigError: an unknown column, one that is no struct, names that collide.
        """
        from pyspark.sql.types import StructType

        require(self.columns, rows.columns, f"{context.where}.columns")
        found: list[Column] = []
        for item in rows.schema:
            if item.name not in self.columns:
                found.append(column(item.name))
                continue
            if not isinstance(item.dataType, StructType):
                raise ConfigError(
                    f"column {item.name!r} is {item.dataType.simpleString()}", where=context.where, expected="a struct"
                )
            found.extend(self._fields(item.name, column(item.name), item.dataType, self.depth))
        flat = rows.select(found)
        refuse_collisions(flat.columns, context.where)
        return flat

    def _fields(self, name: str, value: Column, kind: DataType, depth: int) -> Iterator[Column]:
        from pyspark.sql.types import StructType

        if not isinstance(kind, StructType) or depth == 0:
            yield value.alias(name)
            return
        for item in kind:
            inner = value.getField(item.name)
            yield from self._fields(f"{name}{self.separator}{item.name}", inner, item.dataType, depth - 1)
