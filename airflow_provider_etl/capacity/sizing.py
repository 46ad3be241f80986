"""From a load and figures to cores, executors, memory, machines, storage, partitions and network. Pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from airflow_provider_etl.capacity.asking import Ask
from airflow_provider_etl.capacity.figures import Figures
from airflow_provider_etl.capacity.quantities import DAY, HOUR, memory_told
from spark_jobs.errors import ConfigError

_GIB: Final = 2.0**30
_MILLION: Final = 1e6
_NEAR: Final = 1e-9  # what floating point adds mustn't cost a machine


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """The answer.

    Args:
        work: cores that records keep busy on the mean.
        starts: cores that the starts of windows keep busy.
        peak: cores busy in the busiest hour.
        cores: with head room.
        executors: of the cores that were asked for.
        executor_memory: bytes of each, heap and what Spark needs beside it.
        applications: windows at work at once in the busiest hour, on the mean over it.
        memory: bytes of all executors and drivers.
        machines: spare ones included.
        stored_per_day: bytes.
        storage: bytes at the end of the retention.
        partitions: of Kafka, over all topics.
        kafka_storage: bytes over all brokers.
        read, written, kafka: bytes a second over the network in the busiest hour.
    """

    work: float
    starts: float
    peak: float
    cores: float
    executors: int
    executor_memory: float
    applications: int
    memory: float
    machines: int
    stored_per_day: float
    storage: float
    partitions: int
    kafka_storage: float
    read: float
    written: float
    kafka: float

    @property
    def mean(self) -> float:
        """Cores busy on the mean."""
        return self.work + self.starts

    @property
    def emptied(self) -> float:
        """Seconds after which an hour's work is done, where all of it is due at once."""
        return HOUR * self.mean / self.cores

    @property
    def made_up(self) -> float:
        """Seconds after which an hour's outage is made up for, at mean load."""
        return HOUR * self.mean / (self.cores - self.mean) if self.cores > self.mean else math.inf


def cpu_of_million(figures: Figures, record_bytes: float) -> float:
    """CPU seconds of a million records of a size.

    A record costs something however small it is; the rest grows with its bytes: a line through the two sizes measured.
    """
    small, whole = figures.value("cpu_small"), figures.value("cpu")
    base = min(small, whole)
    return base + (whole - base) * record_bytes / figures.record_bytes


def sized(ask: Ask, figures: Figures) -> Sizing:
    """What a load needs.

    Raises:
        ConfigError: an executor doesn't fit on a machine.
    """
    value = figures.value
    work = ask.records / _MILLION * cpu_of_million(figures, ask.record_bytes)
    starts = ask.windows * value("start_cpu")
    peak = work * ask.peak + starts
    cores = peak / ask.utilisation
    executors = up(cores / ask.executor_cores)
    executor_memory = up(value("memory") * ask.executor_cores / value("memory_room")) * _GIB
    applications = up(ask.windows * value("start_seconds") + work * ask.peak / ask.executor_cores)
    drivers = applications * value("driver") * _GIB
    kept = ask.bytes * DAY * value("stored")
    return Sizing(
        work=work,
        starts=starts,
        peak=peak,
        cores=cores,
        executors=executors,
        executor_memory=executor_memory,
        applications=applications,
        memory=executors * executor_memory + drivers,
        machines=_machines(ask, figures, executors, executor_memory, drivers) + ask.spare,
        stored_per_day=kept,
        storage=kept * value("storage_spare") * ask.retention / DAY,
        partitions=max(up(ask.bytes * ask.peak / _MILLION / value("kafka_partition")), up(ask.sources), up(cores)),
        kafka_storage=ask.bytes * DAY * value("kafka_retention") * value("kafka_copies"),
        read=ask.bytes * ask.peak,
        written=ask.bytes * ask.peak * value("stored"),
        kafka=ask.bytes * ask.peak * value("kafka_copies"),
    )


def carried(ask: Ask, figures: Figures, machines: int) -> float:
    """Records an hour, on the mean, that so many machines carry at the same peak, head room, windows and sources.

    Raises:
        ConfigError: an executor doesn't fit on a machine.
    """
    memory = sized(ask, figures).executor_memory
    cores = max(machines - ask.spare, 0) * _on_one(ask, figures, memory) * ask.executor_cores
    left = max(cores * ask.utilisation - ask.windows * figures.value("start_cpu"), 0.0)
    return left / ask.peak / cpu_of_million(figures, ask.record_bytes) * _MILLION * HOUR


def _machines(ask: Ask, figures: Figures, executors: int, memory: float, drivers: float) -> int:
    """By executors that fit on one; by memory, where drivers take more of it than is left."""
    usable = ask.machine_memory * (1 - figures.value("machine_memory"))
    return max(up(executors / _on_one(ask, figures, memory)), up((executors * memory + drivers) / usable))


def _on_one(ask: Ask, figures: Figures, memory: float) -> int:
    cores = ask.machine_cores - figures.value("machine_cores")
    usable = ask.machine_memory * (1 - figures.value("machine_memory"))
    fit = min(int((cores + _NEAR) / ask.executor_cores), int((usable + _NEAR) / memory))
    if fit < 1:
        raise ConfigError(
            f"an executor of {ask.executor_cores} cores and {memory_told(memory)} doesn't fit on a machine, of which "
            f"Spark gets {cores:g} cores and {memory_told(usable)}",
            where="--executor-cores",
            remedy="fewer --executor-cores, or larger machines: --machine-cores, --machine-memory",
        )
    return fit


def up(value: float) -> int:
    """The next whole number, 1 at least."""
    return max(1, math.ceil(value - _NEAR))
