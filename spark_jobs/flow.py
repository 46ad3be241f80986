"""Rows on their way through the verbs, and what is asked of them once they have been written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spark_jobs.connections import Connections
from spark_jobs.plan import Plan
from spark_jobs.report import DatasetCounts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.history import Pinned
    from spark_jobs.load.in_place import Written
    from spark_jobs.session import FileStat


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a kind's method may use.

    Args:
        spark: the session; its zone is UTC, ANSI mode is on.
        plan: the plan that runs.
        where: place in the pipeline file for error texts, such as `extract.flights` or `transform.result[2].join`.
        dataset: name of the dataset the kind works on.
        datasets: the other datasets by name, as far as they exist yet.
        connections: those that the plan's kinds name, by id.
        versions: path of a table -> the version that this run reads of it, once it has read some of it.
        sources: name -> what the run's sources were when they were read (Flow.told).
        files: source -> the files that it has read, where a load has to keep that (load/kept_files.py).
        written: what a load has written ahead of the checks and may commit as it is (load/in_place.py); else None.
    """

    spark: SparkSession
    plan: Plan
    where: str
    dataset: str
    datasets: Mapping[str, DataFrame] = field(default_factory=dict)
    connections: Connections = field(default_factory=Connections)
    versions: MutableMapping[str, Pinned] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, DataFrame] = field(default_factory=dict)
    written: Written | None = None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A dataset that has not been computed yet: one pass computes it, writes it and counts it.

    Args:
        rows: the dataset's rows, lazily.
        counts: where its rows went; to be called after `rows` took part in one finished action.
        refused: rows set aside so far, in the shape of aside.REFUSED, lazily; None where `counts` found none.
            To be called after `counts`. It reads the source again, so it is only called where there is something.
        told: of a source, what it was when it was read, for the report: `{"version": 12}`.
        files: of a source, the files that it has read, where a load has to keep that; else None.
    """

    rows: DataFrame
    counts: Callable[[], DatasetCounts]
    refused: Callable[[], DataFrame | None]
    told: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[FileStat] | None = None
