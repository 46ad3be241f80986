"""What `resources` ask for, as settings of an engine."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec.engines import SIZES, Engine, sizes_of
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import Size, StepResources
from airflow_provider_etl.spec.paths import is_uri
from spark_jobs.kinds import reads_datasets

# Rows are what counts for `tiny`; files say bytes alone, and a row of some 100 bytes is common.
_UP_TO: Final[tuple[tuple[Size, int], ...]] = (("tiny", 16 << 20), ("small", 10 << 30), ("medium", 100 << 30))
_EXECUTORS: Final[Mapping[str, tuple[int, int, str, int]]] = {
    # size: executors, cores of each, memory of each, partitions of a shuffle: about 128 MiB each; AQE joins small ones
    "small": (2, 2, "4g", 64),
    "medium": (8, 4, "8g", 512),
    "large": (20, 4, "16g", 2000),
}


# Executors come and go with the work; without an external service, those whose shuffle files are read stay.
_DYNAMIC: Final[Mapping[str, str]] = {
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
}
_ASKED: Final[Mapping[str, str]] = {
    **SIZES,
    "spark.sql.shuffle.partitions": "shuffle_partitions",
    "spark.dynamicAllocation.maxExecutors": "max_executors",
}
_ORDER: Final[tuple[Size, ...]] = ("tiny", "small", "medium", "large")


def engine_for(
    engine: Engine, needs: StepResources, sources: Iterable[Any], moved: Callable[[], int | None] = lambda: None
) -> Engine:
    """An engine as an application needs it.

    Args:
        engine: as the environment has it; its own `conf` wins over what a size brings.
        needs: what the pipeline says.
        sources: the window's sources with resolved paths, whose files `auto` measures.
        moved: says how many bytes the largest of the last windows moved, None where that isn't known; asked where
            sources can't be measured from here.
    """
    size = measured(sources, moved) if needs.size == "auto" else needs.size
    if all(getattr(needs, item.name) is None for item in fields(needs)):
        return engine
    conf = _held({**_conf(size), **engine.conf, **_explicit(needs)})
    return replace(
        engine,
        small=engine.small if size is None else size == "tiny",
        memory=needs.driver_memory or engine.memory,
        conf=FrozenMap(conf),
    )


def _conf(size: str | None) -> dict[str, str]:
    if size is None or size not in _EXECUTORS:
        return {}
    executors, cores, memory, partitions = _EXECUTORS[size]
    return {
        "spark.executor.instances": str(executors),
        "spark.executor.cores": str(cores),
        "spark.executor.memory": memory,
        "spark.sql.shuffle.partitions": str(partitions),
    }


def _explicit(needs: StepResources) -> dict[str, str]:
    more = _DYNAMIC if needs.max_executors is not None else {}
    return sizes_of(needs, _ASKED) | dict(more)


def _held(conf: dict[str, str]) -> dict[str, str]:
    """No more executors to begin with than there may be: Spark would not start on YARN and Kubernetes.

    Where the pipeline itself says more, `lint` has told of it.
    """
    first, most = (conf.get(key, "") for key in ("spark.executor.instances", "spark.dynamicAllocation.maxExecutors"))
    dynamic = conf.get("spark.dynamicAllocation.enabled") == "true"
    if dynamic and first.isdecimal() and most.isdecimal() and int(first) > int(most):
        return conf | {"spark.executor.instances": most}
    return conf


def measured(sources: Iterable[Any], moved: Callable[[], int | None] = lambda: None) -> Size:
    """The size of a window by its files; by the last windows' bytes where they can't be asked from here (URIs, tables).

    Where those aren't known either it is `small`.
    """
    total = 0
    for source in sources:
        if reads_datasets(source):
            continue  # its own sources are asked
        path = getattr(source, "path", None)
        if not isinstance(path, str) or is_uri(path):
            last = moved()
            return "small" if last is None else max(size_of(last), "small", key=_ORDER.index)
        total += _bytes(path)
    return size_of(total)


def size_of(total: int) -> Size:
    """The size of a window that has so many bytes."""
    return next((size for size, most in _UP_TO if total <= most), "large")


def bytes_moved(usage: Mapping[str, Any]) -> int:
    """The bytes of a window by what its run needed: read, or written where its source tells none, as databases do."""
    return max(int(usage["bytes_read"]), int(usage["bytes_written"]))


def _bytes(path: str) -> int:
    found = [Path(path)] if Path(path).exists() else [Path(item) for item in glob.glob(path)]
    files = [file for item in found for file in ([item] if item.is_file() else item.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())
