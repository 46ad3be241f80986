"""Side tables: what must be known beside the rows that readers see.

They stand beside the table, one for each load. Their rows carry their unit and the number of their attempt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column
from spark_jobs.errors import DataError
from spark_jobs.load.lake import Lake, Mark
from spark_jobs.load.strategies import text
from spark_jobs.points import reach

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

TOMBSTONES: Final = "_etl_tombstones"
EVENTS: Final = "_etl_events"
FILES: Final = "_etl_files"
FEEDS: Final = "_etl_feeds"
SIDES: Final = (TOMBSTONES, EVENTS)


UNIT, NUMBER, CUT = "__etl_unit__", "__etl_number__", "__etl_truncate__"
"""Columns of side tables: the unit that brought a row, the number of its attempt, and whether it is a truncate."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side table of one load; loads of other scopes, keys and sequences have their own.

    Its rows carry their unit and the number of their attempt, and count only where the table's own ledger names them:
    what an attempt writes that never commits is there, and not seen.

    Args:
        table: the main table.
        kind: TOMBSTONES, EVENTS, FILES or FEEDS.
        pipeline: the pipeline's id.
        load: the load's name.
        partition_by: columns that lay it out.
    """

    table: Lake
    kind: str
    pipeline: str
    load: str
    partition_by: tuple[str, ...] = (UNIT,)

    @cached_property
    def lake(self) -> Lake:
        """The side table itself."""
        return self.table.beside(self.kind, self.pipeline, self.load, self.partition_by)

    @property
    def spark(self) -> SparkSession:
        """The session."""
        return self.table.spark

    @property
    def path(self) -> str:
        """Where it is."""
        return self.lake.name

    def exists(self) -> bool:
        """Whether there is one yet."""
        return self.lake.ledger.version() is not None

    def rows(self) -> DataFrame:
        """All its rows as they are now, whoever writes meanwhile."""
        return self.lake.rows()

    def units(self) -> dict[str, int]:
        """Unit -> the number of the last attempt that wrote here."""
        return self.lake.ledger.units(self.pipeline, self.load)

    def counting(self, units: Mapping[str, int]) -> DataFrame:
        """The rows of some attempts alone.

        Args:
            units: unit -> number.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        named = json.dumps([{UNIT: unit, NUMBER: number} for unit, number in units.items()])
        kind = f"ARRAY<STRUCT<{UNIT}: STRING, {NUMBER}: BIGINT>>"
        counting = self.spark.range(1).select(F.inline(F.from_json(F.lit(named), kind)))
        return self.rows().join(F.broadcast(counting), [UNIT, NUMBER], "left_semi")

    def replace(self, rows: DataFrame, unit: str, number: int, committed: int) -> bool:
        """Write an attempt's rows in one commit; those that went before what its unit has committed now go.

        Those of other attempts stay, though their numbers are smaller: each may be alive, and about to commit.

        Args:
            rows: what comes, without UNIT and NUMBER.
            unit: what the attempt writes.
            number: its number.
            committed: the number that the table's ledger holds for the unit; -1 where it holds none.

        Returns:
            Whether they are there now: an attempt with a larger number may have been faster.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        gone = f"{UNIT} = {text(unit)} AND ({NUMBER} < {committed} OR {NUMBER} = {number})"
        marked = rows.withColumns({UNIT: F.lit(unit), NUMBER: F.lit(number).cast("bigint")})
        self.lake.ensure(marked.schema, {}, self.path)
        reach("before side commit")
        self.lake.replace(marked, gone, Mark(unit=unit, number=number, entry={}))
        reach("after side commit")
        return self.units().get(unit) == number


def fitted(rows: DataFrame, table: StructType, where: str) -> DataFrame:
    """Rows whose columns have the table's types and spelling, so that they can be compared with its rows.

    Columns that the table lacks stay as they are.

    Args:
        rows: what comes.
        table: the table's columns.
        where: place in the pipeline file.

    Raises:
        DataError: a column is of a type whose values the table's type can't all hold.
    """
    kinds, found = {field.name.lower(): field for field in table}, []
    for field in rows.schema:
        known, value = kinds.get(field.name.lower()), column(field.name)
        if known is not None and known.dataType != field.dataType:
            if not holds(known.dataType, field.dataType):
                raise DataError(
                    f"column {field.name!r} is {field.dataType.simpleString()}",
                    where=where,
                    expected=f"{known.dataType.simpleString()}, as in the table, or a narrower type",
                    remedy="cast it in a step",
                )
            value = value.cast(known.dataType)
        found.append(value.alias(known.name if known is not None else field.name))
    return rows.select(*found)


_WHOLE: Final = {"byte": 3, "short": 5, "integer": 10, "long": 19}  # digits


def holds(wide: DataType, narrow: DataType) -> bool:
    """Whether a type has every value of another one, so that a cast changes none."""
    one, other = wide.typeName(), narrow.typeName()
    if one == other == "decimal":
        return _scale(wide) >= _scale(narrow) and _digits(wide) >= _digits(narrow)
    if other in _WHOLE:
        return (one in _WHOLE and _WHOLE[one] >= _WHOLE[other]) or (one == "decimal" and _digits(wide) >= _WHOLE[other])
    texts = one == "string" and other in {"char", "varchar"}
    return wide == narrow or other == "void" or texts or (one, other) == ("double", "float")


def _scale(kind: Any) -> int:
    return int(kind.scale)


def _digits(kind: Any) -> int:
    """Digits before the point."""
    return int(kind.precision) - int(kind.scale)
