"""Which versions of a table's change feed a window has taken: beside the table that it loads, each version once.

A window takes its versions right before it commits, and for good: a repeat reads the same ones. Takings are numbered,
and a number is given once (a transaction of the side table), so that of two windows that want the same versions
one gets them. The next window takes nothing before all that was taken is loaded: no version is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import committing
from spark_jobs.load.delta_lake import DeltaLake
from spark_jobs.load.side import FEEDS, Side
from spark_jobs.points import reach
from spark_jobs.tables.spans import overlaps, window_of_unit

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_jobs.plan import Plan
    from spark_jobs.window import Window

_SCHEMA: Final = (
    "unit STRING, source STRING, table STRING, turn BIGINT, first BIGINT, last BIGINT, whole BOOLEAN, committed BIGINT"
)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a window has taken of a source.

    Args:
        unit: the window, as its pipeline's ledgers call it, without the load's name.
        source: the source's name.
        table: the id that the table was made with.
        turn: the taking's number, from 1.
        first, last: the versions, both included; `first` is one more than `last` where nothing was new.
        whole: whether it is the table as it was at version `last`: of the first window there is.
        committed: when version `last` was committed, in milliseconds since 1970.
    """

    unit: str
    source: str
    table: str
    turn: int
    first: int
    last: int
    whole: bool
    committed: int

    @property
    def told(self) -> str:
        """In words."""
        if self.whole:
            return f"version {self.last} as a whole"
        return f"versions {self.first} to {self.last}" if self.first <= self.last else "no version"

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class KeptFeeds:
    """What the windows of one load have taken.

    Args:
        side: where it is kept.
        load: the load's name.
        committed: unit -> number, of the load's windows that the ledger holds.
    """

    side: Side
    load: str
    committed: Mapping[str, int]

    def taken(self, source: str) -> list[Taken]:
        """All that windows have taken of a source: a row for each window."""
        if not self.side.exists():
            return []
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return [Taken(**row.asDict()) for row in self.side.rows().where(F.col("source") == source).collect()]

    def loaded(self, taken: Taken) -> bool:
        """Whether the window that has taken something is loaded here."""
        return taken.unit in self._units

    def overlapped(self, window: Window) -> Window | None:
        """Another window that is loaded here and shares an instant with one; None where there is none."""
        found = (window_of_unit(key, window.timezone) for key in self.committed)
        others = (other for other in found if other is not None and str(other) != str(window))
        return min((other for other in others if overlaps(other, window)), default=None)

    @cached_property
    def _units(self) -> frozenset[str]:
        return frozenset(map(unit_of, self.committed))

    def take(self, wanted: Taken) -> None:
        """Take versions for a window; nothing happens where it has them.

        Raises:
            InfrastructureError: another window, or another attempt at this one, has been faster.
        """
        mine = self._of_window(wanted)
        if mine is None:
            self._write(wanted)
            mine = self._of_window(wanted)
        if mine is None or (mine.table, mine.first, mine.last) != (wanted.table, wanted.first, wanted.last):
            raise InfrastructureError(
                f"{wanted.told} of source {wanted.source!r} were read, and another run has taken versions meanwhile",
                where=self.side.path,
                expected="one window at a time",
                remedy="nothing was published; clear the run from its extract task on, so that it reads again "
                "(the retry of a fused run does)",
            )

    def _of_window(self, wanted: Taken) -> Taken | None:
        return next((item for item in self.taken(wanted.source) if item.unit == wanted.unit), None)

    def _write(self, wanted: Taken) -> None:
        row = self.side.spark.createDataFrame([tuple(wanted.to_json().values())], _SCHEMA)
        self.side.lake.ensure(row.schema, {}, self.side.path)
        writer = row.write.format("delta").mode("append")
        # Each turn is a transaction of its own: a load that is new gets older turns after newer ones.
        writer = writer.option("txnAppId", f"feed:{wanted.source}:{wanted.turn}").option("txnVersion", "1")
        reach("before side commit")
        committing(lambda: writer.save(self.side.path))
        reach("after side commit")


def unit_of(key: str) -> str:
    """The window in a unit's key, which all loads of a pipeline share: `2013-01-01T00:00:00Z/2013-01-02T00:00:00Z`."""
    return key.split(":", 3)[3]


def kept_of(spark: SparkSession, plan: Plan) -> list[KeptFeeds]:
    """What each load of a plan keeps; those that can't keep anything are left out."""
    found = []
    for name, (_, destination) in plan.load.items():
        if getattr(destination, "keeps_what_was_read", False):
            table = DeltaLake(spark=spark, path=destination.path)
            side = Side(table=table, kind=FEEDS, pipeline=plan.id, load=name, partition_by=())
            found.append(KeptFeeds(side=side, load=name, committed=destination.committed(name, spark, plan)))
    return found
