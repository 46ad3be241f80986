"""A database's columns on their way into Spark: selected so that they arrive unchanged, judged by the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError
from spark_jobs.extract.contract import Column as Promised
from spark_jobs.extract.records import Problem
from spark_jobs.extract.texts import instant, typed
from spark_jobs.jdbc.dialect import Dialect, Found, Nature

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession
    from pyspark.sql.types import DataType

_SHOWN: Final = 80


@dataclass(frozen=True, kw_only=True)
class Selected:
    """One column.

    Args:
        found: as the database describes it.
        nature: how it travels.
        place: its number, which names it on the way: any name would do for the database, but not for Spark.
        target: the type that it gets.
        promised: what the contract says; None where it says nothing.
        zone: IANA name of the zone of wall-clock times that become instants.
    """

    found: Found
    nature: Nature
    place: int
    target: DataType
    promised: Promised | None
    zone: str

    def select(self, dialect: Dialect) -> Iterator[str]:
        """What the database is asked for."""
        value, strange = self.nature.over(dialect.quote(self.found.name))
        yield f"{value} AS c{self.place}"
        if strange:
            yield f"{strange} AS s{self.place}"

    @property
    def given(self) -> Column:
        """What came, as text: for the raw record and for messages."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        shown = self._natural if self.nature.wire in ("micros", "days") else F.col(f"c{self.place}")
        text = shown.cast("string")
        return F.coalesce(F.col(f"s{self.place}"), text) if self.nature.strange else text

    @cached_property
    def value(self) -> Column:
        """The value; null where it doesn't fit."""
        came = F_col(self.place)
        if self.nature.wire == "text":
            return typed(came, self.target, self.zone, None)
        return self._to_target(self._natural)

    def problems(self) -> Iterator[Problem]:
        """Why a row may be refused for this column."""
        from pyspark.sql import functions as F  # noqa: N812

        name, came = self.found.name, F_col(self.place)
        strange = F.col(f"s{self.place}").isNotNull() if self.nature.strange else F.lit(False)
        lost = came.isNotNull() & self.value.isNull()
        shown = F.substring(self.given, 1, _SHOWN)
        message = F.concat(
            F.lit(f"column {name!r}: "), shown, F.lit(f" is no {self.target.simpleString()}; cast it in `query`")
        )
        if self.nature.strange or self._may_be_lost:
            yield Problem(rule=f"type {name}", when=strange | lost, message=message)
        if self.promised is not None and self.promised.required:
            missing = came.isNull() & ~strange
            told = F.lit(f"column {name!r} is required and has no value")
            yield Problem(rule=f"required {name}", when=missing, message=told)

    def refuse_uncastable(self, spark: SparkSession, where: str) -> None:
        """See that the contract's type can be had.

        Raises:
            ConfigError: Spark has no way from the one to the other.
        """
        from pyspark.errors import AnalysisException
        from pyspark.sql import functions as F  # noqa: N812

        if self.target == self.kind or self.nature.wire == "text":
            return
        try:
            empty = spark.range(0).select(F.lit(None).cast(self.kind).alias("v"))
            _ = empty.select(self._to_target(F.col("v"))).schema
        except AnalysisException as error:
            raise ConfigError(
                f"column {self.found.name!r} is {self.found.native}, which can't become {self.target.simpleString()}",
                where=f"{where}.columns.{self.found.name}",
                expected=f"{self.kind.simpleString()}, or a type that Spark casts that to",
                remedy="correct the type, or cast in `query`",
            ) from error

    @property
    def _may_be_lost(self) -> bool:
        return self.nature.wire in ("text", "list") or self.target != self.kind

    @cached_property
    def kind(self) -> DataType:
        """Spark's type of what the database gives."""
        return spark_type(self.nature.kind)

    @cached_property
    def _natural(self) -> Column:
        """The value in the type that the database's has."""
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        came = F_col(self.place)
        if self.nature.wire == "micros":
            return F.timestamp_micros(came).cast(self.kind)  # the session's zone is UTC: its wall clock is the number's
        if self.nature.wire == "days":
            return F.date_from_unix_date(came.cast("int"))
        if self.nature.wire == "list" and isinstance(self.kind, T.ArrayType):
            element = self.kind.elementType
            texts = F.from_json(came, "array<string>")
            return F.transform(texts, lambda text: typed(text, element, self.zone, None))
        return came.cast(self.kind)

    def _to_target(self, value: Column) -> Column:
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        if self.target == self.kind:
            return value
        if isinstance(self.kind, T.StringType):
            return typed(value, self.target, self.zone, None)
        if isinstance(self.kind, T.TimestampNTZType) and isinstance(self.target, T.TimestampType):
            return instant(value, self.zone)
        changed = value.try_cast(self.target)
        return F.when(changed.try_cast(self.kind).eqNullSafe(value), changed)


def F_col(place: int) -> Column:  # noqa: N802 - a column by its number
    """What came for a column."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.col(f"c{place}")


def spark_type(text: str) -> DataType:
    """Spark's type of a text that is known to be one."""
    from pyspark.sql.types import DataType

    return DataType.fromDDL(text)


def nature_of(found: Found, dialect: Dialect, where: str) -> Nature:
    """How a column travels.

    Raises:
        ConfigError: it can't, unchanged.
    """
    nature = dialect.nature(found)
    if nature is None:
        raise ConfigError(
            f"column {found.name!r} is {found.native or found.spark}, which this driver may change on the way",
            where=where,
            expected="numbers, texts, booleans, bytes",
            remedy=f"cast it in `query`, such as CAST({found.name} AS VARCHAR(100))",
        )
    return nature
