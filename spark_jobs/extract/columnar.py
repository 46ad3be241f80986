"""Formats `parquet`, `orc`, `avro`: types come with the files and are held against the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from spark_jobs.errors import DataError
from spark_jobs.extract.cells import Cell, Reading, judge
from spark_jobs.extract.lines import LONGEST, Tell, readable, source_file
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.extract.schemas import read
from spark_jobs.extract.texts import instant, typed

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

Form = Literal["parquet", "orc", "avro"]


def parser(reading: Reading, form: Form, *, merge: bool) -> Callable[[bool], list[Parsed]]:
    """Gives the rows of the files; its argument says whether they are to be numbered, where the format numbers them.

    Args:
        reading: files and contract.
        form: which format it is.
        merge: whether files may have different columns.

    Raises:
        ConfigError: the reader of Avro isn't installed.
        DataError: a file is of another format or not whole, files disagree about a type, or columns don't fit.
    """
    frame = read(reading, form, merge=merge)
    new = reading.contract.fit(frame.columns, reading.told)
    kept = reading.new_columns([(name, reading.told) for name in new])
    reader = _Reader(reading, form, frame, tuple(kept))
    return lambda numbered: [reader.parse(reading.tell(numbered=numbered))]


class _Reader:
    def __init__(self, reading: Reading, form: Form, frame: DataFrame, new: tuple[str, ...]) -> None:
        self.reading, self.form, self.source, self.new = reading, form, frame, new
        self.found: Mapping[str, DataType] = {item.name: item.dataType for item in frame.schema}
        self.places = {name: f"t{place}" for place, name in enumerate(self.found)}

    def parse(self, tell: Tell) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        given = [self.source[_quoted(name)].alias(place) for name, place in self.places.items()]
        judged = judge(self.reading, self.source.select(*self._place(tell), *given), self._cells())
        raw = F.to_json(F.struct(*[F.col(place).alias(name) for name, place in self.places.items()]))
        return Parsed(
            frame=judged.frame,
            values=judged.values,
            broken=self._too_long(),
            wrong=(*judged.wrong, *self._unwanted()),
            outside=judged.outside,
            raw=readable(raw),
            file=F.col("file"),
            line=F.col("line"),
        )

    def _place(self, tell: Tell) -> tuple[Column, Column]:
        """File and number of a row: whoever names one field of `_metadata` gets all of them copied with each row."""
        from pyspark.sql import functions as F  # noqa: N812

        file = F.lit(None).cast("string") if tell == "nothing" else source_file()
        numbered = tell == "line" and self.form == "parquet"
        row = F.col("_metadata.row_index") + 1 if numbered else F.lit(None).cast("bigint")
        return file.alias("file"), row.alias("line")

    def _cells(self) -> list[Cell]:
        from pyspark.sql import functions as F  # noqa: N812

        cells = []
        for name, kind in (self.reading.contract.given | {name: self.found[name] for name in self.new}).items():
            given = self.places.get(name)
            value = F.lit(None).cast(kind) if given is None else self._value(name, kind)
            cells.append(Cell(name=name, given=given, typed=value, kind=kind))
        return cells

    def _value(self, name: str, kind: DataType) -> Column | None:
        """The value in the contract's type; null where it can't be turned into it and back."""
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        found, given = self.found[name], F.col(self.places[name])
        if self.form == "orc" and isinstance(found, T.TimestampType):
            # ORC keeps wall clock times, and Spark reads them by the JVM's clock, which is UTC here (session.py).
            found, given = T.TimestampNTZType(), given.cast("timestamp_ntz")
        elif found == kind:
            return None
        if isinstance(found, T.StringType):
            return typed(given, kind, self.reading.zone, self.reading.pattern)
        if isinstance(found, T.TimestampNTZType) and isinstance(kind, T.TimestampType):
            return instant(given, self.reading.zone)
        self._refuse_uncastable(name, kind)
        value = given.try_cast(kind)
        return F.when(value.try_cast(found).eqNullSafe(given), value)

    def _refuse_uncastable(self, name: str, kind: DataType) -> None:
        from pyspark.errors import AnalysisException
        from pyspark.sql import functions as F  # noqa: N812

        found = self.found[name]
        try:
            both = F.col(_quoted(name)).try_cast(kind).try_cast(found).eqNullSafe(F.col(_quoted(name)))
            _ = self.source.select(both).schema
        except AnalysisException as error:
            raise DataError(
                f"column {name!r} is {found.simpleString()}, which can't become {kind.simpleString()}",
                where=self.reading.told,
                expected=f"{kind.simpleString()}, as columns says",
                remedy="correct the type in columns, or cast in a step",
            ) from error

    def _too_long(self) -> tuple[Problem, ...]:
        """Rows with a text or bytes that are longer than a record may be."""
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        long = (T.StringType, T.BinaryType)
        places = [self.places[name] for name, kind in self.found.items() if isinstance(kind, long)]
        size = F.greatest(F.lit(0), F.lit(0), *[F.octet_length(place) for place in places])
        told = F.concat(F.lit("a field of "), F.format_number(size, 0), F.lit(f" bytes, at most {LONGEST:,} are read"))
        return (Problem(rule="too_long", when=size > LONGEST, message=told),)

    def _unwanted(self) -> list[Problem]:
        from pyspark.sql import functions as F  # noqa: N812

        if self.reading.contract.new_columns != "quarantine":
            return []
        return [
            Problem(
                rule=f"new column {name}",
                when=F.col(place).isNotNull(),
                message=F.lit(f"column {name!r} isn't in the contract and has a value"),
            )
            for name, place in self.places.items()
            if name not in self.reading.contract.columns
        ]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
