"""Where a table is rebuilt: beside the live one, under a name of its own that no reader knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import Ledger
from spark_jobs.load.delta import Delta
from spark_jobs.session import Storage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def shadow_of(path: str, pipeline: str, load: str) -> str:
    """The folder (or URI) in which a load's table is rebuilt.

    Args:
        path: the live table's.
        pipeline: the pipeline's id; several may refresh their parts of one table at once.
        load: the load's name.
    """
    return f"{path.rstrip('/')}__refresh_{pipeline}.{load}"


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """One load that is rebuilt.

    Args:
        name: the load's.
        live: the destination as the file has it.
        shadow: the same, beside it.
    """

    name: str
    live: Delta
    shadow: Delta


class Shadows:
    """The shadows of one refresh; it notices when another refresh of the pipeline takes one away.

    A shadow is known by the id that Delta gave it: no mark is needed that somebody who dies could leave for ever.

    Args:
        spark: a classic session.
        rebuilds: the loads; each shadow that is there is this refresh's to go on with.
    """

    def __init__(self, spark: SparkSession, rebuilds: Iterable[Rebuild]) -> None:
        self.rebuilds = list(rebuilds)
        self._spark, self._ids = spark, dict[str, str]()
        self.look()

    def look(self) -> None:
        """See that the shadows are those of before, and take note of new ones.

        Raises:
            InfrastructureError: one isn't.
        """
        for item in self.rebuilds:
            found = Ledger(self._spark, item.shadow.path).identity()
            known = self._ids.get(item.name)
            if known is not None and (found is None or found[0] != known):
                raise taken(item.live.path)
            if found is not None:
                self._ids[item.name] = found[0]

    def remove(self) -> None:
        """Remove those that are still this refresh's."""
        for item in self.rebuilds:
            found = Ledger(self._spark, item.shadow.path).identity()
            if found is not None and found[0] == self._ids.get(item.name):
                remove(self._spark, item)


def remove(spark: SparkSession, item: Rebuild) -> None:
    """Remove a shadow, whosever it is."""
    Storage(spark, item.shadow.path).delete(item.shadow.path)
    Ledger(spark, item.shadow.path).forget()


def taken(path: str) -> InfrastructureError:
    """What a refresh ends with when another one has been at its shadow."""
    return InfrastructureError(
        "another refresh of this table is at work: the shadow isn't what this one has built",
        where=path,
        expected="one refresh of a pipeline at a time",
        remedy="let the other one end, then run this one again",
    )
