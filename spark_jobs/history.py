"""What the log of a Delta table says of its past: which version it had when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.connect import is_connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A version of a table.

    Args:
        version: its number.
        committed: when it was committed, in milliseconds since 1970.
        table: the id that the table was made with: no two tables have one, though one came to the folder after another.
    """

    version: int
    committed: int
    table: str


def newest(spark: SparkSession, path: str) -> Pinned | None:
    """The newest version of a Delta table; None where there is no table."""
    if not is_connect(spark):
        return History(spark, path).newest()
    from spark_jobs.connect.ledger import newest as thin

    return thin(spark, path)


class History:
    """The past of one Delta table.

    Args:
        spark: a classic session with Delta.
        path: the table's folder or URI.
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        jvm: Any = spark._jvm
        self._jvm: Any = jvm
        self._log: Any = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)
        self._nothing: Any = jvm.scala.Option.empty()

    def version_at(self, moment: datetime) -> int:
        """The last version that was committed at a moment or before it.

        Delta's own error says where none is known: before the first commit, or before those that are still in the log.
        """
        # Delta counts in milliseconds: a commit within the one that the moment lies in was there then.
        stamp = self._jvm.java.sql.Timestamp((moment - _EPOCH) // _MILLISECOND)
        can_return_last, must_be_recreatable, can_return_earliest = True, False, False
        commit = self._log.history().getActiveCommitAtTime(
            stamp, self._nothing, can_return_last, must_be_recreatable, can_return_earliest
        )
        return int(commit.version())

    def newest(self) -> Pinned | None:
        """The newest version; None where there is no table."""
        snapshot = self._log.update(False, self._nothing, self._nothing)
        version = int(snapshot.version())
        if version < 0:
            return None
        return Pinned(version=version, committed=int(snapshot.timestamp()), table=str(snapshot.metadata().id()))
