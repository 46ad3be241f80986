"""From text to typed values: exactly the value that was written, or null where the text doesn't fit.

Spark's own cast is more generous: it reads `now` and `10:00` by the clock, `2013-01-01 foo` as a date, `12D` as 12.0,
1.235 as decimal(5,2) 1.24 and 1e400 as infinity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession
    from pyspark.sql.types import DataType, DecimalType

_DATE: Final = r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ]00:00(:00(\.0*)?)?)?\s*$"
_DATED: Final = r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ]|\s*$)"
_WORDS: Final = r"(?i)^\s*[+-]?(nan|inf|infinity)\s*$"
_OFFSETS: Final = re.compile(r"[VzOXxZ]")
_QUOTED: Final = re.compile(r"'[^']*'")


def typed(text: Column, kind: DataType, zone: str, pattern: str | None) -> Column:
    """The value of a text; null where it doesn't fit.

    Args:
        text: null or the text; white space around it doesn't matter except in strings.
        kind: the type wanted.
        zone: IANA name of the zone of timestamps without an offset.
        pattern: Spark datetime pattern of timestamps; None for ISO 8601.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
    from pyspark.sql import types as T  # noqa: N812

    if isinstance(kind, T.StringType):
        return text
    if isinstance(kind, (T.TimestampType, T.TimestampNTZType)):
        return _timestamp(text, kind, zone, pattern)
    if isinstance(kind, T.DateType):
        return _where((_usual(text) & (F.octet_length(text) == 10)) | text.rlike(_DATE), text.try_cast(kind))
    if isinstance(kind, (T.DoubleType, T.FloatType)):
        return _float(text, kind)
    return _decimal(text, kind) if isinstance(kind, T.DecimalType) else text.try_cast(kind)


def _where(condition: Column, value: Column) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.when(condition, value)


def _usual(text: Column) -> Column:
    """Whether a text begins like 2013-01-31; cheaper than a regular expression, which then needn't look."""
    from pyspark.sql import functions as F  # noqa: N812

    return (F.substring(text, 5, 1) == "-") & (F.substring(text, 8, 1) == "-")


def _float(text: Column, kind: DataType) -> Column:
    """Java reads the suffixes of its literals, hexadecimal, and infinity for what is too large."""
    from pyspark.sql import functions as F  # noqa: N812

    # One short pattern: many small tests make Spark's generated method too large for the JVM to compile (8000 bytes).
    value = text.try_cast(kind)
    number = (F.abs(value) < F.lit(float("inf"))) & ~text.rlike("[dDfFxX]")
    return _where(number | text.rlike(_WORDS), value)


def _decimal(text: Column, kind: DecimalType) -> Column:
    """No digit is rounded away."""
    from pyspark.sql import functions as F  # noqa: N812

    value, point = text.try_cast(kind), F.instr(text, ".")
    short = (point == 0) | (F.octet_length(F.rtrim(text)) - point <= kind.scale)
    zeros = text.rlike(rf"\.\d{{{kind.scale}}}0*\s*$")
    power = F.contains(text, F.lit("e")) | F.contains(text, F.lit("E"))
    equal = value.cast("double") == text.try_cast("double")
    return _where(F.when(power, equal).otherwise(short | zeros), value)


def _timestamp(text: Column, kind: DataType, zone: str, pattern: str | None) -> Column:
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql.types import TimestampNTZType

    wall_clock = isinstance(kind, TimestampNTZType)
    if pattern is not None:
        value = F.try_to_timestamp(text, F.lit(pattern))
        return value.cast(kind) if wall_clock else value if _has_offset(pattern) else instant(value, zone)
    dated = _usual(text) | text.rlike(_DATED)
    offset = F.substring(F.trim(text), 12, 40).rlike("[A-Za-z+-]")
    local = text.try_cast("timestamp_ntz")
    if wall_clock:
        return _where(dated & ~offset, local)
    if zone == "UTC":
        return _where(dated, text.try_cast("timestamp"))
    return _where(dated, F.when(offset, text.try_cast("timestamp")).otherwise(instant(local, zone)))


def instant(local: Column, zone: str) -> Column:
    """The instant of a wall-clock time in a zone; the session's zone is UTC.

    A time that a clock change repeats is its first one, a time that it skips is moved forward by the gap.
    """
    from pyspark.sql import functions as F  # noqa: N812

    return F.to_utc_timestamp(local.cast("timestamp"), zone)


def _has_offset(pattern: str) -> bool:
    return bool(_OFFSETS.search(_QUOTED.sub("", pattern)))


def refuse_bad_pattern(spark: SparkSession, pattern: str | None, where: str, what: str = "datetime pattern") -> None:
    """See that Spark takes a datetime pattern.

    Args:
        spark: the session.
        pattern: the pattern; None is none to look at.
        where: its place.
        what: it is called in the error.

    Raises:
        ConfigError: it doesn't.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F  # noqa: N812

    if pattern is None:
        return
    try:
        # A table of values is computed by the driver: no task fails, and none writes its trace into the log.
        texts = spark.sql("SELECT text FROM VALUES ('2013-01-31') AS t(text)")
        texts.select(F.try_to_timestamp("text", F.lit(pattern))).collect()
    except PySparkException as error:
        raise ConfigError(
            f"{pattern!r} is no {what}",
            where=where,
            expected="letters of Spark's datetime patterns, such as dd.MM.yyyy HH:mm",
        ) from error
