"""Records of text files as raw text, with the place they came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from spark_jobs.extract.records import Problem
from spark_jobs.filesystem import escaped
from spark_jobs.session import FileStat

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

Tell = Literal["nothing", "file", "line"]
"""What is told of where a record stood: nothing, its file, or its file and line."""

LONGEST: Final = 16 * 1024 * 1024
_UNREADABLE: Final = "\ufffd"  # what Unicode puts in the place of bytes that are no text
_KEPT: Final = 1000


def lines(spark: SparkSession, files: Sequence[FileStat], tell: Tell) -> DataFrame:
    """The lines of files: `value`, `file`, `line`; a line ends with LF, CRLF or CR.

    Args:
        spark: the session.
        files: which files, at least one.
        tell: `file`, or `line` (from 1, which costs a pass of its own) with it; what isn't told is null.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    text = spark.read.text([escaped(file.path) for file in files])
    if tell == "line":
        placed = text.select("value", *_place())
        return _numbered(spark, placed).select("value", "file", (F.col("id") - F.col("before")).alias("line"))
    file = source_file() if tell == "file" else F.lit(None).cast("string")
    return text.select("value", file.alias("file"), F.lit(None).cast("bigint").alias("line"))


def _numbered(spark: SparkSession, placed: DataFrame) -> DataFrame:
    """The lines and how far their ids are ahead of their line numbers, which is one number per block of a file."""
    from pyspark.sql import functions as F  # noqa: N812

    found = placed.groupBy("file", "block").agg(F.min("id").alias("first"), F.count(F.lit(1)).alias("n")).collect()
    offsets, line, last = [], 1, None
    for row in sorted(found, key=lambda row: (row["file"], row["block"])):
        line = line if row["file"] == last else 1
        offsets.append((row["file"], row["block"], row["first"] - line))
        line, last = line + row["n"], row["file"]
    shift = spark.createDataFrame(offsets, "file string, block bigint, before bigint")
    return placed.join(F.broadcast(shift), ["file", "block"], "left")


def _place() -> list[Column]:
    from pyspark.sql import functions as F  # noqa: N812

    block = F.col("_metadata.file_block_start").alias("block")
    return [source_file().alias("file"), block, F.monotonically_increasing_id().alias("id")]


def quoted_records(spark: SparkSession, files: Sequence[FileStat], quote: str) -> DataFrame:
    """Records of files whose quoted fields may hold line breaks: `value`, `file`, `line` (the first one, from 1).

    A line ends with LF or CRLF. A record ends with the first line up to which the quotes of the file are even; each
    file is put together by one task. Unlike Spark's own reader it keeps the bytes of a record as they are, copes with
    mixed line ends, and sees quotes that never close.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    text = spark.read.option("lineSep", "\n").text([escaped(file.path) for file in files])
    placed = text.select("value", *_place())
    order = Window.partitionBy("file").orderBy("block", "id")
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    open_before = F.coalesce(F.sum(quotes(F.col("value"), quote)).over(before), F.lit(0)) % 2
    pieces = placed.select("*", F.row_number().over(order).alias("line"), open_before.alias("open"))
    first = F.max(F.when(F.col("open") == 0, F.col("line"))).over(order)
    grouped = pieces.select("file", "line", "value", first.alias("first")).groupBy("file", "first")
    together = F.array_sort(F.collect_list(F.struct("line", "value")))
    record = F.array_join(F.transform(together, lambda piece: piece["value"]), "\n")
    return grouped.agg(record.alias("value")).select(
        _without_cr(F.col("value")).alias("value"), "file", F.col("first").cast("bigint").alias("line")
    )


def unmarked(record: Column) -> Column:
    """A record without the byte order mark that files bring along when they are put together."""
    from pyspark.sql import functions as F  # noqa: N812

    mark = F.startswith(record, F.lit("\ufeff"))
    return F.when(mark, F.substr(record, F.lit(2))).otherwise(record)


def quotes(text: Column, quote: str) -> Column:
    """How many quote characters (one byte each) a text has, counted so that broken UTF-8 doesn't disturb it."""
    from pyspark.sql import functions as F  # noqa: N812

    if not quote:
        return F.lit(0)
    without = F.octet_length(F.replace(text, F.lit(quote), F.lit("")))
    return F.when(F.contains(text, F.lit(quote)), F.octet_length(text) - without).otherwise(0)


def _without_cr(text: Column) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.when(F.endswith(text, F.lit("\r")), F.left(text, F.length(text) - 1)).otherwise(text)


def source_file() -> Column:
    """The file of a row as a person writes it, not as a URI."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))


def readable(raw: Column) -> Column:
    """A raw record that any reader can show: bytes that are no UTF-8 are kept as one Latin-1 character each.

    Of a record that is too long only the beginning is kept; file and line say where it stands.
    """
    from pyspark.sql import functions as F  # noqa: N812

    kept = F.when(F.octet_length(raw) > LONGEST, F.substring(raw, 1, _KEPT)).otherwise(raw)
    return F.when(F.is_valid_utf8(kept), kept).otherwise(F.decode(kept.cast("binary"), "ISO-8859-1"))


def unreadable(record: Column) -> tuple[Problem, ...]:
    """What keeps a record from being looked into, whatever its format."""
    from pyspark.sql import functions as F  # noqa: N812

    size = F.format_number(F.octet_length(record), 0)
    return (
        Problem(
            rule="too_long",
            when=F.octet_length(record) > LONGEST,
            message=F.concat(F.lit("a record of "), size, F.lit(f" bytes, at most {LONGEST:,} are read")),
        ),
        Problem(
            rule="utf8",
            when=~F.is_valid_utf8(record),
            message=F.concat(_first_unreadable(record), F.lit("; the raw text shows each byte as Latin-1")),
        ),
    )


def _first_unreadable(record: Column) -> Column:
    """`byte 0xf6 at 3 is no UTF-8`, counted from 0; without its place where the record has the mark for such bytes."""
    from pyspark.sql import functions as F  # noqa: N812

    at = F.octet_length(F.substring_index(F.make_valid_utf8(record), _UNREADABLE, 1))
    byte = F.lower(F.hex(F.substring(record.cast("binary"), at + 1, 1)))
    told = F.concat(F.lit("byte 0x"), byte, F.lit(" at "), at.cast("string"), F.lit(" is no UTF-8"))
    return F.when(F.contains(record, F.lit(_UNREADABLE)), F.lit("bytes that are no UTF-8")).otherwise(told)
