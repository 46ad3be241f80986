"""Records whose fields are texts by position: from texts to the dataset's columns, the same for every such format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.extract.cells import Cell, Reading, judge
from spark_jobs.extract.lines import readable
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.extract.texts import typed

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Fields:
    """What the records of files that look alike hold.

    Args:
        reading: contract and window.
        names: the fields by position.
        new: the columns outside the contract that the dataset gets.
        nulled: whether an empty text comes as null, which is how Spark's parser of CSV gives it.
    """

    reading: Reading
    names: Sequence[str]
    new: Sequence[str]
    nulled: bool = False

    def texts(self, fields: Sequence[Column]) -> list[Column]:
        """The fields' texts as `t` and their position, null where they mean it or aren't there."""
        return [self._text(field).alias(f"t{place}") for place, field in enumerate(fields)]

    def _text(self, field: Column) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        nulls = self.reading.nulls
        others = [text for text in nulls if text]
        kept = F.when(~field.isin(*others), field) if others else field
        if self.nulled:
            return kept if "" in nulls else F.when(field.isNull(), F.lit("")).otherwise(kept)
        return F.when(kept != "", kept) if "" in nulls else kept

    def parsed(self, frame: DataFrame, broken: Sequence[Problem], raw: Column) -> Parsed:
        """The records, judged.

        Args:
            frame: records with `file`, `line` and `texts`.
            broken: problems of a record as a whole.
            raw: the record as it stood in the file.
        """
        from pyspark.sql import functions as F  # noqa: N812

        judged = judge(self.reading, frame, self._cells())
        return Parsed(
            frame=judged.frame,
            values=judged.values,
            broken=tuple(broken),
            wrong=(*judged.wrong, *self._unwanted()),
            outside=judged.outside,
            raw=readable(raw),
            file=F.col("file"),
            line=F.col("line"),
            promised=promised(self.reading, raw),
        )

    def _cells(self) -> list[Cell]:
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql.types import StringType

        places = {name: f"t{place}" for place, name in enumerate(self.names)}
        kinds: dict[str, Any] = self.reading.contract.given | dict.fromkeys(self.new, StringType())
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

    def _unwanted(self) -> list[Problem]:
        from pyspark.sql import functions as F  # noqa: N812

        if self.reading.contract.new_columns != "quarantine":
            return []
        return [
            Problem(
                rule=f"new column {name}",
                when=F.col(f"t{place}").isNotNull(),
                message=F.lit(f"column {name!r} isn't in the contract and has a value"),
            )
            for place, name in enumerate(self.names)
            if name not in self.reading.contract.columns
        ]


def promised(reading: Reading, record: Column) -> Column | None:
    """The count in a record that is its file's trailer; None where files have none."""
    totals = reading.totals
    return totals.promised(record) if totals is not None and totals.trailer is not None else None
