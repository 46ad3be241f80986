"""`type`: what a column holds, by its Spark type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.conforms import may_be
from spark_jobs.check.rule import Verdict, choice, chosen, result
from spark_jobs.columns import listed, nearest
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import TYPES, Misfit, Outline, Scope, family, plain_type
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Type:
    """Every column is of one of the types; the schema answers, no row is read."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "type: {column: amount, types: [double, decimal]}"

    column: str | None = field(default=None, metadata={"column": True})
    """The column, where it is one."""
    columns: tuple[str, ...] = field(default=(), metadata={"column": True})
    """The columns, each checked by itself."""
    types: tuple[str, ...]
    """Spark SQL types; one without its parts (`decimal`, `array`) means any of them."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found = choice(self.column, self.columns)
        unknown = [kind for kind in self.types if family(kind) is None]
        if not self.types:
            return found | {"types": "no type is given"}
        return found | (
            {"types": f"{unknown[0]!r} is no type of Spark. {nearest(unknown[0], TYPES)}"} if unknown else {}
        )

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that are certainly of another type."""
        known = all(family(kind) is not None for kind in self.types)
        for name in self.columns or (str(self.column),):
            kind = rows.columns.get(name)
            if known and kind is not None and family(kind) is not None and not self._may_be(kind):
                message = f"column {name!r} is {kind}, none of {listed(self.types)}"
                yield Misfit(option="types", message=message, hint="cast it first, or allow its type")

    def look(self, rows: DataFrame, context: Context) -> tuple[CheckResult, ...]:
        """One result for each column."""
        names = chosen(self.column, self.columns, rows, context.where)
        whole = tuple(_spelled(kind, context.where) for kind in self.types)
        return tuple(
            result(self, "type", self._verdict(rows, name, whole), context, column=name, by="schema") for name in names
        )

    def _verdict(self, rows: DataFrame, name: str, types: tuple[str, ...]) -> Verdict:
        found = rows.schema[name].dataType.simpleString()
        success = bool({found.lower(), _word(found)} & set(types))
        message = "" if success else f"it is {found}, none of {listed(self.types)}"
        return Verdict(success=success, observed=found, message=message)

    def _may_be(self, there: str) -> bool:
        """Whether a column may be of one of the types, as far as is certain before Spark has looked."""
        return any(
            _word(there) == plain_type(kind) or (_has_parts(kind) and may_be(there, kind)) for kind in self.types
        )


def _word(kind: str) -> str:
    """A type without its parts."""
    return re.split(r"[(< ]", plain_type(kind))[0]


def _has_parts(kind: str) -> bool:
    return _word(kind) != plain_type(kind)


def _spelled(kind: str, where: str) -> str:
    """A type as Spark spells a column's, nested ones too; one without parts stays that.

    Raises:
        ConfigError: Spark doesn't know it.
    """
    from pyspark.errors import ParseException
    from pyspark.sql.types import DataType

    if not _has_parts(kind):
        return plain_type(kind)
    try:
        return DataType.fromDDL(kind).simpleString().lower()
    except ParseException as error:
        raise ConfigError(f"unknown type {kind!r}", where=f"{where}.types", expected="a Spark SQL type") from error
