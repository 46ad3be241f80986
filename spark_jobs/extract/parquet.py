"""Format `parquet`: types come with the files and are held against the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spark_jobs.errors import DataError
from spark_jobs.extract.cells import Cell, Reading, judge
from spark_jobs.extract.lines import source_file
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.extract.texts import instant, typed
from spark_jobs.failures import first_line
from spark_jobs.filesystem import escaped

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType


def parser(reading: Reading) -> Callable[[bool], list[Parsed]]:
    """Gives the rows of the files; their numbers are there anyway.

    Raises:
        DataError: a file is no Parquet file or not whole, files disagree about a type, or columns don't fit.
    """
    frame = _read(reading)
    new = reading.contract.fit(frame.columns, _told(reading))
    kept = reading.new_columns([(name, _told(reading)) for name in new])
    parsed = _Reader(reading, frame, tuple(kept)).parse()
    return lambda _: [parsed]


def _read(reading: Reading) -> DataFrame:
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    paths = [escaped(file.path) for file in reading.files]
    try:
        return reading.context.spark.read.option("mergeSchema", "true").parquet(*paths)
    except (PySparkException, Py4JJavaError) as error:
        raise _explained(error, reading) from error


def _explained(error: Exception, reading: Reading) -> DataError:
    text = str(error)
    named = next((file.path for file in reading.files if file.path in text), _told(reading))
    if "CANNOT_MERGE" in text or "Failed to merge" in text:
        return _clash(reading) or DataError(first_line(text), where=named)
    if "COLUMN_ALREADY_EXISTS" in text:
        return DataError(first_line(text), where=named, expected="names that differ by more than case")
    return DataError(
        f"no Parquet file, or not a whole one: {first_line(text)}", where=named, remedy="ask for the file again"
    )


def _clash(reading: Reading) -> DataError | None:
    """The first two files that disagree about a column's type, looked for one by one."""
    seen: dict[str, tuple[DataType, str]] = {}
    for file in reading.files:
        for item in reading.context.spark.read.parquet(escaped(file.path)).schema:
            kind, first = seen.setdefault(item.name, (item.dataType, file.path))
            if kind != item.dataType:
                return DataError(
                    f"column {item.name!r} is {item.dataType.simpleString()}, but {kind.simpleString()} in {first}",
                    where=file.path,
                    expected="one type for a column in all files of a window",
                    remedy="write one of them anew, or read them as two datasets, cast and unite them",
                )
    return None


def _told(reading: Reading) -> str:
    first = reading.files[0].path
    return first if len(reading.files) == 1 else f"{first} and {len(reading.files) - 1} more"


class _Reader:
    def __init__(self, reading: Reading, frame: DataFrame, new: tuple[str, ...]) -> None:
        self.reading, self.source, self.new = reading, frame, new
        self.found = {item.name: item.dataType for item in frame.schema}
        self.places = {name: f"t{place}" for place, name in enumerate(self.found)}

    def parse(self) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        given = [self.source[_quoted(name)].alias(place) for name, place in self.places.items()]
        row = (F.col("_metadata.row_index") + 1).alias("line")
        judged = judge(self.reading, self.source.select(source_file().alias("file"), row, *given), self._cells())
        raw = F.to_json(F.struct(*[F.col(place).alias(name) for name, place in self.places.items()]))
        return Parsed(
            frame=judged.frame,
            values=judged.values,
            wrong=(*judged.wrong, *self._unwanted()),
            outside=judged.outside,
            raw=raw,
            file=F.col("file"),
            line=F.col("line"),
        )

    def _cells(self) -> list[Cell]:
        from pyspark.sql import functions as F  # noqa: N812

        cells = []
        for name, kind in (self.reading.contract.types | {name: self.found[name] for name in self.new}).items():
            given = self.places.get(name)
            value = F.lit(None).cast(kind) if given is None else self._value(name, kind)
            cells.append(Cell(name=name, given=given, typed=value, kind=kind))
        return cells

    def _value(self, name: str, kind: DataType) -> Column | None:
        """The value in the contract's type; null where it can't be turned into it and back."""
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        found, given = self.found[name], F.col(self.places[name])
        if found == kind:
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
                where=_told(self.reading),
                expected=f"{kind.simpleString()}, as columns says",
                remedy="correct the type in columns, or cast in a step",
            ) from error

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
