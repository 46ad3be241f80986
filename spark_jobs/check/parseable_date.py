"""`parseable_date`: text that is a date or a time of one form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.check.evidence import present
from spark_jobs.check.rule import Question, choice, chosen, required_text, text_only
from spark_jobs.columns import column
from spark_jobs.extract.texts import refuse_bad_pattern
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_DAYS: Final = {"Y": "yyyy", "y": "yy", "m": "MM", "b": "MMM", "B": "MMMM", "d": "dd", "j": "DDD", "a": "EEE"}
_TIMES: Final = {"H": "HH", "I": "hh", "M": "mm", "S": "ss", "f": "SSSSSS", "p": "a", "z": "xx"}
_LETTERS: Final = _DAYS | _TIMES
"""Python's directives in Spark's letters."""


@dataclass(frozen=True, kw_only=True)
class ParseableDate:
    """Every text is a date or a time of one form that exists; nulls are ignored."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "parseable_date: {column: customer, format: yyyy-MM-dd, mostly: 0}"

    column: str | None = field(default=None, metadata={"column": True})
    """The column, where it is one."""
    columns: tuple[str, ...] = field(default=(), metadata={"column": True})
    """The columns, each checked by itself."""
    format: str
    """Pattern of Spark, such as `dd.MM.yyyy HH:mm`; `d` takes one digit or two, `dd` two."""
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
        why = _python_s(self.format) if self.format.strip() else "it is empty"
        return choice(self.column, self.columns) | ({"format": why} if why else {})

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that hold no text."""
        yield from text_only(self.column, self.columns, rows)

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question for each column."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        names = chosen(self.column, self.columns, rows, context.where)
        refuse_bad_pattern(context.spark, self.format, f"{context.where}.format", "pattern of dates")
        for name in names:
            required_text(name, rows, context.where)
        return tuple(
            Question(
                column=name,
                failing=column(name).isNotNull() & F.try_to_timestamp(column(name), F.lit(self.format)).isNull(),
                counted=column(name).isNotNull(),
                reason=F.concat(F.lit(f"{name}: "), shown(name), F.lit(f" is no {self.format}")),
                says=f"are no {self.format}",
                present=present(name),
            )
            for name in names
        )


def _python_s(pattern: str) -> str:
    """Why a pattern is one of Python's, and what it is in Spark's letters where all of it has some; else empty."""
    if not re.search("%[A-Za-z]", pattern):
        return ""
    told = re.sub("%([A-Za-z])", lambda found: _LETTERS.get(found[1], found[0]), pattern)
    return f"{pattern!r} is Python's" + ("" if "%" in told else f"; in Spark's letters it is {told}")
