"""Figures of one's own: the JSON that `make bench-pipeline` writes."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.capacity.figures import Figure, Figures, Run, found_by
from spark_jobs.errors import ConfigError

CONTENDER: Final = "fused, 12 checks"
FEW: Final = 10_000  # records, up to which all is start and end
_CORES: Final = 2  # that the benchmark gives to Spark
_MILLION: Final = 1e6


def benchmarked(base: Figures, path: str) -> Figures:
    """Figures with those of a benchmark's result in their place.

    Args:
        base: those that hold where the result says nothing.
        path: the JSON of `benchmarks.pipeline`; one of 10,000 records or fewer says what a start takes.

    Raises:
        ConfigError: it is nothing of the kind.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        runs = [(case["count"], case["turns"][CONTENDER]) for case in found["cases"] if CONTENDER in case["turns"]]
        run = _run(found, max(count for count, _ in runs), base)
        return base.under(Figures(known=_known(base, runs, f"bench {run.commit}"), runs={f"bench {run.commit}": run}))
    except OSError as error:
        raise ConfigError(str(error.strerror), where=path, expected="a benchmark's result") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"no result of benchmarks.pipeline with {CONTENDER!r} in it: {error}"
        raise ConfigError(told, where=path, expected="what `make bench-pipeline` writes; or figures as YAML") from None


def _run(found: Mapping[str, Any], records: int, base: Figures) -> Run:
    machine, versions = found["machine"], found["versions"]
    return Run(
        what=f"benchmarks.pipeline, {CONTENDER}, on your machine",
        machine=f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, {machine['kernel']}",
        date=found["taken"][:10],
        commit=versions["this package"],
        versions=", ".join(
            f"{name} {versions[name]}" for name in ("pyspark", "delta-spark", "java") if name in versions
        ),
        records=records,
        record_bytes=base.record_bytes,  # it generates the same records everywhere
    )


def _known(base: Figures, runs: Sequence[tuple[int, Sequence[Mapping[str, float]]]], run: str) -> dict[str, Figure]:
    old, known = base.known, dict[str, Figure]()
    for count, turns in sorted(runs, key=lambda each: each[0]):
        middle = {name: statistics.median(turn[name] for turn in turns) for name in ("wall", "cpu", "memory")}
        rounds = f"{len(turns)} round{'s' if len(turns) != 1 else ''} of {count:,} records"
        if count <= FEW:
            known["start_cpu"] = found_by(run, old["start_cpu"], middle["cpu"], rounds)
            known["start_seconds"] = found_by(run, old["start_seconds"], middle["wall"], rounds)
            continue
        start = known.get("start_cpu", old["start_cpu"]).value
        if middle["cpu"] <= start:
            told = f"{count:,} records took {middle['cpu']:g} CPU s, no more than a start"
            raise ConfigError(told, where=run, expected=f"more than {start:g}", remedy="give a result of 1,000 first")
        each = (middle["cpu"] - start) / count * _MILLION
        known["cpu"] = found_by(run, old["cpu"], each, f"{rounds}, less start_cpu", "derived")
        known["memory"] = found_by(run, old["memory"], middle["memory"] / 1024 / _CORES, rounds)
    return known
