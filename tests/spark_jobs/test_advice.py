"""What the last windows needed becomes advice: less where it is sure, more where memory ran short, else nothing."""

from __future__ import annotations

from typing import Any

import pytest

from spark_jobs.advice import LEAST, advice
from spark_jobs.usage import Usage, bytes_of

GIB = 1 << 30


def windows(number: int = 10, **changed: Any) -> list[dict[str, Any]]:
    usage = {"seconds": 60.0, "cores": 2, "heap_peak": GIB, "heap_max": 2 * GIB, "task_seconds": 100.0} | changed
    return [Usage(**usage).to_json()] * number


def test_a_driver_that_used_a_third_of_its_memory_is_told_what_would_do() -> None:
    told = advice([*windows(9, heap_peak=3 * GIB // 10), *windows(1, heap_peak=GIB // 2)])
    assert told == [
        "the driver used 25 % of its memory at most in the last 10 windows (512m of 2g): driver_memory: 1g would do"
    ]
    assert advice(windows(heap_peak=GIB + 1)) == [], "half is no waste: windows differ"
    (told,) = advice(windows(heap_peak=GIB // 100))
    assert told.endswith("driver_memory: 1g would do"), "never less than a gibibyte"


def test_the_large_window_of_a_month_ago_counts_and_so_does_one_that_ran_out_of_memory() -> None:
    assert advice([*windows(1, heap_peak=3 * GIB // 2), *windows(30, heap_peak=GIB // 4)]) == []
    out = [{**entry, "failed": True} for entry in windows(1, heap_peak=GIB // 4)]
    assert advice([*out, *windows(30, heap_peak=GIB // 4)]) == []
    assert advice([*windows(9, heap_peak=GIB // 4), *out]) == [
        "1 of the last 10 windows ran out of memory: driver_memory: 3g"
    ]


def test_executors_are_told_of_alike() -> None:
    told = advice(windows(executors=2, executor_peak=3 * GIB, executor_max=10 * GIB))
    assert [line.partition(" (")[0] for line in told] == [
        "the executor that used most used 30 % of its memory at most in the last 10 windows"
    ]
    assert "executor_memory: 6g would do" in told[0]
    assert advice(windows(executors=2, executor_peak=None, executor_max=10 * GIB)) == [], "none has said what it used"
    short = windows(executors=2, executor_peak=3 * GIB, executor_max=10 * GIB, seconds=30.0, task_seconds=50.0)
    assert advice(short) == [], "three looks at a heap miss its peak"


def test_on_a_cluster_executors_come_and_go() -> None:
    figures = {"executors": 2, "executor_peak": 3 * GIB, "executor_max": 10 * GIB, "task_seconds": 5.0}
    told = advice([*windows(5, **figures, cores=8), *windows(5, **figures, cores=4)])
    assert ["executor_memory: 6g would do" in line for line in told] == [True], "and cores that vary say nothing"


def test_where_memory_ran_short_more_is_advised_and_never_less() -> None:
    spilled = windows(bytes_spilled=GIB, heap_peak=GIB // 4)
    (told,) = advice(spilled)
    assert told.startswith("10 of the last 10 windows wrote to disk what memory had no room for, 1g at most: ")
    assert told.endswith("driver_memory: 3g, or more shuffle partitions")
    assert advice([*windows(6), *spilled[:4]]) == [], "a window now and then is no rule"
    (collecting,) = advice(windows(gc_seconds=30.0))
    assert collecting == "Java's collector took 30 % of the tasks' time in the last 10 windows: driver_memory: 3g"


def test_idle_cores_are_told_where_there_was_work() -> None:
    (told,) = advice(windows(cores=8, task_seconds=60.0))
    assert told == "the 8 cores were busy 12 % of the time in the last 10 windows: 2 would do"
    assert advice(windows(cores=8, seconds=5.0, task_seconds=1.0)) == [], "Spark's own steps are most of it"


def test_too_few_windows_and_those_with_other_sizes_say_nothing() -> None:
    assert advice([]) == []
    assert advice(windows(LEAST - 1, heap_peak=1)) == []
    assert advice([*windows(9, heap_peak=1), *windows(1, heap_max=GIB, heap_peak=GIB // 4)]) == []


@pytest.mark.parametrize(("text", "size"), [("2g", 2 * GIB), ("512m", GIB // 2), ("512", GIB // 2), ("1gb", GIB)])
def test_sizes_are_read_as_spark_reads_them(text: str, size: int) -> None:
    assert bytes_of(text) == size
