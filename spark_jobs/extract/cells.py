"""Values against the contract: the same judgement for every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import DataError
from spark_jobs.extract import folders
from spark_jobs.extract.contract import Contract, twins
from spark_jobs.extract.lines import Tell
from spark_jobs.extract.records import Problem
from spark_jobs.extract.spans import Span
from spark_jobs.extract.texts import typed
from spark_jobs.extract.totals import Totals
from spark_jobs.flow import Context
from spark_jobs.session import FileStat

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

_SHOWN: Final = 80
_WIDE: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What every format needs to know.

    Args:
        context: session, plan and names.
        files: the files to read, at least one.
        contract: the columns.
        span: which rows belong to the window; None where all do.
        zone: IANA name of the zone of timestamps without an offset.
        nulls: texts that mean null.
        pattern: Spark datetime pattern of text timestamps; None for ISO 8601.
        totals: how many records the files say they have; None where they don't.
        audit: whether each row says where it came from.
    """

    context: Context
    files: tuple[FileStat, ...]
    contract: Contract
    span: Span | None
    zone: str
    nulls: tuple[str, ...]
    pattern: str | None
    totals: Totals | None = None
    audit: bool = False

    def tell(self, *, numbered: bool) -> Tell:
        """What must be known of where a record stood; knowing less is cheaper."""
        return "line" if numbered else "file" if self._by_file else "nothing"

    @property
    def _by_file(self) -> bool:
        return bool(self.contract.folders or self.totals or self.audit)

    @property
    def told(self) -> str:
        """The files, for an error text."""
        first = self.files[0].path
        return first if len(self.files) == 1 else f"{first} and {len(self.files) - 1} more"

    def new_columns(self, found: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """The columns outside the contract that the dataset gets.

        Args:
            found: (column, file in which it was seen first), in the order wanted.

        Raises:
            DataError: two of them differ only by case.
        """
        if self.contract.new_columns != "evolve":
            return ()
        first: dict[str, str] = {}
        for name, file in found:
            first.setdefault(name, file)
        twin = twins(first)
        if twin:
            raise DataError(
                f"column {twin[1]!r} differs only by case from {twin[0]!r}, which {first[twin[0]]} has",
                where=first[twin[1]],
                expected="one spelling in all files",
            )
        return tuple(first)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One column of a record.

    Args:
        name: the dataset's column.
        given: name of the column in the frame with what was given; None where the file hasn't got it.
        typed: the value in the type wanted, null where it doesn't fit; None where what was given is the value.
        kind: that type.
    """

    name: str
    given: str | None
    typed: Column | None
    kind: DataType


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Typed values and what is wrong with them."""

    frame: DataFrame
    values: Mapping[str, Column]
    wrong: tuple[Problem, ...]
    outside: Column | None


def judge(reading: Reading, frame: DataFrame, cells: Sequence[Cell]) -> Judged:
    """Type the values of records.

    Args:
        reading: contract and window.
        frame: records, with the columns that the cells name, and `file`.
        cells: the columns that the files hold; those of the folders' names are added.

    Raises:
        ConfigError: the window's column can't say which rows belong to it.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    frame, cells = _with_folders(reading, frame, cells)
    if len(cells) > _WIDE:
        # To infer what must hold, Spark compares every column with every other: too much for thousands.
        reading.context.spark.conf.set("spark.sql.constraintPropagation.enabled", "false")
    casts = {f"v{place}": cell for place, cell in enumerate(cells) if cell.typed is not None}
    values_in = frame.select("*", *[cell.typed.alias(name) for name, cell in casts.items() if cell.typed is not None])
    values = {cell.name: F.col(str(cell.given)) for cell in cells if cell.typed is None}
    values |= {cell.name: F.col(name) for name, cell in casts.items()}
    values = {cell.name: values[cell.name] for cell in cells}
    wrong = [problem for cell in cells for problem in _problems(reading.contract, cell, values[cell.name])]
    outside = None
    if reading.span is not None:
        column = reading.span.column
        kind = next((cell.kind for cell in cells if cell.name == column), None)
        value = values.get(column, F.lit(None))
        outside = ~F.coalesce(reading.span.inside(value, kind), F.lit(False))
        given = next((cell.given for cell in cells if cell.name == column), None)
        wrong.append(_belongs_nowhere(column, F.col(given).isNull() if given else F.lit(True)))
    return Judged(frame=values_in, values=values, wrong=tuple(wrong), outside=outside)


def _with_folders(reading: Reading, frame: DataFrame, cells: Sequence[Cell]) -> tuple[DataFrame, list[Cell]]:
    """With the columns that the names of folders hold; the contract's in its order, then the others."""
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql.types import StringType

    contract = reading.contract
    if not contract.folders:
        return frame, list(cells)
    texts = {f"d{place}": name for place, name in enumerate(contract.folders)}
    frame = frame.select("*", *[folders.text(name).alias(given) for given, name in texts.items()])
    more = []
    for given, name in texts.items():
        kind = contract.types[name]
        value = None if isinstance(kind, StringType) else typed(F.col(given), kind, reading.zone, reading.pattern)
        more.append(Cell(name=name, given=given, typed=value, kind=kind))
    places = {name: place for place, name in enumerate(contract.columns)}
    return frame, sorted([*cells, *more], key=lambda cell: places.get(cell.name, len(places)))


def _problems(contract: Contract, cell: Cell, value: Column) -> list[Problem]:
    from pyspark.sql import functions as F  # noqa: N812

    promised = contract.columns.get(cell.name)
    if cell.given is None or promised is None:
        return []
    given = F.col(cell.given)
    found: list[Problem] = []
    if cell.typed is not None:
        shown = F.substring(given.cast("string"), 1, _SHOWN)
        message = F.concat(F.lit(f"column {cell.name!r}: "), shown, F.lit(f" is no {promised.type}"))
        found.append(Problem(rule=f"type {cell.name}", when=given.isNotNull() & value.isNull(), message=message))
    if promised.required:
        message = F.lit(f"column {cell.name!r} is required and has no value")
        found.append(Problem(rule=f"required {cell.name}", when=given.isNull(), message=message))
    return found


def _belongs_nowhere(column: str, when: Column) -> Problem:
    from pyspark.sql import functions as F  # noqa: N812

    return Problem(rule="window", when=when, message=F.lit(f"column {column!r} is null: the row belongs to no window"))
