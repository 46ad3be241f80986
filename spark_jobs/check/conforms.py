"""`conforms`: the dataset's columns and their types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.check.rule import Verdict, result
from spark_jobs.columns import listed, nearest
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, bad_types, family, plain_type
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

_ALIASES: Final = {"decimal": "decimal(10,0)", "varchar": "string", "char": "string"}
_SMALLER: Final = frozenset({"tinyint", "smallint", "float"})


@dataclass(frozen=True, kw_only=True)
class Conforms:
    """The dataset has these columns, of exactly these types; no row is read. Letter case counts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'conforms: {columns: {id: int, amount: "decimal(10,2)"}}'

    columns: Mapping[str, str] = field(metadata={"min_length": 1})
    """Column -> Spark SQL type, such as `bigint`, `decimal(10,2)` or `array<string>`."""
    closed: bool = False
    """Whether there may be no other column."""
    others: tuple[str, ...] = ()
    """With `closed`: columns that there may be too, of any type; their letter case doesn't count."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark doesn't have; columns that can't be there, or are of another type, or aren't wanted."""
        yield from bad_types("columns", self.columns)
        for name, kind in self.columns.items():
            there = rows.columns.get(name)
            if name not in rows.columns and (rows.spelled(name) or rows.may_have(name) == "none"):
                hint = nearest(name, list(rows.columns)) or f"there are {listed(list(rows.columns))}"
                message = f"column {name!r} ({kind}) is wanted, and isn't there"
                yield Misfit(option=f"columns.{name}", message=message, hint=hint, code="unknown-column")
            elif there is not None and not may_be(there, kind):
                message = f"column {name!r} is {there}, where {kind} is wanted"
                yield Misfit(option=f"columns.{name}", message=message, hint="cast it in a step")
        for name in self._unwanted(rows.columns):
            if rows.spelled(name) == name:
                message = f"column {name!r} isn't wanted: only {', '.join(self.columns)}"
                yield Misfit(option="columns", message=message, hint="drop it", code="unknown-column")

    def look(self, rows: DataFrame, context: Context) -> tuple[CheckResult, ...]:
        """One result.

        Raises:
            ConfigError: a type that Spark doesn't know.
        """
        there = {item.name: item.dataType for item in rows.schema.fields}
        wrong = [text for name, kind in self.columns.items() for text in _wrong(name, kind, there, context.where)]
        wrong += [f"{name} isn't wanted" for name in self._unwanted(there)]
        verdict = Verdict(success=not wrong, observed=len(there), message="; ".join(wrong))
        return (result(self, "conforms", verdict, context, by="schema"),)

    def _unwanted(self, there: Iterable[str]) -> list[str]:
        """The columns that there may not be."""
        others = {name.lower() for name in self.others}
        return [name for name in there if self.closed and name not in self.columns and name.lower() not in others]


def _wrong(name: str, wanted: str, there: Mapping[str, DataType], where: str) -> Iterator[str]:
    from pyspark.errors import ParseException
    from pyspark.sql.types import DataType

    try:
        kind = DataType.fromDDL(wanted).simpleString()
    except ParseException as error:
        place = f"{where}.columns.{name}"
        raise ConfigError(f"unknown type {wanted!r}", where=place, expected="a Spark SQL type") from error
    if name not in there:
        yield f"{name} ({kind}) is missing"
    elif there[name].simpleString() != kind:
        yield f"{name} is {there[name].simpleString()}, {kind} is wanted"


def may_be(there: str, wanted: str) -> bool:
    """Whether a column may have the type that is wanted, as far as is certain before Spark has looked.

    Fields of nested types are Spark's to compare, and what arithmetic makes of decimals and of the smaller numbers
    (`decimal`, where the digits aren't known) is too.
    """
    left, right = (_ALIASES.get(kind, kind) for kind in (plain_type(text).replace(" ", "") for text in (there, wanted)))
    if family(left) != family(right):
        return False
    unsure = family(left) == "nested" or plain_type(there) == "decimal" or bool({left, right} & _SMALLER)
    return unsure or left == right
