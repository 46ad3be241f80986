"""What `resources` ask for, as settings of an engine."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec.environment import Engine
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import Size, StepResources
from airflow_provider_etl.spec.paths import is_uri
from spark_jobs.kinds import reads_datasets

# Rows are what counts for `tiny`; files say bytes alone, and a row of some 100 bytes is common.
_UP_TO: Final[tuple[tuple[Size, int], ...]] = (("tiny", 16 << 20), ("small", 10 << 30), ("medium", 100 << 30))
_EXECUTORS: Final[Mapping[str, tuple[int, int, str, int]]] = {
    # size: executors, cores of each, memory of each, partitions of a shuffle: about 128 MiB each
    "small": (2, 2, "4g", 64),
    "medium": (8, 4, "8g", 512),
    "large": (20, 4, "16g", 2000),
}


def engine_for(engine: Engine, needs: StepResources, sources: Iterable[Any]) -> Engine:
    """An engine as an application needs it.

    Args:
        engine: as the environment has it; its own `conf` wins over what a size brings.
        needs: what the pipeline says.
        sources: the window's sources with resolved paths, whose files `auto` measures.
    """
    size = measured(sources) if needs.size == "auto" else needs.size
    if all(getattr(needs, item.name) is None for item in fields(needs)):
        return engine
    conf = {**_conf(size), **engine.conf, **_explicit(needs)}
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
    told = {
        "spark.executor.instances": needs.executors,
        "spark.executor.cores": needs.executor_cores,
        "spark.executor.memory": needs.executor_memory,
    }
    return {key: str(value) for key, value in told.items() if value is not None}


def measured(sources: Iterable[Any]) -> Size:
    """The size of a window by its files; `small` where they can't be asked from here (URIs, tables)."""
    total = 0
    for source in sources:
        if reads_datasets(source):
            continue  # its own sources are asked
        path = getattr(source, "path", None)
        if not isinstance(path, str) or is_uri(path):
            return "small"
        total += _bytes(path)
    return next((size for size, most in _UP_TO if total <= most), "large")


def _bytes(path: str) -> int:
    found = [Path(path)] if Path(path).exists() else [Path(item) for item in glob.glob(path)]
    files = [file for item in found for file in ([item] if item.is_file() else item.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())
