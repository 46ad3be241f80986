"""What is asked: the load, and what one wants of the machines that carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from airflow_provider_etl.capacity.quantities import DAY, HOUR

YEAR: Final = 365 * DAY


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A load, and the wishes.

    Args:
        records_per_hour: on the mean, today.
        record_bytes: of each, as it is read.
        sources: pipelines, each with windows of its own.
        window: seconds of a window; each starts a Spark.
        peak: the busiest hour's load over the mean's, 1 or more.
        utilisation: share of the cores that the peak may take, above 0 to 1.
        retention: seconds that loaded rows are kept.
        growth: of the load in a year, 0 and more; 1 is twice as much.
        years: after which the answer still holds.
        executor_cores: of each executor.
        machine_cores: of each machine.
        machine_memory: bytes of each machine.
        spare: machines that may fail.
    """

    records_per_hour: float
    record_bytes: float
    sources: int = 1
    window: float = HOUR
    peak: float = 2.0
    utilisation: float = 0.6
    retention: float = YEAR
    growth: float = 0.0
    years: float = 1.0
    executor_cores: int = 4
    machine_cores: int = 16
    machine_memory: float = 64 * 2.0**30
    spare: int = 1

    @property
    def grown(self) -> float:
        """How many times as much there is at the end of the years."""
        return float((1 + self.growth) ** self.years)

    @property
    def records(self) -> float:
        """Records a second, on the mean at the end of the years."""
        return self.records_per_hour * self.grown / HOUR

    @property
    def bytes(self) -> float:
        """Bytes a second likewise."""
        return self.records * self.record_bytes

    @property
    def windows(self) -> float:
        """Windows a second."""
        return self.sources / self.window
