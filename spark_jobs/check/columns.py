"""`columns`: which columns there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.rule import Verdict, result
from spark_jobs.columns import listed, nearest
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The dataset has these columns, letter case included; the schema answers, no row is read."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "columns: [id, customer, amount, ordered_at]"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...]
    """The columns wanted."""
    ordered: bool = False
    """Whether they must stand in this order."""
    others: bool = False
    """Whether there may be others; not with `ordered`."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        twice = [name for place, name in enumerate(self.columns) if name in self.columns[:place]]
        if not self.columns or twice:
            return {"columns": f"{twice[0]!r} stands here twice" if twice else "no column is given"}
        return {"others": "an order leaves no room for others"} if self.others and self.ordered else {}

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that certainly isn't there."""
        for name in self.columns:
            if name not in rows.columns and rows.may_have(name) == "none":
                hint = nearest(name, list(rows.columns)) or f"there are: {', '.join(rows.columns)}"
                message = f"there is no column {name!r}: the check would always fail"
                yield Misfit(option="columns", message=message, hint=hint, code="unknown-column")

    def look(self, rows: DataFrame, context: Context) -> tuple[CheckResult, ...]:
        """One result."""
        missing = [name for name in self.columns if name not in rows.columns]
        more = [name for name in rows.columns if name not in self.columns]
        parts = [f"{listed(missing)} missing"] if missing else []
        parts += [f"{listed(more)} not expected"] if more and not self.others else []
        if self.ordered and not parts and tuple(rows.columns) != self.columns:
            parts = [f"the order is {', '.join(rows.columns)}"]
        seen = list(rows.columns) if self.ordered else sorted(rows.columns)
        verdict = Verdict(success=not parts, observed=seen, message="; ".join(parts))
        return (result(self, "columns", verdict, context, by="schema"),)
