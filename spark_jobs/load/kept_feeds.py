"""Which versions of a table's change feed a window has taken: beside the table that it loads, each version once.

A window takes its versions right before it commits, and for good: a repeat reads the same ones. Takings are numbered,
and a number is given once (a transaction version of the side table), so that of two windows that want the same versions
one gets them. The next window takes nothing before the last one is loaded: no version is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import committing
from spark_jobs.load.delta_lake import DeltaLake
from spark_jobs.load.side import FEEDS, Side
from spark_jobs.points import reach

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_jobs.plan import Plan

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

    def known(self, source: str, unit: str) -> tuple[Taken | None, Taken | None]:
        """What a window has taken, and what was taken last.

        Args:
            source: the source's name.
            unit: the window.
        """
        if not self.side.exists():
            return None, None
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        rows = self.side.rows().where(F.col("source") == source)
        newest = rows.orderBy(F.col("turn").desc()).limit(1)
        found = rows.where(F.col("unit") == unit).unionByName(newest).collect()
        taken = sorted((Taken(**row.asDict()) for row in found), key=lambda item: item.turn)
        return next((item for item in taken if item.unit == unit), None), taken[-1] if taken else None

    def loaded(self, taken: Taken) -> bool:
        """Whether the window that has taken something is loaded here."""
        return any(unit_of(key) == taken.unit for key in self.committed)

    def take(self, wanted: Taken) -> None:
        """Take versions for a window; nothing happens where it has them.

        Raises:
            InfrastructureError: another window, or another attempt at this one, has been faster.
        """
        mine, _ = self.known(wanted.source, wanted.unit)
        if mine is None:
            self._write(wanted)
            mine, _ = self.known(wanted.source, wanted.unit)
        if mine is None or (mine.table, mine.first, mine.last) != (wanted.table, wanted.first, wanted.last):
            raise InfrastructureError(
                f"{wanted.told} of source {wanted.source!r} were read, and another run has taken versions meanwhile",
                where=self.side.path,
                expected="one window at a time",
                remedy="nothing was published; clear the run from its extract task on, so that it reads again "
                "(the retry of a fused run does)",
            )

    def _write(self, wanted: Taken) -> None:
        row = self.side.spark.createDataFrame([tuple(wanted.to_json().values())], _SCHEMA)
        self.side.lake.ensure(row.schema, {}, self.side.path)
        writer = row.write.format("delta").mode("append")
        writer = writer.option("txnAppId", f"feed:{wanted.source}").option("txnVersion", str(wanted.turn))
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
