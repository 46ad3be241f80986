"""Which version of a table a run reads: one for all its reads, and an error that says so where it is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError, DataError, EtlError
from spark_jobs.failures import first_line
from spark_jobs.flow import Context
from spark_jobs.history import History, Pinned, newest
from spark_jobs.window import iso

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.extract.table import Table

# What Delta says of a version, or of changes, that log clean-up or VACUUM has removed.
_GONE: Final = (
    "DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION",
    "DELTA_VERSION_NOT_FOUND",
    "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION",
    "DELTA_NO_REPRODUCIBLE_HISTORY_FOUND",
    "DELTA_NO_RECREATABLE_HISTORY_FOUND",
    "DELTA_LOG_FILE_NOT_FOUND",
    "DELTA_CHANGE_DATA_FILE_NOT_FOUND",
    "DELTA_STATE_RECOVER_ERROR",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
    "VersionNotFoundException",
)
_KEEP: Final = (
    "read a version that is still there; a table that is read so keeps its past as long as "
    "`delta.deletedFileRetentionDuration` and `delta.logRetentionDuration` say"
)


def chosen(source: Table, context: Context) -> int:
    """The version of a table that a source reads; the newest one is the same for all sources of a run.

    Raises:
        ConfigError: `as_of` is no moment, or one that hasn't come yet.
        DataError: there is no such table, or the version isn't there any more.
    """
    found = pinned(source.path, context)
    if source.version is not None:
        return source.version
    if source.as_of is None:
        return found.version
    moment = source.moment(context.plan.window.timezone)
    where = f"{context.where}.as_of"
    if moment is None:
        raise ConfigError(f"{source.as_of!r} is no date or time", where=where, expected="such as 2013-01-01T06:00")
    if moment > datetime.now(UTC):
        raise ConfigError(
            f"{iso(moment)} hasn't come yet: what the table says then isn't known",
            where=where,
            expected="a moment that has passed",
            remedy="run the window when it is over",
        )
    try:
        return History(context.spark, source.path).version_at(moment)
    except Exception as error:
        raise explained(error, source.path, f"as of {iso(moment)}") from error


def pinned(path: str, context: Context) -> Pinned:
    """The version of a table that was the newest one when the run looked at it first.

    Raises:
        DataError: there is no such table.
    """
    found = context.versions.get(path) or newest(context.spark, path)
    if found is None:
        raise DataError(
            "there is no Delta table",
            where=path,
            expected="a table that another pipeline has loaded",
            remedy="load it first, or correct the path",
        )
    return context.versions.setdefault(path, found)


def read(spark: SparkSession, path: str, version: int) -> DataFrame:
    """A table as it was at a version, lazily.

    Raises:
        DataError: the version isn't there any more.
    """
    try:
        rows = spark.read.format("delta").option("versionAsOf", str(version)).load(path)
        _ = rows.schema
    except Exception as error:
        raise explained(error, path, f"version {version}") from error
    return rows


def explained(error: Exception, path: str, what: str) -> EtlError | Exception:
    """An error of Delta as ours, where what was asked for is gone; else the error as it is.

    Args:
        error: Delta's.
        path: the table's.
        what: what was asked for.
    """
    text = str(error)
    if not any(mark in text for mark in _GONE):
        return error
    return DataError(
        f"{what} isn't there: {first_line(text)}",
        where=path,
        expected="a version that log clean-up and VACUUM have left",
        remedy=_KEEP,
    )
