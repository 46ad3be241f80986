"""How many records a supplier says there are: in the last line of each file, or in a manifest beside it.

They are held against what was read in the pass that reads it: each file has a number of its own (24 bits of the CRC of
its path), and the numbers of all records seen must add up to the promised counts, each times its file's number. So a
record too many in one file doesn't make up for one that another lacks. Where they don't, a second pass says which file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import DataError
from spark_jobs.extract.patterns import pattern

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FILE: Final = "__etl_file__"
PROMISED: Final = "__etl_promised__"
_MOST: Final = 10**12


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What the files promise.

    Args:
        files: all files that are read.
        trailer: regular expression of the line that ends a file and has the count in its group `rows`; None for none.
        rows: file -> count by its manifest; those that say nothing of rows aren't in it.
    """

    files: tuple[str, ...]
    trailer: str | None
    rows: Mapping[str, int]

    def promised(self, record: Column) -> Column:
        """The count in a trailer, -1 where it is no count that can be; null where a record is no trailer."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        assert self.trailer is not None  # noqa: S101 - asked where there is one
        found = pattern(self.trailer)
        count = F.regexp_extract(record, found.java, found.groups["rows"]).try_cast("bigint")
        possible = F.when((count >= 0) & (count < _MOST), count).otherwise(F.lit(-1))
        return F.when(F.rlike(record, F.lit(found.java)), possible)

    def metrics(self) -> dict[str, Column]:
        """What is added up of frames that have FILE and PROMISED, headers included."""
        from pyspark.sql import functions as F  # noqa: N812

        weight = F.shiftrightunsigned(F.crc32(F.col(FILE).cast("binary")), 8)
        record, promised = F.col(PROMISED).isNull(), F.col(PROMISED)
        listed = F.col(FILE).isin(*self.rows) if len(self.rows) < len(self.files) else F.lit(True)
        return {
            "seen_weight": F.sum(F.when(record, weight)),
            "listed_weight": F.sum(F.when(record & listed, weight)),
            "promised_weight": F.sum(promised * weight),
            "trailers_weight": F.sum(F.when(~record, weight)),
        }

    def hold(self, seen: Mapping[str, int], headers: Iterable[str]) -> bool:
        """Whether what was seen is what was promised.

        Args:
            seen: `metrics`, added up.
            headers: the files that have a header, which is no record.
        """
        named = list(headers)
        fine = True
        if self.trailer is not None:
            fine = seen["seen_weight"] - sum(map(_weight, named)) == seen["promised_weight"]
            fine = fine and seen["trailers_weight"] == sum(map(_weight, self.files))
        listed = seen["listed_weight"] - sum(_weight(file) for file in named if file in self.rows)
        return fine and listed == sum(_weight(file) * rows for file, rows in self.rows.items())

    def broken(self, frame: DataFrame, headers: Iterable[str]) -> DataError:
        """Which file breaks its promise; reads the files again.

        Args:
            frame: all records, with FILE and PROMISED.
            headers: as for `hold`.
        """
        from pyspark.sql import functions as F  # noqa: N812

        record = F.col(PROMISED).isNull()
        counted = frame.groupBy(FILE).agg(
            F.count_if(record).alias("records"), F.count_if(~record).alias("trailers"), F.max(PROMISED).alias("said")
        )
        found = {row[FILE]: row for row in counted.collect()}
        heads = set(headers)
        for file in self.files:
            row = found.get(file)
            seen, trailers, said = (row["records"], row["trailers"], row["said"]) if row is not None else (0, 0, None)
            told = self._told(file, seen - (file in heads), trailers, said)
            if told:
                remedy = "the file isn't whole, or put together of several: ask for it again"
                return DataError(told, where=file, expected="as many records as are promised", remedy=remedy)
        return DataError("a file changed while it was read", where=self.files[0], remedy="run it again")

    def _told(self, file: str, seen: int, trailers: int, said: int | None) -> str:
        if self.trailer is not None and trailers != 1:
            return f"{trailers or 'no'} lines look like the trailer {self.trailer!r}, which ends a file"
        if self.trailer is not None and said != seen:
            return f"the trailer says {said} records, there are {seen}"
        if file in self.rows and self.rows[file] != seen:
            return f"the manifest says {self.rows[file]} records, there are {seen}"
        return ""


def _weight(file: str) -> int:
    return zlib.crc32(file.encode()) >> 8
