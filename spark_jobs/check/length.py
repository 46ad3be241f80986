"""`length`: how long texts are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import no_room, words
from spark_jobs.check.evidence import present
from spark_jobs.check.rule import Question, choice, chosen, required_text, text_only
from spark_jobs.columns import column
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Length:
    """Every text has so many characters; nulls are ignored."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "length: {column: customer, min: 2, max: 40}"

    column: str | None = field(default=None, metadata={"column": True})
    """The column, where it is one."""
    columns: tuple[str, ...] = field(default=(), metadata={"column": True})
    """The columns, each checked by itself."""
    min: int | None = field(default=None, metadata={"ge": 0})
    """Fewest characters allowed."""
    max: int | None = field(default=None, metadata={"ge": 0})
    """Most characters allowed."""
    strict_min: bool = False
    """Whether `min` itself is out of range."""
    strict_max: bool = False
    """Whether `max` itself is out of range."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, else the check fails; default 1, and 0 with `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `quarantine` sets the failing rows aside and loads the rest, `ask` lets a person decide,
    `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        return choice(self.column, self.columns) | no_room(self, "text")

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that hold no text."""
        yield from text_only(self.column, self.columns, rows)

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question for each column."""
        names = chosen(self.column, self.columns, rows, context.where)
        for name in names:
            required_text(name, rows, context.where)
        return tuple(self._question(name) for name in names)

    def _question(self, name: str) -> Question:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        size, tests = F.length(column(name)), []
        if self.min is not None:
            tests.append(size <= self.min if self.strict_min else size < self.min)
        if self.max is not None:
            tests.append(size >= self.max if self.strict_max else size > self.max)
        told = f"characters, not {words(self)}"
        return Question(
            column=name,
            failing=F.coalesce(reduce(or_, tests), F.lit(False)),
            counted=column(name).isNotNull(),
            reason=F.concat(F.lit(f"{name}: "), shown(name), F.lit(" has "), size.cast("string"), F.lit(f" {told}")),
            says=f"don't have {words(self)} characters",
            present=present(name),
        )
