"""What a ledger says that keeps an entry for each unit, whatever it is kept in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime

from airflow_provider_etl.hooks.tables import Span
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.databases.books import Entry


class BookedLedger(ABC):
    """A ledger of entries; it is read once."""

    @property
    def silent(self) -> bool:
        """Whether Spark alone can ask it."""
        return False

    @property
    @abstractmethod
    def entries(self) -> Mapping[str, Entry]:
        """Unit -> its last commit; none where there is no ledger."""

    def number(self, unit: LoadUnit) -> int | None:
        """The number of the last commit of a unit, None where the table or the unit isn't there."""
        entry = self.entries.get(unit.key)
        return None if entry is None else entry.number

    def last_attempt(self, unit: LoadUnit) -> int | None:
        """The attempt's number that the next attempt of a unit must exceed, None where nothing was loaded."""
        number = self.number(unit)
        return None if number is None else unit.last_attempt(number)

    def newest_attempt(self, pipeline: str, destination: str) -> int | None:
        """The largest attempt's number among the last commits of a load, whichever window; None where there is none."""
        return max((entry.attempt for entry in self._of(pipeline, destination)), default=None)

    def holds(self, unit: LoadUnit, fingerprint: str) -> bool:
        """Whether the unit was loaded last with this configuration, and for a snapshot by this window."""
        entry = self.entries.get(unit.key)
        if entry is None or not entry.fingerprint or not fingerprint.startswith(entry.fingerprint):
            return False
        return bool(unit.last_attempt(entry.number))

    def snapshot_end(self, unit: LoadUnit) -> datetime | None:
        """The end, to the minute, of the window that a snapshot holds; None where nothing was loaded."""
        number = self.number(unit)
        return None if number is None else unit.snapshot_end(number)

    def windows(self, pipeline: str, destination: str) -> list[Span]:
        """The windows that a destination has loaded; none of a snapshot."""
        mine = self._of(pipeline, destination)
        return [(entry.start, entry.end) for entry in mine if not entry.unit.endswith(":snapshot")]

    def appended(self, pipeline: str) -> set[Span]:
        """The windows of a pipeline whose rows stand in the table; those that a larger one has covered don't."""
        mine = [entry for entry in self.entries.values() if entry.pipeline == pipeline]
        return {(entry.start, entry.end) for entry in mine if not any(_covered(entry, other) for other in mine)}

    def _of(self, pipeline: str, destination: str) -> Iterable[Entry]:
        whose = (pipeline, destination)
        return [entry for entry in self.entries.values() if (entry.pipeline, entry.load) == whose]


def _covered(entry: Entry, other: Entry) -> bool:
    """Whether a later commit has replaced all of a window's rows."""
    around = other.start <= entry.start and entry.end <= other.end and other.unit != entry.unit
    return around and other.number > entry.number
