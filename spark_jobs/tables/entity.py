"""The entity that is purged: how its rows are found in tables, and its values in raw records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType

# A value ends where no letter, digit or _ goes on: 1 isn't found in 12.
_BEFORE: Final = r"(?<![\p{L}\p{N}_])"
_AFTER: Final = r"(?![\p{L}\p{N}_])"


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Whose rows are purged.

    Args:
        keys: column -> value as text; a row is the entity's where all of them match.
    """

    keys: Mapping[str, str]

    def missing(self, rows: DataFrame) -> list[str]:
        """The key columns that a table lacks; case makes no difference."""
        there = {name.lower() for name in rows.columns}
        return [name for name in self.keys if name.lower() not in there]

    def source(self, spark: SparkSession, rows: DataFrame, where: str) -> DataFrame:
        """One row that holds the values, of the types that a table's columns have.

        Values come to the table as rows, never as text in a condition: Delta writes conditions into its log.

        Raises:
            ConfigError: a value that its column's type can't have.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        kinds: dict[str, DataType] = {item.name.lower(): item.dataType for item in rows.schema}
        names = [_name(place) for place in range(len(self.keys))]
        texts = spark.createDataFrame([tuple(self.keys.values())], ", ".join(f"{name} STRING" for name in names))
        types = [kinds[column.lower()].simpleString() for column in self.keys]
        typed = texts.select(
            *[F.expr(f"try_cast({name} AS {kind})").alias(name) for name, kind in zip(names, types, strict=True)]
        )
        values = typed.first()
        for (column, _), name, kind in zip(self.keys.items(), names, types, strict=True):
            if values is None or values[name] is None:
                raise ConfigError(f"the value given for {column!r} is no {kind}", where=where)
        return typed

    def condition(self) -> str:
        """Whether a row `t` of the table is the one that `source` gives as `s`."""
        return " AND ".join(f"t.{quote(column)} = s.{_name(place)}" for place, column in enumerate(self.keys))

    def patterns(self, spark: SparkSession) -> DataFrame:
        """One row that holds a pattern for each value, named as in `source`."""
        names = ", ".join(f"{_name(place)} STRING" for place in range(len(self.keys)))
        return spark.createDataFrame([tuple(pattern(value) for value in self.keys.values())], names)

    def mentioned(self, *texts: str) -> str:
        """Whether some of the texts of a row `t` hold all values, by the patterns in `s`.

        Args:
            texts: Spark SQL expressions.
        """
        each = (
            " OR ".join(f"coalesce({text} RLIKE s.{_name(place)}, false)" for text in texts)
            for place in range(len(self.keys))
        )
        return " AND ".join(f"({found})" for found in each)


def _name(place: int) -> str:
    """What the value of a key is called: as no column of a table is, so that conditions mean one thing."""
    return f"_etl_key_{place}"


def pattern(value: str) -> str:
    """A Java pattern for a value as it stands in raw records: bare, escaped as in JSON, quoted as in CSV."""
    forms = dict.fromkeys([value, json.dumps(value, ensure_ascii=False)[1:-1], value.replace('"', '""')])
    return f"{_BEFORE}(?:{'|'.join(re.escape(form) for form in forms)}){_AFTER}"
