"""`sql`: a SELECT of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed, refuse_code, refuse_programs
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Outline, Scope

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_STOPS: Final = r"\b(limit|offset|tablesample|join)\b"
_FILES: Final = "spark.sql.runSQLOnFiles"


@dataclass(frozen=True, kw_only=True)
class Sql:
    """One SELECT; the incoming rows are the table `input`, every other dataset is a table of its own name."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "sql: SELECT customer, sum(amount) AS amount FROM input GROUP BY customer"
    effect: ClassVar[str] = "reshape"
    shorthand: ClassVar[str] = "query"

    query: str = field(metadata={"query": True, "substitute": "sql"})
    """Spark SQL, one SELECT, such as `SELECT carrier, count(*) AS flights FROM input GROUP BY carrier`."""

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """What the query selects."""
        return scope.query(self.query, rows)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows that the query answers.

        The datasets are common table expressions around the query, so no view is left in the session and the query can
        be nothing but a query; reading files by path is off while Spark resolves it.

        Raises:
            ConfigError: Spark refuses the query, it calls Java code, or a dataset is called `input`.
        """
        if "input" in {name.lower() for name in context.datasets}:
            raise ConfigError(
                "a dataset is called 'input', as are the incoming rows of a sql step",
                where=context.where,
                remedy="rename the dataset",
            )
        refuse_code(self.query, context.where)
        tables = {"input": rows} | {
            name: other for name, other in context.datasets.items() if name.lower() in self.query.lower()
        }
        known = [f"{name}.{column}" for name, table in tables.items() for column in table.columns]
        if self._may_stop_early(tables):
            tables = {name: table.hint("rebalance") for name, table in tables.items()}
        with _no_files(context.spark):
            found = analysed(lambda: self._run(tables, context.spark), known, context.where)
        refuse_programs(found, self.query, context.where)
        return found

    def _may_stop_early(self, tables: dict[str, DataFrame]) -> bool:
        """Whether Spark may leave a table half read: its rows would be miscounted, so a shuffle then reads it whole."""
        text = self.query.lower()
        return len(tables) > 1 or text.count("input") > 1 or re.search(_STOPS, text) is not None

    def _run(self, tables: dict[str, DataFrame], spark: SparkSession) -> DataFrame:
        places: dict[str, Any] = {f"t{place}": table for place, table in enumerate(tables.values())}
        named = zip(tables, places, strict=True)
        heads = ", ".join(f"{_braced(quote(name))} AS (FROM {{{place}}})" for name, place in named)
        text = f"WITH {heads} SELECT * FROM (\n{_braced(self.query)}\n)"  # noqa: S608 - the names are quoted
        return spark.sql(text, **places)


@contextmanager
def _no_files(spark: SparkSession) -> Iterator[None]:
    """Paths in a pipeline file must lie under its environment's roots: a query can't read others by csv.`/a/path`."""
    before = spark.conf.get(_FILES)
    spark.conf.set(_FILES, "false")
    try:
        yield
    finally:
        spark.conf.set(_FILES, str(before))


def _braced(text: str) -> str:
    """Braces doubled, because spark.sql fills in what stands in single ones."""
    return text.replace("{", "{{").replace("}", "}}")
