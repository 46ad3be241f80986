"""Checks of values against a list: what `in_set` and `not_in_set` share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.evidence import among, present
from spark_jobs.check.literal import literal, misfit
from spark_jobs.check.rule import Question, choice, chosen
from spark_jobs.columns import column, listed
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class OfValues:
    """Every value, or none, is one of a list; nulls are ignored. A kind says which."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    allows: ClassVar[bool]
    """Whether the values of the list are those allowed; else they are refused."""

    column: str | None = field(default=None, metadata={"column": True})
    """The column, where it is one."""
    columns: tuple[str, ...] = field(default=(), metadata={"column": True})
    """The columns, each checked by itself."""
    values: tuple[int | float | bool | str, ...]
    """The values; dates and timestamps as text, in the pipeline's timezone where there is no
    offset."""
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
        found = choice(self.column, self.columns)
        return found if self.values else found | {"values": f"no value is {self._said}: give at least one"}

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Values that can't be compared with a column."""
        for name in self.columns or (str(self.column),):
            for value in self.values:
                yield from misfit("values", value, name, rows.columns.get(name))

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question for each column."""
        if not self.values:
            raise ConfigError(f"no value is {self._said}", where=f"{context.where}.values", expected="at least one")
        names = chosen(self.column, self.columns, rows, context.where)
        return tuple(self._question(name, rows, context) for name in names)

    @property
    def _said(self) -> str:
        return "allowed" if self.allows else "refused"

    def _question(self, name: str, rows: DataFrame, context: Context) -> Question:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        kind, zone = rows.schema[name].dataType, context.plan.window.timezone
        listed_there = column(name).isin(
            *[literal(value, kind, zone, f"{context.where}.values") for value in self.values]
        )
        found = f"{'none' if self.allows else 'one'} of {listed(self.values)}"
        return Question(
            column=name,
            failing=F.coalesce(~listed_there if self.allows else listed_there, F.lit(False)),
            counted=column(name).isNotNull(),
            reason=F.concat(F.lit(f"{name}: "), shown(name), F.lit(f" is {found}")),
            says=f"are {found}",
            evidence=among(self.values, name, kind, zone, allows=self.allows),
            present=present(name),
        )
