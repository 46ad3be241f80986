"""What an application needed: memory at its peak, CPU, bytes. Asked of Java and of Spark once, when the work is done.

Spark's own peaks (`peakMemoryMetrics`) come with an executor's heartbeats, every ten seconds; those of the driver's
heap are Java's, and exact.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ALONE: Final = re.compile(r"local(\[.*)?")  # local-cluster[…] has executors
_REPEATS: Final = 20
_SUMS: Final = {
    "cpu_seconds": ("executorCpuTime", 1e-9),
    "task_seconds": ("executorRunTime", 1e-3),
    "gc_seconds": ("jvmGcTime", 1e-3),
    "bytes_read": ("inputBytes", 1),
    "bytes_written": ("outputBytes", 1),
    "bytes_shuffled": ("shuffleWriteBytes", 1),
    "bytes_spilled": ("diskBytesSpilled", 1),
    "failed_tasks": ("numFailedTasks", 1),
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one application needed.

    Args:
        seconds: of work, without the start of Spark.
        cores: tasks that ran at the same time, at most.
        heap_peak, heap_max: bytes of the driver's heap: at its peak, rubbish included, and as set.
        rss_peak: bytes of the driver's process at its peak, since its start; None where the kernel doesn't say.
        executors: how many there were beside the driver; 0 where it does all.
        executor_peak, executor_max: bytes of the heap of the executor that used most, and as set; None where none said.
        cpu_seconds, task_seconds, gc_seconds: sums over all tasks, Python's own part left out.
        bytes_read, bytes_written, bytes_shuffled, bytes_spilled: sums over all tasks; of files, as they are stored.
        failed_tasks: those that Spark repeated.
    """

    seconds: float
    cores: int
    heap_peak: int
    heap_max: int
    rss_peak: int | None = None
    executors: int = 0
    executor_peak: int | None = None
    executor_max: int | None = None
    cpu_seconds: float = 0.0
    task_seconds: float = 0.0
    gc_seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0
    bytes_shuffled: int = 0
    bytes_spilled: int = 0
    failed_tasks: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class Meter:
    """Measures from when it is made.

    Args:
        spark: a classic session.
    """

    _used = False  # in this process: a driver that stays warm forgets the peaks of the run before

    def __init__(self, spark: SparkSession) -> None:
        self._spark, self._begin = spark, datetime.now(UTC)
        if Meter._used:
            for pool in self._pools():
                pool.resetPeakUsage()
        Meter._used = True
        self._before = self._newest()

    def usage(self) -> Usage:
        """What was needed since then."""
        context: Any = self._spark.sparkContext
        jvm: Any = self._spark._jvm
        alone = _ALONE.fullmatch(str(context.master)) is not None
        executors = [] if alone else [one for one in self._executors() if one["id"] != "driver"]
        peaks = [(one.get("peakMemoryMetrics") or {}).get("JVMHeapMemory", 0) for one in executors]
        memory = context.getConf().get("spark.executor.memory", "1g")
        most = int(jvm.java.lang.Runtime.getRuntime().maxMemory())
        return Usage(
            seconds=round((datetime.now(UTC) - self._begin).total_seconds(), 3),
            cores=int(context.defaultParallelism),
            heap_peak=min(most, sum(int(pool.getPeakUsage().getUsed()) for pool in self._pools())),
            heap_max=most,
            rss_peak=_rss_peak(int(jvm.java.lang.ProcessHandle.current().pid())),
            executors=len(executors),
            executor_peak=max(peaks, default=0) or None,
            executor_max=bytes_of(memory) if executors else None,
            **summed(self._stages()),
        )

    def _pools(self) -> list[Any]:
        jvm: Any = self._spark._jvm
        beans = jvm.java.lang.management.ManagementFactory.getMemoryPoolMXBeans()
        return [pool for pool in beans if str(pool.getType().name()) == "HEAP"]

    def _newest(self) -> int:
        """The id of the stage that was submitted last; -1 where there is none."""
        found = self._stage_list()
        return int(found.apply(0).stageId()) if found.nonEmpty() else -1

    def _stages(self) -> list[dict[str, Any]]:
        """The stages since the beginning: a driver that stays warm has older ones, up to a thousand."""
        found = self._stage_list()
        new = int(found.apply(0).stageId()) - self._before if found.nonEmpty() else 0
        # A stage that is repeated is there twice.
        told = self._told(found.take(new + _REPEATS)) if new > 0 else []
        return [stage for stage in told if stage["stageId"] > self._before]

    def _stage_list(self) -> Any:
        """Spark's own, the newest first."""
        jvm: Any = self._spark._jvm
        gateway: Any = self._spark.sparkContext._gateway
        quantiles = gateway.new_array(jvm.double, 0)
        return self._store.stageList(None, False, False, quantiles, jvm.java.util.ArrayList())

    def _executors(self) -> list[dict[str, Any]]:
        return self._told(self._store.executorList(False))

    @property
    def _store(self) -> Any:
        return self._spark.sparkContext._jsc.sc().statusStore()

    def _told(self, found: Any) -> list[dict[str, Any]]:
        """As Spark's REST interface tells it: in one call, where asking each of hundreds would take seconds."""
        jvm: Any = self._spark._jvm
        writer = jvm.org.apache.spark.status.api.v1.JacksonMessageWriter()
        told: list[dict[str, Any]] = json.loads(writer.mapper().writeValueAsString(found))
        return told


def summed(stages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The sums over stages."""
    told = list(stages)
    sums = {name: sum(stage[key] for stage in told) * unit for name, (key, unit) in _SUMS.items()}
    return {name: round(value, 3) if name.endswith("_seconds") else int(value) for name, value in sums.items()}


def bytes_of(memory: str) -> int:
    """Bytes of a size as Spark takes it: 512m, 4g; without a unit, MiB."""
    units = {"b": 0, "k": 10, "m": 20, "g": 30, "t": 40}
    text = memory.strip().lower().removesuffix("b") or "0"
    digits = text.rstrip("kmgt")
    return int(digits) << units[text[len(digits) :] or "m"]


def _rss_peak(process: int) -> int | None:
    """The most memory that a process of this machine ever had, in bytes; None where Linux isn't there to say."""
    place = f"/proc/{process}/status"
    if not os.path.exists(place):
        return None
    with open(place, encoding="ascii") as file:
        found = next((line.split()[1] for line in file if line.startswith("VmHWM:")), None)
    return None if found is None else int(found) * 1024
