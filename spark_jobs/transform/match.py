"""Two datasets side by side, ready to be compared by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column, comparable, listed, nearest, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.outline import Misfit, Outline, Scope, alike
from spark_jobs.refusal import shaped, shown
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

On = tuple[str, ...] | dict[str, str]
MARK: Final = "_etl_matched"
"""The column that says whether a row has a match."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The incoming rows and the other dataset, whose columns bear names that no incoming column has.

    Args:
        left: the incoming rows.
        right: the other dataset's keys and the columns taken from it.
        keys: incoming key column -> its counterpart in `right`.
        taken: column of the other dataset -> its name in `right`.
    """

    left: DataFrame
    right: DataFrame
    keys: Mapping[str, str]
    taken: Mapping[str, str]

    @property
    def mark(self) -> Column:
        """Whether a row has a match."""
        return column(next(iter(self.keys.values()))).isNotNull()

    @property
    def marked(self) -> list[Column]:
        """The incoming columns, those that were taken, and MARK."""
        taken = [column(alias).alias(name) for name, alias in self.taken.items()]
        return [*[column(name) for name in self.left.columns], *taken, self.mark.alias(MARK)]

    def equal(self, *, shield_left: bool = False) -> Column:
        """Whether all keys are equal; null equals nothing.

        A merge join stops reading one side when the other ends. Where that side was counted just before, with no
        shuffle in between because it happened to lie by key already, the count would be too small: 6 rows instead of
        200,000 were seen. A key that is an expression makes Spark shuffle first, so the side is read to its end.
        """
        pairs = [(column(name), _shielded(other)) for name, other in self.keys.items()]
        if shield_left:
            pairs = [(_shielded(name), _shielded(other)) for name, other in self.keys.items()]
        return reduce(and_, [left == right for left, right in pairs])


def _shielded(name: str) -> Column:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.greatest(column(name), column(name))


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Rows without a match go: a step of its own behind one that has left MARK.

    Args:
        effect: what becomes of them.
        verb: the step's name in the file.
        other: the other dataset.
        on: the keys, as the file says them.
        columns: that were taken; None: all that are no keys.
    """

    effect: Effect
    verb: str
    other: str
    on: On
    columns: Sequence[str] | None

    def apply(self, rows: DataFrame, _context: Context) -> DataFrame:
        """The rows that have a match."""
        return rows.where(column(MARK)).drop(MARK)

    def refused(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows that have none, null keys among them, as they came in."""
        pairs, added = pairs_of(self.on), self.columns
        if added is None:
            added = [name for name in other_dataset(self.other, context).columns if name not in pairs.values()]
        raw = [name for name in rows.columns if name not in added and name != MARK]
        left = rows.where(~column(MARK))
        return without_match(left, raw, f"{self.verb} {self.other}", self.other, list(pairs), context)


def pairs_of(on: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Column of the incoming rows -> column of the other dataset."""
    return dict(on) if isinstance(on, Mapping) else {name: name for name in on}


def taken_of(other: str, on: On, columns: Sequence[str] | None, scope: Scope) -> Outline:
    """What the other dataset adds, as far as is known."""
    there = scope.datasets.get(other, Outline())
    return there.select(tuple(columns)) if columns is not None else there.without(tuple(pairs_of(on).values()))


def unlike_keys(other: str, on: On, rows: Outline, scope: Scope) -> Iterator[Misfit]:
    """Keys whose types differ."""
    there = scope.datasets.get(other, Outline())
    for name, counterpart in pairs_of(on).items():
        mine, its = rows.columns.get(name), there.columns.get(counterpart)
        if not alike(mine, its):
            message = f"key {name!r} is {mine}, {counterpart!r} of {other} is {its}"
            yield Misfit(option="on", message=message, hint="cast one of them first")


def other_dataset(name: str, context: Context) -> DataFrame:
    """Another dataset by name.

    Raises:
        ConfigError: there is none.
    """
    if name not in context.datasets:
        known = sorted(context.datasets)
        raise ConfigError(
            f"unknown dataset {name!r}",
            where=context.where,
            expected=f"one of {listed(known)}" if known else "an extract or an earlier dataset",
            remedy=nearest(name, known),
        )
    return context.datasets[name]


def sides(
    left: DataFrame, other: DataFrame, on: Sequence[str] | Mapping[str, str], take: Sequence[str] | None, where: str
) -> Sides:
    """Put two datasets side by side.

    Args:
        left: the incoming rows.
        other: the other dataset.
        on: key columns of both, or incoming column -> column of the other.
        take: columns to take from the other; None: all that are no keys.
        where: place in the pipeline file.

    Raises:
        ConfigError: no keys, unknown columns, key types that differ, a taken column that the incoming rows have too.
    """
    pairs = pairs_of(on)
    if not pairs:
        raise ConfigError("no key to join on", where=f"{where}.on", expected="at least one column")
    require(pairs if isinstance(on, Mapping) else on, left.columns, f"{where}.on")
    require(pairs.values(), other.columns, f"{where}.on", "column of the other dataset")
    _refuse_types(left, other, pairs, where)
    taken = [name for name in other.columns if name not in pairs.values()] if take is None else list(take)
    require(taken, other.columns, f"{where}.columns", "column of the other dataset")
    _refuse_same(left, taken, where)
    keys = {name: spare(left.columns, f"key{place}") for place, name in enumerate(pairs)}
    names = {name: spare(left.columns, f"right{place}") for place, name in enumerate(taken)}
    right = [column(pairs[name]).alias(alias) for name, alias in keys.items()]
    right += [column(name).alias(alias) for name, alias in names.items()]
    return Sides(left=left, right=other.select(right), keys=keys, taken=names)


def without_match(  # noqa: PLR0913, PLR0917 - the parts of a refusal
    left: DataFrame, raw: Sequence[str], rule: str, other: str, keys: Sequence[str], context: Context
) -> DataFrame:
    """Rows without a match, in the shape of aside.REFUSED.

    Args:
        left: the rows.
        raw: the columns that they came with.
        rule: what they broke.
        other: name of the dataset that has no match for them.
        keys: the columns that were compared.
        context: what runs.
    """
    from pyspark.sql import functions as F  # noqa: N812

    values = [F.concat(F.lit(f"{name}: "), shown(name)) for name in keys]
    message = F.concat(F.lit(f"no match in {other} for "), F.concat_ws(", ", *values))
    rules = F.array(F.lit(rule))
    return shaped(left, raw, dataset=context.dataset, stage="transform", rules=rules, message=message)


def _refuse_types(left: DataFrame, other: DataFrame, pairs: Mapping[str, str], where: str) -> None:
    for name, counterpart in pairs.items():
        mine, its = left.schema[name].dataType, other.schema[counterpart].dataType
        if not comparable(mine, its):
            raise ConfigError(
                f"key {name!r} is {mine.simpleString()}, {counterpart!r} of the other dataset is {its.simpleString()}",
                where=f"{where}.on",
                expected="keys of one type",
                remedy="cast one of them first",
            )


def _refuse_same(left: DataFrame, taken: Sequence[str], where: str) -> None:
    mine = {name.lower() for name in left.columns}
    same = [name for name in taken if name.lower() in mine]
    if same:
        raise ConfigError(
            f"both datasets have {listed(same)}",
            where=where,
            expected="only keys that both have",
            remedy="say which `columns` to take, or rename or drop one of the two",
        )
