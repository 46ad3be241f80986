"""`surrogate_key`: a key of a dimension that every run gives alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.canonical import REMEDY, odd
from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions
from spark_jobs.surrogate import TYPES, Form, surrogate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class SurrogateKey:
    """Add the surrogate key of a dimension's member: a hash of the dimension's name and the natural key.

    It is the same on every run and in every pipeline, so facts can be loaded before their dimension's rows (`lookup`
    with `infer`). An int 5, a decimal 5.00 and the text "5" are one natural key, null is one too; letter case and white
    space count. Two of n members share a 63-bit key with a chance of about n² / 2⁶⁴, one in 2·10⁷ for a million: the
    check `unique` finds it, and with `form: hex` (128 bits) it doesn't happen.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "surrogate_key: {dimension: customer, keys: [customer], as: customer_key}"
    effect: ClassVar[str] = "rows"

    dimension: str = field(metadata={"min_length": 1})
    """What the key is of; wherever the same members are meant, the same name."""
    keys: tuple[str, ...] = field(metadata={"column": True})
    """The columns of the natural key; their order counts."""
    name: str = field(metadata={"alias": "as", "min_length": 1})
    """The new column."""
    form: Form = "bigint"
    """A positive `bigint`, or 32 `hex` digits."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.keys else {"keys": "there is no natural key"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns with the key behind them."""
        return rows.plus({self.name: TYPES[self.form]})

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Keys that have no text of their own, a name that collides."""
        for name in self.keys:
            if kind := odd(name, rows):
                yield Misfit(option="keys", message=f"column {name!r} is {kind}, no key", hint=REMEDY)
        yield from collisions("as", [*rows.columns, self.name])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows with the key.

        Raises:
            ConfigError: no key, an unknown column, one that is no key, a name that collides.
        """
        require(self.keys, rows.columns, f"{context.where}.keys")
        refuse_collisions([*rows.columns, self.name], context.where)
        if not self.keys:
            raise ConfigError("no natural key", where=context.where, expected="keys: [column, …]")
        key = surrogate(self.dimension, self.keys, self.form, rows, f"{context.where}.keys")
        return rows.select(*[column(name) for name in rows.columns], key.alias(self.name))
