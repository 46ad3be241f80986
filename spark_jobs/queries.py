"""A SELECT over datasets, as a pipeline file may write one: it reads them and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import quote
from spark_jobs.expressions import analysed, refuse_code, refuse_programs
from spark_jobs.flow import Context
from spark_jobs.relations import refuse_others
from spark_jobs.settings import changed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_STOPS: Final = r"\b(LIMIT|OFFSET|TABLESAMPLE|JOIN)\b"
_FILES: Final = "spark.sql.runSQLOnFiles"


def answer(query: str, tables: Mapping[str, DataFrame], context: Context) -> DataFrame:
    """The rows that a query answers, lazily.

    The datasets are common table expressions around the query, so no view is left in the session and the query can
    be nothing but a query; reading files by path is off while Spark resolves it.

    Args:
        query: Spark SQL, one SELECT.
        tables: name -> the rows that the query may read.
        context: what runs.

    Raises:
        ConfigError: Spark refuses the query, it runs code that isn't Spark's, or it reads another table.
    """
    refuse_code(query, context.where)
    known = [f"{name}.{column}" for name, table in tables.items() for column in table.columns]
    if _may_stop_early(query, tables):
        tables = {name: table.hint("rebalance") for name, table in tables.items()}
    with no_files(context.spark):
        found = analysed(lambda: _run(query, tables, context.spark), known, context.where)
    refuse_programs(found, query, context.where)
    refuse_others(found, query, tables.values(), tables, context.where)
    return found


def named_in(query: str, datasets: Mapping[str, DataFrame]) -> dict[str, DataFrame]:
    """The datasets whose names stand in a query: only those are asked for."""
    return {name: datasets[name] for name in datasets if name.upper() in query.upper()}


def _may_stop_early(query: str, tables: Mapping[str, DataFrame]) -> bool:
    """Whether Spark may leave a table half read: its rows would be miscounted, so a shuffle then reads it whole."""
    text = query.upper()  # as Spark's lexer reads words
    again = any(text.count(name.upper()) > 1 for name in tables)
    return len(tables) > 1 or again or re.search(_STOPS, text) is not None


def _run(query: str, tables: Mapping[str, DataFrame], spark: SparkSession) -> DataFrame:
    places: dict[str, Any] = {f"t{place}": table for place, table in enumerate(tables.values())}
    named = zip(tables, places, strict=True)
    heads = ", ".join(f"{_braced(quote(name))} AS (FROM {{{place}}})" for name, place in named)
    text = f"WITH {heads} SELECT * FROM (\n{_braced(query)}\n)"  # noqa: S608 - the names are quoted
    return spark.sql(text if tables else text.removeprefix("WITH  "), **places)


@contextmanager
def no_files(spark: SparkSession) -> Iterator[None]:
    """Paths in a pipeline file must lie under its environment's roots: a query can't read others by csv.`/a/path`.

    Args:
        spark: the session in which it is resolved.
    """
    with changed(spark, _FILES, "false"):
        yield


def _braced(text: str) -> str:
    """Braces doubled, because spark.sql fills in what stands in single ones."""
    return text.replace("{", "{{").replace("}", "}}")
