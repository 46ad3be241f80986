"""Values of the pipeline file as literals of a column's type: compared exactly, or refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from spark_jobs.errors import ConfigError
from spark_jobs.outline import INSTANTS, NUMBERS, Misfit, family

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType

Value = int | float | bool | str


def literal(value: Value, kind: DataType, zone: str, where: str) -> Column:
    """A value as a literal that compares with a column of type `kind` without changing either.

    Args:
        value: as in the pipeline file; dates and timestamps are text.
        kind: the column's type.
        zone: where a timestamp without an offset is read in.
        where: place in the pipeline file.

    Raises:
        ConfigError: the value isn't of the column's kind.
    """
    from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

    if isinstance(kind, T.NumericType) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value, kind, where)
    if isinstance(kind, (T.DateType, T.TimestampType, T.TimestampNTZType)) and isinstance(value, str):
        return _instant(value, kind, zone, where)
    return _plain(value, kind, where)


def inverted(low: Value | None, high: Value | None) -> bool:
    """Whether a lower bound certainly lies above the upper one; texts are compared where both are dates or times."""
    if low is None or high is None:
        return False
    if isinstance(low, str) and isinstance(high, str):
        try:
            first, last = datetime.fromisoformat(low), datetime.fromisoformat(high)
        except ValueError:
            return False
        return (first.tzinfo is None) == (last.tzinfo is None) and first > last
    return not isinstance(low, str) and not isinstance(high, str) and low > high


def misfit(option: str, value: Value, name: str, kind: str | None) -> Iterator[Misfit]:
    """Why a value can't be compared with a column, before there is a column: `literal`, from the type's name alone.

    Args:
        option: which option holds the value.
        value: as in the pipeline file.
        name: the column.
        kind: its Spark type; None where it isn't known, and then nothing is said.
    """
    wanted = family(kind)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "boolean": isinstance(value, bool),
        "text": isinstance(value, str),
        **dict.fromkeys(NUMBERS, number),
        **dict.fromkeys(INSTANTS, isinstance(value, str)),
    }
    if wanted is None or (fits.get(wanted, False) and _readable(value, wanted)):
        return
    hint = "numbers for numbers, text for text, dates and timestamps as text such as '2013-01-31'"
    yield Misfit(option=option, message=f"{value!r} can't be compared with column {name!r}, which is {kind}", hint=hint)


def _readable(value: Value, wanted: str) -> bool:
    if wanted not in INSTANTS:
        return True
    try:
        if wanted == "date":
            return bool(date.fromisoformat(str(value)))
        aware = datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False
    return wanted == "timestamp" or not aware


def _plain(value: Value, kind: DataType, where: str) -> Column:
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    wanted = {T.StringType: str, T.BooleanType: bool}
    if any(isinstance(kind, spark) and isinstance(value, python) for spark, python in wanted.items()):
        return F.lit(value)
    raise ConfigError(
        f"{value!r} can't be compared with a column of type {kind.simpleString()}",
        where=where,
        expected="numbers for numbers, text for text, and dates and timestamps as text such as '2013-01-31'",
        remedy="cast the column in a step, or give it a type in the source's columns",
    )


def _number(value: float, kind: DataType, where: str) -> Column:
    """Integers and decimals are compared as decimals, because 2^53 + 1 is no double; doubles in their own precision."""
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    if isinstance(value, float) and math.isnan(value):
        raise ConfigError("NaN can't be compared with anything", where=where, expected="a number")
    if isinstance(kind, (T.FloatType, T.DoubleType)) or math.isinf(value):
        return F.lit(float(value)).cast(kind if isinstance(kind, T.FloatType) else "double")
    if len(Decimal(str(value)).as_tuple().digits) > 38 or abs(Decimal(str(value)).adjusted()) > 37:
        return F.lit(float(value))
    return F.lit(Decimal(str(value)))


def _instant(text: str, kind: DataType, zone: str, where: str) -> Column:
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    try:
        if isinstance(kind, T.DateType):
            return F.lit(date.fromisoformat(text).isoformat()).cast("date")
        moment = datetime.fromisoformat(text)
    except ValueError as reason:
        wanted = "a date such as 2013-01-31" if isinstance(kind, T.DateType) else "such as 2013-01-31T12:00:00+01:00"
        raise ConfigError(f"{text!r} is no {kind.simpleString()}", where=where, expected=wanted) from reason
    if isinstance(kind, T.TimestampNTZType):
        if moment.tzinfo is not None:
            raise ConfigError(f"{text!r} has an offset, the column has none", where=where)
        return F.lit(moment.isoformat(sep=" ")).cast(kind)
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return F.lit(aware.astimezone(UTC).isoformat(sep=" ")).cast(kind)
    except OverflowError:  # the last evening of 9999 in New York: in UTC it is the year 10000, which Spark has
        return F.expr(f"timestamp_micros({_micros(aware)}L)").cast(kind)


def _micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
