"""Formats `text` and `fixed`: a line is a row, and nothing but its place in the line tells a field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from spark_jobs.extract.cells import Reading
from spark_jobs.extract.fields import Fields
from spark_jobs.extract.lines import lines, unmarked, unreadable
from spark_jobs.extract.places import LINE, Place
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.filesystem import refuse_disguises

if TYPE_CHECKING:
    from pyspark.sql import Column


def text(reading: Reading) -> Callable[[bool], list[Parsed]]:
    """Gives the lines of the files, each a row; the argument says whether they are to be numbered.

    Raises:
        DataError: a file isn't compressed as its name says, or is UTF-16.
    """
    return _parser(reading, (LINE,), lambda line: [line], ())


def fixed(reading: Reading, places: Mapping[str, Place], *, pad: bool) -> Callable[[bool], list[Parsed]]:
    """Gives the records of files of fixed width; the argument says whether lines are to be numbered.

    Args:
        reading: files and contract.
        places: field -> where it stands.
        pad: whether blanks may be missing at the end of a line.

    Raises:
        DataError: a file isn't compressed as its name says, or is UTF-16; fields don't fit the contract.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    width = max(place.end for place in places.values())
    line = unmarked(F.col("value"))
    long = F.length(F.rtrim(line)) > width
    hint = "; if blanks at its end were taken off, set short_lines: pad"
    ragged = Problem(
        rule="ragged",
        when=long if pad else long | (F.length(line) < width),
        message=F.concat(F.length(line).cast("string"), F.lit(f" characters and not {width}{'' if pad else hint}")),
    )

    def cut(line: Column) -> list[Column]:
        return [F.trim(F.substring(line, place.start, place.length)) for place in places.values()]

    return _parser(reading, tuple(places), cut, (ragged,))


def _parser(
    reading: Reading, names: Sequence[str], cut: Callable[[Column], list[Column]], broken: Sequence[Problem]
) -> Callable[[bool], list[Parsed]]:
    from pyspark.sql import functions as F  # noqa: N812

    refuse_disguises(reading.context.spark, reading.files)
    new = reading.contract.fit(names, reading.told)
    fields = Fields(reading=reading, names=names, new=reading.new_columns([(name, reading.told) for name in new]))
    record, blank = F.col("value"), names == (LINE,)

    def parse(numbered: bool) -> list[Parsed]:
        found = lines(reading.context.spark, reading.files, reading.tell(numbered=numbered))
        found = found if blank else found.where(F.octet_length(record) > 0)
        texts = fields.texts(cut(record if blank else unmarked(record)))
        frame = found.select("value", "file", "line", *texts)
        return [fields.parsed(frame, [*unreadable(record), *broken], record)]

    return parse
