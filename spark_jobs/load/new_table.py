"""The first commit of a Delta table: its schema and layout, without a row.

Windows that load a new table at once each find a folder that holds the others' files. The table is there before the
first of those files is, so a folder with files and no table is always a stranger's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import listed, quote
from spark_jobs.connect import is_connect
from spark_jobs.connect import storage as thin
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger, committing, last_version
from spark_jobs.session import Storage
from spark_jobs.settings import changed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType


# What Delta says of a folder that has a log and, as far as it saw, no table.
_BEGUN: Final = ("DELTA_TABLE_NOT_FOUND", "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION")
_PATIENCE: Final = 3.0  # seconds that another window may take from its log's folder to its first commit
_RESERVED: Final = " ,;{}()\n\t="  # as Delta has them where columns aren't mapped
# Off in every session that runs a query, so that it can't read paths; the builder knows its table by its path.
FEED: Final = "delta.enableChangeDataFeed"
_PATHS: Final = "spark.sql.runSQLOnFiles"


def ensure_table(
    spark: SparkSession,
    path: str,
    schema: StructType,
    partition_by: Sequence[str],
    properties: Mapping[str, str] | None = None,
) -> None:
    """Make an empty table where there is none.

    Args:
        spark: a classic session.
        path: the table's folder or URI.
        schema: its columns.
        partition_by: columns that lay it out.
        properties: of the new table; one that is there keeps its own.

    Raises:
        ConfigError: the path holds something that is no Delta table.
    """
    if last_version(spark, path) is not None:
        return
    if _holds_something(spark, path) and last_version(spark, path) is None:
        raise ConfigError(
            "the folder holds something that is no Delta table",
            where=path,
            expected="a Delta table, or nothing",
            remedy="move it away, or give another path",
        )
    demand_names(schema, path)
    committing(lambda: _create(spark, path, schema, partition_by, properties or {}))


def demand_names(schema: StructType, path: str) -> None:
    """See that Delta takes the columns' names, as it does without column mapping, which no new table of ours has.

    Raises:
        ConfigError: one has a space or a sign that Parquet keeps for itself.
    """
    wrong = [name for name in schema.names if set(name) & set(_RESERVED)]
    if wrong:
        raise ConfigError(
            f"Delta takes no column called {listed(wrong)}",
            where=path,
            expected="names without spaces, tabs, line breaks and , ; { } ( ) =",
            remedy="rename them (step `rename`)",
        )


def record_changes(spark: SparkSession, ledger: Ledger) -> None:
    """Let a table record its changes from its next commit on, where it doesn't yet; a commit of its own.

    Args:
        spark: a classic session.
        ledger: of a table that is there.
    """
    if ledger.properties().get(FEED) == "true":
        return
    alter(spark, ledger.path, f"SET TBLPROPERTIES ('{FEED}' = 'true')")


def alter(spark: SparkSession, path: str, statement: str) -> None:
    """Alter a table that is known by its path, in a session of its own: no other may read paths.

    Args:
        spark: a classic session.
        path: the table's folder or URI.
        statement: what stands behind ALTER TABLE and the table.
    """
    _stated(spark, f"ALTER TABLE delta.{quote(path)} {statement}")
    Ledger(spark, path).look_again()


def delete(spark: SparkSession, path: str, where: str) -> None:
    """Delete rows of a table that is known by its path, in one commit.

    Args:
        spark: a session.
        path: the table's.
        where: which rows, in Spark SQL.
    """
    committing(lambda: _stated(spark, f"DELETE FROM delta.{quote(path)} WHERE {where}"))  # noqa: S608 - both are ours


def _stated(spark: SparkSession, statement: str) -> None:
    if is_connect(spark):  # a session has no others beside it there; nobody else's query runs in it meanwhile
        with changed(spark, _PATHS, "true"):
            spark.sql(statement).collect()
        return
    own = spark.newSession()
    own.conf.set(_PATHS, "true")
    own.sql(statement)


def _holds_something(spark: SparkSession, path: str) -> bool:
    """Whether there is a file, or a folder with more in it than the log that another window is beginning."""
    if is_connect(spark):
        return thin.holds_something(spark, path)
    storage = Storage(spark, path)
    if not storage.exists(path):
        return False
    return not storage.is_folder(path) or any(name != "_delta_log" for name, _ in storage.names(path))


def _create(
    spark: SparkSession, path: str, schema: StructType, partition_by: Sequence[str], properties: Mapping[str, str]
) -> None:
    """Commit to the log alone: even an empty write would put a file beside it first."""
    from pyspark.errors import AnalysisException

    if last_version(spark, path) is not None:
        return
    if is_connect(spark):
        _created_empty(spark, path, schema, partition_by)
        return
    from delta import DeltaTable

    own = spark.newSession()
    own.conf.set(_PATHS, "true")
    builder = DeltaTable.createIfNotExists(own).location(path).addColumns(schema).partitionedBy(*partition_by)
    for key, value in properties.items():
        builder = builder.property(key, value)
    try:
        builder.execute()
    except AnalysisException as error:
        if not any(mark in str(error) for mark in _BEGUN):
            raise
        # Another window began the table since we looked, or is about to; or died there, before the first commit.
        if not _there_soon(spark, path):
            _created_empty(own, path, schema, partition_by)


def _created_empty(spark: SparkSession, path: str, schema: StructType, partition_by: Sequence[str]) -> None:
    """Write no row where no table is."""
    spark.createDataFrame([], schema).write.format("delta").mode("ignore").partitionBy(*partition_by).save(path)


def _there_soon(spark: SparkSession, path: str) -> bool:
    """Whether the table's first commit is there, or comes while we wait."""
    deadline = time.monotonic() + _PATIENCE
    while last_version(spark, path) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
