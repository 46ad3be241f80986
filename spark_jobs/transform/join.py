"""`join`: columns of another dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions
from spark_jobs.transform.match import Matched, Sides, other_dataset, sides, taken_of, unlike_keys
from spark_jobs.transform.step import Effect, Step

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Join:
    """Join another dataset on equal keys of equal type; null keys match nothing, one copy of the keys is kept."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "join: {with: customers, on: {customer: id}, columns: [name]}"
    looks_elsewhere: ClassVar[bool] = True

    other: str = field(metadata={"alias": "with", "dataset": True})
    """The other dataset's name."""
    on: tuple[str, ...] | dict[str, str] = field(metadata={"column": True, "shared_with": "other"})
    """Key columns that both have, or a mapping: column of the incoming rows -> column of the other dataset."""
    how: Literal["left", "inner", "right", "full", "semi", "anti"] = "left"
    """Which rows come out; `semi` and `anti` keep the incoming rows with and without a match and add no columns."""
    unmatched: Literal["keep", "drop", "quarantine"] = "keep"
    """What becomes of incoming rows without a match in a `left` join."""
    columns: tuple[str, ...] | None = field(default=None, metadata={"column_of": "other"})
    """Columns to take from the other dataset; default: all that are no keys."""
    broadcast: bool | None = None
    """Whether the other dataset is sent whole to every executor; default: Spark decides by its size."""

    @property
    def effect(self) -> Effect:
        """A row may match several."""
        return "reshape"

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found = {} if self.on else {"on": "there is no key to join on"}
        if self.how != "left" and self.unmatched != "keep":
            found["unmatched"] = f"unmatched: {self.unmatched} needs how: left, not {self.how}"
        if self.how in {"semi", "anti"} and self.columns is not None:
            found["columns"] = f"how: {self.how} adds no columns"
        return found

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """The incoming columns, then those of the other dataset."""
        return rows if self.how in {"semi", "anti"} else rows.beside(self._taken(scope))

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """Keys whose types differ, columns that both datasets have."""
        yield from unlike_keys(self.other, self.on, rows, scope)
        if self.how not in {"semi", "anti"}:
            yield from collisions("with", [*rows.columns, *self._taken(scope).columns])

    def _taken(self, scope: Scope) -> Outline:
        """What the other dataset adds."""
        return taken_of(self.other, self.on, self.columns, scope)

    def parts(self) -> tuple[Step, ...]:
        """The join, and where rows without a match go, their going: a step of its own, with its own count.

        An inner or semi join of Spark may leave the incoming rows half read where the other side ends or is empty, and
        then they are miscounted; a left join reads them all.
        """
        if self.unmatched == "quarantine":
            return _Marked(join=self), self._matched("refuse")
        if self.unmatched == "drop" or self.how in {"inner", "semi"}:
            return _Marked(join=self), self._matched("reshape")
        return (self,)

    def _matched(self, effect: Effect) -> Matched:
        return Matched(effect=effect, verb="join", other=self.other, on=self.on, columns=self.columns)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The joined rows: the incoming columns, then those of the other dataset; rows without a match are kept.

        Raises:
            ConfigError: options that exclude each other, an unknown dataset or column, types or names that collide.
        """
        both = self.sides(rows, context)
        if self.how == "anti":
            return rows.join(both.right, both.equal(), "left_anti")
        joined = rows.join(both.right, both.equal(shield_left=self.how == "right"), self.how)
        kept = [self._key(name, both) if name in both.keys else column(name) for name in rows.columns]
        return joined.select(kept + [column(alias).alias(name) for name, alias in both.taken.items()])

    def sides(self, rows: DataFrame, context: Context) -> Sides:
        """Both datasets side by side, the other one with a hint how to join it."""
        self._refuse_contradictions(context.where)
        take = () if self.how in {"semi", "anti"} else self.columns
        both = sides(rows, other_dataset(self.other, context), self.on, take, context.where)
        right = both.right.distinct() if self.how == "semi" else both.right
        if self.broadcast is not None:
            right = right.hint("broadcast" if self.broadcast else "merge")
        return replace(both, right=right)

    def _key(self, name: str, both: Sides) -> Column:
        """A key: where rows of the other dataset come without a partner, theirs."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        if self.how in {"right", "full"}:
            return F.coalesce(column(name), column(both.keys[name])).alias(name)
        return column(name)

    def _refuse_contradictions(self, where: str) -> None:
        if self.how != "left" and self.unmatched != "keep":
            raise ConfigError(
                f"unmatched: {self.unmatched} with how: {self.how}", where=where, expected="unmatched with how: left"
            )
        if self.how in {"semi", "anti"} and self.columns is not None:
            raise ConfigError(f"columns with how: {self.how}", where=where, expected="no columns: none are added")


@dataclass(frozen=True, kw_only=True)
class _Marked:
    """The left join with one more column, which is null where there is no match."""

    effect: ClassVar[Effect] = "reshape"

    join: Join

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, each at least once."""
        both = self.join.sides(rows, context)
        return rows.join(both.right, both.equal(), "left").select(both.marked)
