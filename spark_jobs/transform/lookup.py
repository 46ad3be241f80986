"""`lookup`: columns of another dataset's row, of one at most for each row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.canonical import REMEDY, odd
from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions, family
from spark_jobs.surrogate import TYPES, form_of, surrogate
from spark_jobs.transform.dedupe import Dedupe
from spark_jobs.transform.match import Matched, Sides, other_dataset, pairs_of, sides, taken_of, unlike_keys
from spark_jobs.transform.single import refusing_twins, true_to
from spark_jobs.transform.step import Effect, Step

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Value = str | int | float | bool
INFERRED: Final = "_inferred"
# What a default may be, by the type of its column.
_FITTING: Final[dict[str, tuple[type, ...]]] = {
    "integer": (int,),
    "decimal": (int, float),
    "float": (int, float),
    "boolean": (bool,),
    "nested": (),
}


@dataclass(frozen=True, kw_only=True)
class Infer:
    """Members of a dimension that facts name before the dimension has them."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC

    dimension: str = field(metadata={"min_length": 1})
    """The dimension's name, as in the `surrogate_key` step that made its keys."""
    key: str
    """The other dataset's column with its surrogate keys."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Add columns of the other dataset's row of the same key; each row stays one row. Null keys match nothing.

    Two rows of a key in the other dataset end the run, unless `order_by` says which of them counts.

    With `infer` the key of a member that the dimension doesn't have yet is the one that it will get, and `_inferred` is
    true. So a fact's key is the same whether its member came before or after it, and a repeat changes the key never;
    `_inferred` and the other columns say what the dimension knew when the window ran, and follow it at a repeat.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "lookup: {with: customers, on: {customer: id}, columns: [name], default: {name: unknown}}"
    looks_elsewhere: ClassVar[bool] = True

    other: str = field(metadata={"alias": "with", "dataset": True})
    """The other dataset's name."""
    on: tuple[str, ...] | dict[str, str] = field(metadata={"column": True, "shared_with": "other"})
    """Key columns that both have, or a mapping: column of the incoming rows -> column of the other dataset."""
    columns: tuple[str, ...] | None = field(default=None, metadata={"column_of": "other"})
    """Columns to take from the other dataset; default: all that are no keys."""
    order_by: tuple[str, ...] = field(default=(), metadata={"column_of": "other", "directed": True})
    """Columns of the other dataset, each with `asc` (default) or `desc` after it: the first of a key's rows in their
    order counts; ties go on with all columns, by name. Default: a key has one row."""
    unmatched: Literal["keep", "drop", "quarantine"] = "keep"
    """What becomes of rows without a match."""
    default: dict[str, Value] = field(default_factory=dict)
    """What stands in the taken columns of rows without a match: column -> value; default: null."""
    infer: Infer | None = None
    """The other dataset is a dimension, whose members may come late."""

    @property
    def effect(self) -> Effect:
        """As many rows come out as go in."""
        return "same"

    @property
    def keys(self) -> dict[str, str]:
        """Column of the incoming rows -> column of the other dataset."""
        return pairs_of(self.on)

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found = {} if self.on else {"on": "there is no key to look up"}
        for option in ("default", "infer") if self.unmatched != "keep" else ():
            if getattr(self, option):
                found[option] = f"unmatched: {self.unmatched} leaves no row without a match"
        strange = [name for name in self.default if self.columns is not None and name not in self.columns]
        if strange:
            found["default"] = f"{strange[0]!r} isn't among the columns that are taken"
        if self.infer is None:
            return found
        if self.columns is not None and self.infer.key not in self.columns:
            found["infer"] = f"its key {self.infer.key!r} isn't among the columns that are taken"
        if self.infer.key in self.default:
            found["default"] = f"{self.infer.key!r} is inferred"
        return found

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """The incoming columns, then those of the other dataset, and whether the key is inferred."""
        found = rows.beside(self._taken(scope))
        return found if self.infer is None else found.plus({INFERRED: "boolean"})

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """Keys whose types differ, columns that both datasets have, defaults of another type."""
        yield from unlike_keys(self.other, self.on, rows, scope)
        for name in self.keys if self.infer is not None else ():
            if kind := odd(name, rows):
                yield Misfit(option="on", message=f"column {name!r} is {kind}, no natural key", hint=REMEDY)
        flag = [INFERRED] if self.infer is not None else []
        yield from collisions("with", [*rows.columns, *self._taken(scope).columns, *flag])
        yield from self._unfit(scope.datasets.get(self.other, Outline()))

    def _unfit(self, other: Outline) -> Iterator[Misfit]:
        for name, value in self.default.items():
            if other.spelled(name) is None and other.may_have(name) == "none":
                message = f"{self.other} has no column {name!r}"
                yield Misfit(option=f"default.{name}", message=message, code="unknown-column")
            elif not _fits(value, other.columns.get(name)):
                message = f"{value!r} is no {other.columns[name]}"
                yield Misfit(option=f"default.{name}", message=message, hint=f"{name!r} of {self.other} has that type")
        kind = other.columns.get(self.infer.key) if self.infer is not None else None
        if kind is not None and kind not in TYPES.values():
            message = f"{kind} is no type of a surrogate key"
            yield Misfit(option="infer.key", message=message, hint="make it with surrogate_key")

    def _taken(self, scope: Scope) -> Outline:
        """What the other dataset adds."""
        return taken_of(self.other, self.on, self.columns, scope)

    def parts(self) -> tuple[Step, ...]:
        """The look-up, and where rows without a match go, their going: a step of its own, with its own count."""
        if self.unmatched == "keep":
            return (self,)
        effect: Effect = "filter" if self.unmatched == "drop" else "refuse"
        left = Matched(effect=effect, verb="lookup", other=self.other, on=self.on, columns=self.columns)
        return _Found(lookup=self), left

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, each once, with the columns of the other dataset behind their own.

        Raises:
            ConfigError: options that exclude each other, an unknown dataset or column, types or names that collide.
        """
        joined, both = self.joined(rows, context)
        there = both.mark
        kept = [column(name) for name in rows.columns]
        taken = [self._value(name, both, there, joined, context).alias(name) for name in both.taken]
        if self.infer is not None:
            refuse_collisions([*rows.columns, *both.taken, INFERRED], context.where)
            taken.append((~there).alias(INFERRED))
        return joined.select(*kept, *taken)

    def joined(self, rows: DataFrame, context: Context) -> tuple[DataFrame, Sides]:
        """Every row with its match, null where it has none; and what is called how."""
        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{context.where}.{option}", expected="options that fit together")
        both = sides(rows, self._single(context), self.on, self.columns, context.where)
        require(self.default, list(both.taken), f"{context.where}.default", "taken column")
        return rows.join(both.right, both.equal(), "left"), both

    def _single(self, context: Context) -> DataFrame:
        """The other dataset with one row a key."""
        other, keys = other_dataset(self.other, context), list(self.keys.values())
        require(keys, other.columns, f"{context.where}.on", f"column of {self.other}")
        if self.infer is not None:
            other = true_to(other, self.infer.dimension, self.infer.key, keys, context)
        if self.order_by:
            return Dedupe(keys=tuple(keys), keep="first", order_by=self.order_by).apply(other, context)
        return refusing_twins(other, keys, self.other, context)

    def _value(self, name: str, both: Sides, there: Column, joined: DataFrame, context: Context) -> Column:
        """A taken column, with what stands in its place where there is no match."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        found = column(both.taken[name])
        if self.infer is not None and name == self.infer.key:
            form = form_of(both.right.schema[both.taken[name]].dataType.simpleString(), context.where)
            made = surrogate(self.infer.dimension, list(both.keys), form, joined, f"{context.where}.on")
            return F.when(there, found).otherwise(made)
        if name not in self.default:
            return found
        return F.when(there, found).otherwise(self._literal(name, both, context))

    def _literal(self, name: str, both: Sides, context: Context) -> Column:
        """A default as its column's type."""
        from pyspark.sql import functions as F  # noqa: N812

        value, kind = self.default[name], both.right.schema[both.taken[name]].dataType
        made = F.lit(value).try_cast(kind)
        # One row that Spark computes where it plans: no job runs.
        fits = _fits(value, kind.simpleString()) and context.spark.sql("SELECT 1").select(made).collect()[0][0]
        if fits is None or (fits is False and value is not False):
            raise ConfigError(
                f"{value!r} is no {kind.simpleString()}",
                where=f"{context.where}.default.{name}",
                expected=f"a value of the type of {name!r} in {self.other}",
            )
        return made


@dataclass(frozen=True, kw_only=True)
class _Found:
    """The look-up with one more column: whether there is a match."""

    effect: ClassVar[Effect] = "same"

    lookup: Lookup

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, each once."""
        joined, both = self.lookup.joined(rows, context)
        return joined.select(both.marked)


def _fits(value: Value, kind: str | None) -> bool:
    """Whether a default may stand in a column of a type; texts are cast, so they may where text is meant."""
    allowed = _FITTING.get(family(kind) or "", None)
    if kind is None:
        return True
    if allowed is None:
        return isinstance(value, str)
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
