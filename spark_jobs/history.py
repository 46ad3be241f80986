"""What the log of a Delta table says of its past: which version it had when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class History:
    """The past of one Delta table that is there.

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

    def newest(self) -> tuple[int, datetime, str]:
        """The newest version, when it was committed, and the id that the table was made with."""
        snapshot = self._log.update(False, self._nothing, self._nothing)
        committed = _EPOCH + int(snapshot.timestamp()) * _MILLISECOND
        return int(snapshot.version()), committed, str(snapshot.metadata().id())
