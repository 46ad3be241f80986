"""What every destination that is one table says of itself, by its strategy and its scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from spark_jobs.check.literal import misfit
from spark_jobs.flow import Context
from spark_jobs.ledger import LoadUnit
from spark_jobs.load import owners
from spark_jobs.load.by_key import Cdc, Keyed
from spark_jobs.load.limits import limits
from spark_jobs.load.outside import Outside
from spark_jobs.load.strategies import Strategy
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.plan import Plan
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Table:
    """A destination with `write` and `scope`, which the kind itself declares: their types and texts are its own."""

    exact_scopes: ClassVar[bool] = True
    """Whether scopes are apart that differ in letter case or blanks at the end alone."""

    write: Strategy | Keyed
    scope: Mapping[str, str | int | bool]

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """What the strategy can't do with these columns, and values of the scope that are no values of theirs."""
        yield from self.write.misfits(rows)
        for name, value in self.scope.items():
            yield from misfit(f"scope.{name}", value, name, rows.columns.get(rows.spelled(name) or ""))

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The table's columns: those of the rows, of the scope, and of the strategy."""
        if isinstance(self.write, Cdc):
            rows = self.write.recorded(rows)
        added = {**dict.fromkeys(self.scope), **getattr(self.write, "adds", {})}
        return rows.plus({name: kind for name, kind in added.items() if rows.spelled(name) is None})

    def unit(self, name: str, plan: Plan) -> LoadUnit:
        """What is written, for the ledger."""
        return load_unit(self.write, plan.id, name, plan.window)

    def outside(self, rows: DataFrame, context: Context) -> list[Outside]:
        """Which rows the load can't take; none where every row is taken."""
        return limits(self, rows, context)

    def claim(self, name: str, plan: Plan) -> owners.Claim:
        """What this load owns of the table."""
        carried = self.write.rows_carry_pipeline
        return owners.Claim(pipeline=plan.id, load=name, scope=self.scope, shared=carried)


def load_unit(strategy: Strategy | Keyed, pipeline: str, name: str, window: Window) -> LoadUnit:
    """The unit that a strategy writes: one a window, or one a destination where the newest window wins."""
    return LoadUnit(pipeline=pipeline, destination=name, window=window, snapshot=strategy.numbered_by_window)
