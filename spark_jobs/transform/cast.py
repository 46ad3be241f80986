"""`cast`: other types, and no value lost on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.columns import column, require
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, bad_types, plain_type
from spark_jobs.refusal import broken, shaped, shown
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

# Spark reads `12:30` as today: a window that reads the clock can't be repeated.
_HAS_DATE: Final = r"^\s*[+-]?\d{4}"
_HAS_OFFSET: Final = r"[T ]\s*[\d:.]+\s*[A-Za-z+\-]"
# Spark reads `2013-01-01 what ever` as a date.
_ONLY_DATE: Final = r"^\s*[+-]?\d{4,7}(-\d{1,2}){0,2}[T\s]*$"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Change the types of columns; a row with a value that can't be cast goes to quarantine whole.

    A fraction doesn't become an integer, nor a text with more than a date a date; a decimal is rounded to its scale.
    Timestamps without an offset are read in the pipeline's timezone.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "cast: {amount: double, id: bigint}"
    effect: ClassVar[Effect] = "refuse"
    shorthand: ClassVar[str] = "columns"
    whole: ClassVar[bool] = True

    columns: dict[str, str] = field(metadata={"column": True})
    """Column -> Spark SQL type, such as `int`, `decimal(10,2)`, `timestamp`."""

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns with their new types."""
        return rows.plus({name: plain_type(kind) for name, kind in self.columns.items()}).holding(rows.personal)

    def misfits(self, _rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Types that Spark doesn't know."""
        return bad_types("", self.columns)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows in which every value could be cast.

        Raises:
            ConfigError: an unknown column, an unknown type, or one that the column's type can never become.
        """
        casts = self._casts(rows, context)
        good = rows.where(~_any(bad for _, bad in casts.values())) if casts else rows
        return good.select([casts[name][0].alias(name) if name in casts else column(name) for name in rows.columns])

    def refused(self, rows: DataFrame, context: Context) -> DataFrame:
        """The other rows: which columns, which values, which types."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        rules = [
            (bad, f"cast {name}", F.concat(F.lit(f"{name}: "), shown(name), F.lit(f" is no {self.columns[name]}")))
            for name, (_, bad) in self._casts(rows, context).items()
        ]
        names, message = broken(rules)
        failing = rows.where(_any(bad for bad, _, _ in rules))
        return shaped(failing, rows.columns, dataset=context.dataset, stage="transform", rules=names, message=message)

    def _casts(self, rows: DataFrame, context: Context) -> dict[str, tuple[Column, Column]]:
        """Column -> (the value cast, whether it couldn't be)."""
        require(self.columns, rows.columns, context.where)
        casts = {}
        for name, wanted in self.columns.items():
            source, target = rows.schema[name].dataType, _target(rows, name, wanted, f"{context.where}.{name}")
            if source != target:
                value = _value(name, source, target, context.plan.window.timezone)
                casts[name] = value, column(name).isNotNull() & (value.isNull() | _changed(name, source, target))
        return casts


def _target(rows: DataFrame, name: str, wanted: str, where: str) -> DataType:
    return analysed(lambda: rows.select(column(name).try_cast(wanted)), rows.columns, where, wanted).schema[0].dataType


def _value(name: str, source: DataType, target: DataType, zone: str) -> Column:
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    value = column(name).try_cast(target)
    if not isinstance(source, T.StringType) or not isinstance(target, (T.TimestampType, T.TimestampNTZType)):
        return value
    dated = F.when(column(name).rlike(_HAS_DATE), value)
    if zone == "UTC" or isinstance(target, T.TimestampNTZType):
        return dated
    return F.when(column(name).rlike(_HAS_OFFSET), dated).otherwise(F.to_utc_timestamp(dated, zone))


def _changed(name: str, source: DataType, target: DataType) -> Column:
    """Whether the cast would silently cut something off."""
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    value = column(name)
    if isinstance(source, T.FractionalType) and isinstance(target, T.IntegralType):
        cut: Column = value.try_cast(target) != value
        return cut
    if isinstance(source, T.StringType) and isinstance(target, T.DateType):
        return ~value.rlike(_ONLY_DATE) & value.try_cast("timestamp").isNull()
    return F.lit(False)


def _any(flags: Iterable[Column]) -> Column:
    return reduce(or_, flags)
