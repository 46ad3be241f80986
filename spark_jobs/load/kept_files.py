"""Which files a window has read: kept beside the table that it loads, and counted once the ledger names the attempt.

They stand in a side table (side.py) of each load, so they outlive log clean-up and VACUUM, and go wherever the table
goes. A window without files is kept too, by a row without a path: otherwise nobody could tell a late file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.load.covering import covered_by, current
from spark_jobs.load.delta_lake import DeltaLake
from spark_jobs.load.side import FILES, UNIT, Side
from spark_jobs.session import FileStat
from spark_jobs.tables.spans import merged, window_of_unit

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.ledger import LoadUnit
    from spark_jobs.plan import Plan
    from spark_jobs.window import Window

SCHEMA: Final = "source STRING, path STRING, size BIGINT, modified BIGINT, etag STRING"
"""`modified` in milliseconds since 1970, `etag` where the storage has one."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATE: Final = 100  # late files that are named


@dataclass(frozen=True, kw_only=True)
class KeptFiles:
    """The files that the windows of one load have read.

    Args:
        side: where they are kept.
        unit: the window that runs, as the load's ledger calls it.
        committed: unit -> number, of the load's windows that the ledger holds.
    """

    side: Side
    unit: LoadUnit
    committed: Mapping[str, int]

    def replace(self, files: DataFrame, number: int) -> bool:
        """Keep an attempt's files; those that went before what the window has committed now go.

        Those of other attempts stay: each may be about to commit.

        Args:
            files: SCHEMA; of each source its files and a row without a path.
            number: the attempt's.

        Returns:
            Whether they are kept; not where a later attempt has kept its own.
        """
        return self.side.replace(files, self.unit.key, number, self.committed.get(self.unit.key, -1))

    def of_window(self, source: str) -> list[FileStat] | None:
        """The files that the window has committed; None where it has kept none of the source, not even that."""
        if self.unit.key not in self.committed or not self.side.exists():
            return None
        mine = {self.unit.key: self.committed[self.unit.key]}
        rows = self._counting(mine, source).collect()
        if not rows:
            return None
        return sorted(_file(row) for row in rows if row["path"] is not None)

    def of_covered(self, source: str) -> dict[str, list[FileStat]]:
        """Unit -> the files that it has read, of the loaded windows that this one covers, its own aside."""
        zone, key = self.unit.window.timezone, self.unit.key
        within = {
            unit: self.committed[unit] for unit in covered_by(key, self.committed, zone) if unit in self.committed
        }
        counting = {unit: number for unit, number in current(within, zone).items() if unit != key}
        if not counting or not self.side.exists():
            return {}
        found: dict[str, list[FileStat]] = {}
        for row in self._counting(counting, source).where("path IS NOT NULL").orderBy(UNIT, "path").collect():
            found.setdefault(row[UNIT], []).append(_file(row))
        return found

    def late(self, source: str, files: Sequence[FileStat]) -> list[tuple[FileStat, Window]]:
        """Those of some files that lie in a window that is loaded and hasn't read them, each with the window.

        Args:
            source: the source's name.
            files: all that there are now.
        """
        if not self.side.exists():
            return []
        spans = self._spans(source)
        inside = {file.path: (file, window) for file, window in _within(files, spans)}
        if not inside:
            return []
        candidates = rows_of(self.side.spark, source, [file for file, _ in inside.values()], marked=False)
        known = self._counting(self.committed, source).select("path", "modified")
        missing = candidates.join(known, ["path", "modified"], "left_anti").orderBy("modified", "path")
        return [inside[row["path"]] for row in missing.limit(_LATE).collect()]

    def _spans(self, source: str) -> list[Window]:
        """The windows that have kept what they read of a source, in order."""
        units = self._counting(self.committed, source).select(UNIT).distinct().collect()
        windows = (window_of_unit(row[0], self.unit.window.timezone) for row in units)
        return sorted(window for window in windows if window is not None)

    def _counting(self, units: Mapping[str, int], source: str) -> DataFrame:
        """What attempts have kept that count."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return self.side.counting(units).where(F.col("source") == source)


def kept_of(spark: SparkSession, plan: Plan) -> list[KeptFiles]:
    """What each load of a plan keeps; those that can't keep anything are left out."""
    found = []
    for name, (_, destination) in plan.load.items():
        if getattr(destination, "keeps_what_was_read", False):
            side = Side(table=DeltaLake(spark=spark, path=destination.path), kind=FILES, pipeline=plan.id, load=name)
            committed = destination.committed(name, spark, plan)
            found.append(KeptFiles(side=side, unit=destination.unit(name, plan), committed=committed))
    return found


def rows_of(spark: SparkSession, source: str, files: Sequence[FileStat], *, marked: bool = True) -> DataFrame:
    """Files as the side table holds them.

    Args:
        spark: the session.
        source: the source that reads them.
        files: they.
        marked: whether a row without a path is there too.
    """
    rows: list[tuple[Any, ...]] = [(source, file.path, file.size, file.mtime, file.etag or None) for file in files]
    if marked:
        rows.append((source, None, None, None, None))
    return spark.createDataFrame(rows, SCHEMA)


def modified(file: FileStat) -> datetime:
    """When a file was changed last, in UTC."""
    return _EPOCH + timedelta(milliseconds=file.mtime)


def _file(row: Any) -> FileStat:
    name = row["path"].rpartition("/")[2]
    return FileStat(row["path"], row["size"], row["modified"], name, row["etag"] or "")


def _within(files: Sequence[FileStat], windows: Sequence[Window]) -> Iterator[tuple[FileStat, Window]]:
    """Files with the window in whose span each was changed; in none: left out."""
    spans = merged(windows)
    starts, edges = [window.start for window in windows], [span.start for span in spans]
    for file in files:
        at = modified(file)
        span = bisect_right(edges, at) - 1
        if span < 0 or at >= spans[span].end:
            continue
        # Windows may cover each other: the last that begins before needn't be the one.
        around = range(bisect_right(starts, at) - 1, -1, -1)
        yield file, next(windows[place] for place in around if at < windows[place].end)
