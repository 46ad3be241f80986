"""Formats `csv` and `tsv`: read as text, so that every line is accounted for, byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from spark_jobs.extract.cells import Reading
from spark_jobs.extract.fields import Fields
from spark_jobs.extract.header import Dialect, Group, groups
from spark_jobs.extract.lines import lines, quoted_records, quotes, unreadable
from spark_jobs.extract.records import Parsed, Problem

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_MOST_FIELDS: Final = 100_000  # Spark's parser fails the job at a line with more fields than it has room for


def parser(reading: Reading, dialect: Dialect) -> Callable[[bool], list[Parsed]]:
    """Gives the records of the files; its argument says whether lines are to be numbered.

    Raises:
        DataError: a header can't be read or doesn't fit the contract.
    """
    found = groups(reading.context.spark, reading.files, dialect)
    fits = [reading.contract.fit(group.names, group.files[0].path) for group in found]
    seen = [(name, group.files[0].path) for group, new in zip(found, fits, strict=True) for name in new]
    new = reading.new_columns(seen)
    reader = _Reader(reading, dialect, new)
    return lambda numbered: [reader.parse(group, numbered=numbered) for group in found]


def options(dialect: Dialect) -> dict[str, str]:
    """What Spark's parser of one record is told; `bad` is where it keeps one with too many or too few fields."""
    found = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "bad",
        "sep": dialect.separator,
        "quote": dialect.quote,
        "escape": dialect.quote or "\0",
        "maxColumns": str(_MOST_FIELDS + 2),
    }
    return found | ({"multiLine": "true", "lineSep": "\n"} if dialect.multiline else {})


def unclosed(record: Column, fields: Column, last: str, dialect: Dialect, whole: Column) -> Column:
    """Whether the quotes of a record don't close, which is whether it has an odd number of them.

    Counting them takes longer than anything else that is asked of a record. Where no field has kept a quote, the parser
    took them all for pairs around fields, but for one that opens the last field and never closes: the record's end
    doesn't look like that field, as it stands there bare or in quotes.

    The fields are asked as one text: Spark writes the parser out wherever a filter names one of its fields, and a plan
    that does so for each of hundreds doesn't fit into memory.

    Args:
        record: the raw record.
        fields: what the parser made of it, a struct of texts.
        last: name of the last of them.
        dialect: separator and quote.
        whole: whether it has as many fields as it should; never null.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    quote, end = dialect.quote, F.coalesce(fields[last], F.lit(""))
    odd = quotes(record, quote) % 2 == 1
    if not quote:
        return odd
    ends = [(dialect.separator, ""), (quote, quote)]
    known = reduce(or_, [F.endswith(record, F.concat(F.lit(a), end, F.lit(b))) for a, b in ends])
    none = ~F.contains(fields.cast("string"), F.lit(quote))
    return F.when(whole & none & known, F.lit(False)).otherwise(odd)


class _Reader:
    def __init__(self, reading: Reading, dialect: Dialect, new: Sequence[str]) -> None:
        self.reading, self.dialect, self.new = reading, dialect, new

    def parse(self, group: Group, *, numbered: bool) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        fields = Fields(reading=self.reading, names=group.names, new=self.new, nulled=True)
        found = [F.col(f"p.c{place}") for place in range(len(group.names))]
        ragged = F.col("p").isNull() | F.col("p.bad").isNotNull()
        open_ended = unclosed(F.col("value"), F.col("p"), f"c{len(found) - 1}", self.dialect, ~ragged)
        records = self._records(group, numbered=numbered)
        told = ragged.alias("ragged"), open_ended.alias("unclosed")
        frame = records.select("value", "file", "line", *told, *fields.texts(found))
        return replace(
            fields.parsed(frame, self._broken(group), F.col("value")),
            header=F.col("value").isin(*group.raws, *[f"\ufeff{raw}" for raw in group.raws]),
            headers=[file.path for file in group.files],
            header_line=group.line,
        )

    def _records(self, group: Group, *, numbered: bool) -> DataFrame:
        """The raw records, and `p`: their fields by position."""
        from pyspark.sql import functions as F  # noqa: N812

        spark = self.reading.context.spark
        if self.dialect.multiline:
            records = quoted_records(spark, group.files, self.dialect.quote)
        else:
            records = lines(spark, group.files, self.reading.tell(numbered=numbered))
        record = F.col("value")
        rest = F.replace(record, F.lit(self.dialect.separator), F.lit(""))
        separators = F.octet_length(record) - F.octet_length(rest)
        safe = F.when((F.octet_length(record) < _MOST_FIELDS) | (separators < _MOST_FIELDS), record)
        schema = ", ".join([*[f"c{place} STRING" for place in range(len(group.names))], "bad STRING"])
        parsed = F.from_csv(safe, schema, options(self.dialect))
        return records.where(F.octet_length(record) > 0).select("value", "file", "line", parsed.alias("p"))

    def _broken(self, group: Group) -> tuple[Problem, ...]:
        from pyspark.sql import functions as F  # noqa: N812

        record, wanted = F.col("value"), len(group.names)
        hint = "they never close" if self.dialect.multiline else "if a field holds a line break, set multiline: true"
        return (
            *unreadable(record),
            Problem(
                rule="nul",
                when=F.contains(record, F.lit("\0")),
                message=F.lit("a NUL character, which Spark's parser would drop"),
            ),
            Problem(
                rule="quotes",
                when=F.col("unclosed"),
                message=F.lit(f"the quotes of the record don't close; {hint}"),
            ),
            Problem(
                rule="ragged",
                when=F.col("ragged"),
                message=F.lit(f"more or fewer fields than the {wanted} of the header"),
            ),
        )
