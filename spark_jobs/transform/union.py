"""`union`: the rows of other datasets below one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.columns import listed, refuse_collisions
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions, looser, plain_type
from spark_jobs.transform.match import other_dataset
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Union:
    """Put the rows of other datasets below, columns by name; equal rows stay, as often as they are there."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "union: [returns]"
    effect: ClassVar[Effect] = "reshape"
    shorthand: ClassVar[str] = "others"

    others: tuple[str, ...] = field(metadata={"alias": "with", "dataset": True})
    """The other datasets' names."""
    columns: Literal["evolve", "freeze"] = "evolve"
    """Columns that not all have: null where one lacks them, or an error. A column has one type in all datasets."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        if not self.others:
            return {"with": "there is no other dataset"}
        twice = sorted({name for name in self.others if self.others.count(name) > 1})
        return {"with": f"{listed(twice)} stands there twice"} if twice else {}

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """One's own columns, then those that only the others have."""
        columns, others = dict(rows.columns), [scope.datasets.get(name, Outline()) for name in self.others]
        for other in others:
            columns |= {name: kind for name, kind in other.columns.items() if rows.spelled(name) is None}
        gone = frozenset.intersection(rows.gone, *[other.gone for other in others])
        rest = looser(rows.rest, *[other.rest for other in others])
        personal = rows.personal.union(*[other.personal for other in others])
        return Outline(columns=columns, rest=rest, gone=gone, personal=personal)

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """Columns whose types differ, and such as not all have where that is an error."""
        seen = dict(rows.columns)
        for name in self.others:
            other = scope.datasets.get(name, Outline())
            yield from collisions("with", dict.fromkeys([*seen, *other.columns]))
            for column, kind in other.columns.items():
                mine = seen.setdefault(column, kind)
                if mine and kind and "void" not in (mine, kind) and plain_type(mine) != plain_type(kind):
                    message = f"column {column!r} is {mine}, and {kind} in {name}"
                    yield Misfit(option="with", message=message, hint="cast one of them first")
            if self.columns == "freeze" and rows.rest == other.rest == "none":
                for column in {*rows.columns} ^ {*other.columns}:
                    message = f"{name if column in rows.columns else 'the incoming rows'} have no column {column!r}"
                    yield Misfit(option="columns", message=message, code="unknown-column")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """All rows: the incoming columns, then those that only the others have.

        Raises:
            ConfigError: an unknown dataset, a column of several types, columns that not all have where that is refused.
        """
        others = {name: other_dataset(name, context) for name in self.others}
        together = rows
        for name, other in others.items():
            self._refuse_differing(together, other, name, context.where)
            together = together.unionByName(other, allowMissingColumns=True)
        return together

    def _refuse_differing(self, rows: DataFrame, other: DataFrame, name: str, where: str) -> None:
        mine, its = (dict(frame.dtypes) for frame in (rows, other))
        refuse_collisions(list(dict.fromkeys([*mine, *its])), where)
        for column in mine.keys() & its.keys():
            if "void" not in (mine[column], its[column]) and mine[column] != its[column]:
                raise ConfigError(
                    f"column {column!r} is {mine[column]}, and {its[column]} in {name}",
                    where=where,
                    expected="one type for a column in all datasets",
                    remedy="cast one of them first",
                )
        lacking = sorted(mine.keys() ^ its.keys())
        if lacking and self.columns == "freeze":
            raise ConfigError(
                f"{listed(lacking)}: not a column of both the incoming rows and {name}",
                where=where,
                expected="the same columns in all datasets (columns: freeze)",
                remedy="select them first, or set columns: evolve",
            )
