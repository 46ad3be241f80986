"""Format `csv`: read as text, so that every line is accounted for, byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.extract.cells import Cell, Reading, judge
from spark_jobs.extract.header import Dialect, Group, groups
from spark_jobs.extract.lines import lines, quoted_records, quotes, readable
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.extract.texts import typed

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


class _Reader:
    def __init__(self, reading: Reading, dialect: Dialect, new: Sequence[str]) -> None:
        self.reading, self.dialect, self.new = reading, dialect, new

    def parse(self, group: Group, *, numbered: bool) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        texts = self._texts(group, self._fields(group, numbered=numbered))
        cells = self._cells(group)
        judged = judge(self.reading, texts, cells)
        return Parsed(
            frame=judged.frame,
            values=judged.values,
            broken=self._broken(group),
            wrong=(*judged.wrong, *self._unwanted(group)),
            outside=judged.outside,
            raw=readable(F.col("value")),
            file=F.col("file"),
            line=F.col("line"),
            header=F.col("value").isin(*group.raws, *[f"\ufeff{raw}" for raw in group.raws]),
            headers=len(group.files),
            header_line=group.line,
        )

    def _fields(self, group: Group, *, numbered: bool) -> DataFrame:
        """The raw records, and `p`: their fields by position."""
        from pyspark.sql import functions as F  # noqa: N812

        spark = self.reading.context.spark
        if self.dialect.multiline:
            records = quoted_records(spark, group.files, self.dialect.quote)
        else:
            records = lines(spark, group.files, "line" if numbered else "nothing")
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

    def _texts(self, group: Group, fields: DataFrame) -> DataFrame:
        """The texts of the fields as `t` and their position, null where they mean it."""
        from pyspark.sql import functions as F  # noqa: N812

        texts = [self._text(F.col(f"p.c{place}")).alias(f"t{place}") for place in range(len(group.names))]
        ragged = F.col("p").isNull() | F.col("p.bad").isNotNull()
        return fields.select("value", "file", "line", ragged.alias("ragged"), *texts)

    def _text(self, field: Column) -> Column:
        """Spark's parser gives null for an empty field, quoted or not."""
        from pyspark.sql import functions as F  # noqa: N812

        others = [text for text in self.reading.nulls if text]
        kept = F.when(~field.isin(*others), field) if others else field
        return kept if "" in self.reading.nulls else F.when(field.isNull(), F.lit("")).otherwise(kept)

    def _cells(self, group: Group) -> list[Cell]:
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql.types import StringType

        places = {name: f"t{place}" for place, name in enumerate(group.names)}
        kinds: dict[str, Any] = self.reading.contract.types | dict.fromkeys(self.new, StringType())
        cells = []
        for name, kind in kinds.items():
            given = places.get(name)
            if given is None:
                value: Column | None = F.lit(None).cast(kind)
            elif isinstance(kind, StringType):
                value = None
            else:
                value = typed(F.col(given), kind, self.reading.zone, self.reading.pattern)
            cells.append(Cell(name=name, given=given, typed=value, kind=kind))
        return cells

    def _broken(self, group: Group) -> tuple[Problem, ...]:
        from pyspark.sql import functions as F  # noqa: N812

        record, wanted = F.col("value"), len(group.names)
        hint = "they never close" if self.dialect.multiline else "if a field holds a line break, set multiline: true"
        return (
            Problem(
                rule="utf8",
                when=~F.is_valid_utf8(record),
                message=F.lit("bytes that are no UTF-8; the raw text shows each byte as Latin-1"),
            ),
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

    def _unwanted(self, group: Group) -> list[Problem]:
        from pyspark.sql import functions as F  # noqa: N812

        if self.reading.contract.new_columns != "quarantine":
            return []
        return [
            Problem(
                rule=f"new column {name}",
                when=F.col(f"t{place}").isNotNull(),
                message=F.lit(f"column {name!r} isn't in the contract and has a value"),
            )
            for place, name in enumerate(group.names)
            if name not in self.reading.contract.columns
        ]
