"""Formats `csv` and `tsv`: read as text, so that every line is accounted for, byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from spark_jobs.extract.cells import Reading
from spark_jobs.extract.fields import Fields
from spark_jobs.extract.header import Dialect, Group, groups
from spark_jobs.extract.lines import lines, quoted_records, quotes, unreadable
from spark_jobs.extract.records import Parsed, Problem

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

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


class _Reader:
    def __init__(self, reading: Reading, dialect: Dialect, new: Sequence[str]) -> None:
        self.reading, self.dialect, self.new = reading, dialect, new

    def parse(self, group: Group, *, numbered: bool) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        fields = Fields(reading=self.reading, names=group.names, new=self.new, nulled=True)
        texts = fields.texts([F.col(f"p.c{place}") for place in range(len(group.names))])
        ragged = F.col("p").isNull() | F.col("p.bad").isNotNull()
        records = self._records(group, numbered=numbered)
        frame = records.select("value", "file", "line", ragged.alias("ragged"), *texts)
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
        parsed = F.from_csv(safe, schema, self._options())
        return records.where(F.octet_length(record) > 0).select("value", "file", "line", parsed.alias("p"))

    def _options(self) -> dict[str, str]:
        options = {
            "mode": "PERMISSIVE",
            "columnNameOfCorruptRecord": "bad",
            "sep": self.dialect.separator,
            "quote": self.dialect.quote,
            "escape": self.dialect.quote or "\0",
            "maxColumns": str(_MOST_FIELDS + 2),
        }
        return options | ({"multiLine": "true", "lineSep": "\n"} if self.dialect.multiline else {})

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
                when=quotes(record, self.dialect.quote) % 2 == 1,
                message=F.lit(f"the quotes of the record don't close; {hint}"),
            ),
            Problem(
                rule="ragged",
                when=F.col("ragged"),
                message=F.lit(f"more or fewer fields than the {wanted} of the header"),
            ),
        )
