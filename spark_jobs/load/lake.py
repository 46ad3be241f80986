"""What strategies ask of a table, whatever its format: Delta's and Iceberg's answers are in files of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from spark_jobs.ledger import Commit, LoadUnit

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from spark_jobs.load.owners import Claim


class LakeLedger(Protocol):
    """What was loaded, as the table itself says."""

    def version(self) -> int | None:
        """The table's version, None where there is no table."""

    def units(self, pipeline: str, destination: str) -> dict[str, int]:
        """Key -> number of every unit of one load of a pipeline."""

    def number(self, unit: LoadUnit) -> int | None:
        """The number that the table holds for a unit, None where the unit was never loaded."""

    def find(self, unit: LoadUnit) -> Commit | None:
        """The newest commit of a unit, as far as it is known."""

    def commits(self) -> Iterable[Commit]:
        """The last commits that carry our metadata, the newest first."""

    def pipelines(self) -> set[str]:
        """Names of the pipelines that have loaded the table."""

    def properties(self) -> dict[str, str]:
        """The table's properties; none where there is no table."""


@dataclass(frozen=True, kw_only=True)
class Clause:
    """What a merge does with some rows.

    Args:
        of: `matched` rows of the table, `unmatched` ones, or `new` rows of the source.
        where: Spark SQL; None for all of them.
        columns: quoted column -> Spark SQL value; None where the rows go.
    """

    of: Literal["matched", "unmatched", "new"]
    where: str | None = None
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class MergeInto:
    """A merge; in its conditions the table is `t`, the source `s`.

    Args:
        source: a row for each row of the table at most.
        on: which rows belong together.
        clauses: the first that is true counts.
    """

    source: DataFrame
    on: str
    clauses: Sequence[Clause]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a commit says of itself.

    Args:
        unit: what is written.
        number: of the attempt; the commit is dropped where the table holds as large a one.
        entry: the rest; `look` is the version that was looked at before.
    """

    unit: str
    number: int
    entry: Mapping[str, Any]


class Lake(Protocol):
    """A table of one format."""

    @property
    def spark(self) -> SparkSession:
        """A classic session."""

    @property
    def name(self) -> str:
        """The table, for people and for reports."""

    @property
    def ledger(self) -> LakeLedger:
        """What was loaded."""

    def rows(self) -> DataFrame:
        """Its rows as they are now, whoever writes meanwhile."""

    def ensure(self, schema: StructType, properties: Mapping[str, str], where: str) -> None:
        """Make it where there is none, and add columns that it lacks; refused where it is laid out otherwise."""

    def claim(self, mine: Claim) -> None:
        """Say in the table's properties what a load owns."""

    def alone(self) -> AbstractContextManager[None]:
        """While a merge is made that others would make in vain: where the format lets one of them win."""

    def merge(self, what: MergeInto, mark: Mark) -> None:
        """Merge in one commit."""

    def replace(self, rows: DataFrame, where: str, mark: Mark) -> None:
        """Rows come in the place of those that a condition is true for, in one commit."""

    def beside(self, kind: str, pipeline: str, load: str, partition_by: Sequence[str]) -> Lake:
        """A side table of one load."""
