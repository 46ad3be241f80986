"""The entity that is purged: how its rows are found in tables, and its values in raw records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError
from spark_jobs.outline import family
from spark_jobs.tables.forms import Form, comparable, means, pattern

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Whose rows are purged.

    Args:
        keys: column -> value as text; a row is the entity's where all of them match.
        forms: column -> the value as the pipeline's tables have it, as far as they were asked.

    Raises:
        ConfigError: a column is named twice; case makes no difference.
    """

    keys: Mapping[str, str]
    forms: Mapping[str, tuple[Form, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """See that the keys can be met together."""
        names = [name.lower() for name in self.keys]
        if twice := [name for name in self.keys if names.count(name.lower()) > 1]:
            raise ConfigError(
                f"the key {twice[0]!r} is given twice",
                where="purge",
                expected="each column once, however it is spelled",
            )

    def missing(self, rows: DataFrame) -> list[str]:
        """The key columns that a table lacks; case makes no difference."""
        there = {name.lower() for name in rows.columns}
        return [name for name in self.keys if name.lower() not in there]

    def source(self, spark: SparkSession, rows: DataFrame, where: str) -> DataFrame:
        """One row that holds the values, of the types that a table's columns have.

        Values come to the table as rows, never as text in a condition: Delta writes conditions into its log.

        Raises:
            ConfigError: a value that its column's type can't have, or has only rounded or completed.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        types = self._types(rows)
        for column, kind in zip(self.keys, types, strict=True):
            if not comparable(kind):
                raise ConfigError(
                    f"column {column!r} is {kind}: no value that is given as text can be compared with it",
                    where=where,
                    expected="a column of text, numbers, dates, timestamps or true and false",
                )
        names = [_name(place) for place in range(len(self.keys))]
        texts = spark.createDataFrame([tuple(self.keys.values())], ", ".join(f"{name} STRING" for name in names))
        typed = texts.select(
            *[F.expr(f"try_cast({name} AS {kind})").alias(name) for name, kind in zip(names, types, strict=True)]
        )
        for (column, value), kind, text in zip(self.keys.items(), types, _texts(typed), strict=True):
            _refuse_other(column, value, kind, text, where)
        return typed

    def texts(self, spark: SparkSession, rows: DataFrame, where: str) -> list[str]:
        """The values as a table's columns have them, as Spark writes them.

        Raises:
            ConfigError: as `source`.
        """
        return [str(text) for text in _texts(self.source(spark, rows, where))]

    def seen_in(self, spark: SparkSession, rows: DataFrame, where: str) -> Entity:
        """The entity with the values as a table has them, too.

        Raises:
            ConfigError: as `source`.
        """
        texts = self.texts(spark, rows, where)
        found = [Form(kind=kind, text=text) for kind, text in zip(self._types(rows), texts, strict=True)]
        forms = {name: (*self.forms.get(name, ()), form) for name, form in zip(self.keys, found, strict=True)}
        return Entity(keys=self.keys, forms=forms)

    def told_by_columns(self, rows: DataFrame) -> bool:
        """Whether the columns alone tell whose a staged row is: they are what the tables have, and no text.

        A text may stand there as the source had it, before a step trims or changes it.
        """
        known = {name: {family(form.kind) for form in self.forms.get(name, ())} for name in self.keys}
        kinds = dict(zip(self.keys, map(family, self._types(rows)), strict=True))
        return all(kind != "text" and kind in known[name] for name, kind in kinds.items())

    def _types(self, rows: DataFrame) -> list[str]:
        kinds = {item.name.lower(): item.dataType.simpleString() for item in rows.schema}
        return [kinds[column.lower()] for column in self.keys]

    def condition(self) -> str:
        """Whether a row `t` of the table is the one that `source` gives as `s`."""
        return " AND ".join(f"t.{quote(column)} = s.{_name(place)}" for place, column in enumerate(self.keys))

    def patterns(self, spark: SparkSession) -> DataFrame:
        """One row that holds a pattern for each value."""
        names = ", ".join(f"{_pattern(place)} STRING" for place in range(len(self.keys)))
        values = [pattern(value, self.forms.get(name, ())) for name, value in self.keys.items()]
        return spark.createDataFrame([tuple(values)], names)

    def mentioned(self, *texts: str) -> str:
        """Whether some of the texts of a row `t` hold all values, by the patterns in `s`.

        Args:
            texts: Spark SQL expressions.
        """
        each = (
            " OR ".join(f"coalesce({text} RLIKE s.{_pattern(place)}, false)" for text in texts)
            for place in range(len(self.keys))
        )
        return " AND ".join(f"({found})" for found in each)


def parsed(text: str) -> str:
    """Spark SQL: a text that is JSON, written anew: numbers and escapes in their plain spelling; null where it isn't.

    Args:
        text: a Spark SQL expression.
    """
    return f"to_json(try_parse_json({text}))"


def _texts(typed: DataFrame) -> list[str | None]:
    """The values of the one row, as Spark writes them; None where the type can't have one."""
    [row] = typed.selectExpr(*[f"CAST({name} AS STRING)" for name in typed.columns]).collect()
    return list(row)


def _refuse_other(column: str, value: str, kind: str, text: str | None, where: str) -> None:
    """See that the value is what the column's type makes of it: another entity would go else."""
    if text is None:
        raise ConfigError(f"the value given for {column!r} is no {kind}", where=where)
    if not means(value, Form(kind=kind, text=text)):
        raise ConfigError(
            f"the value given for {column!r} isn't the {kind} that it would be taken for",
            where=where,
            expected="it whole and exact: a date such as 2013-01-31, a timestamp such as 2013-01-31T12:00:00Z (UTC "
            "where it says no zone), true or false, a number that needn't be rounded",
        )


def _name(place: int) -> str:
    """What the value of a key is called: as no column of a table is, so that conditions mean one thing."""
    return f"_etl_key_{place}"


def _pattern(place: int) -> str:
    return f"_etl_pattern_{place}"
