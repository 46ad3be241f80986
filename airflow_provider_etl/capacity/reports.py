"""Figures of one's own: what the reports of a pipeline's runs say of CPU, memory and the size of records.

What is stored they don't tell: bytes that were written are those of staging too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.capacity.figures import Figure, Figures, Run, found_by
from spark_jobs.errors import ConfigError
from spark_jobs.report import REPORT_VERSION

NAME: Final = "reports"
LEAST: Final = 100_000  # records of a run, on the mean, below which Spark's start is most of what it took
_GIB: Final = 2.0**30
_MILLION: Final = 1e6


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One run that loaded: sums over its applications; `memory` is GiB per core, at its largest."""

    records: int
    read: int
    cpu: float
    memory: float
    cores: int


def measured_by(base: Figures, path: str) -> Figures:
    """Figures with those of reports in their place.

    Args:
        base: those that hold where reports say nothing.
        path: a report, or a folder with reports; other JSON in it, and runs that didn't load, are left out.

    Raises:
        ConfigError: there are none, or they don't hold what is needed.
    """
    files = sorted(Path(path).rglob("*.json")) if Path(path).is_dir() else [Path(path)]
    loaded = [(report, file) for file in files if (report := _loaded(file)) is not None]
    found = [seen for report, file in loaded if (seen := _seen(report, file)) is not None]
    if not found:
        raise ConfigError(
            f"{len(files)} file{'s' if len(files) != 1 else ''} and no report of a run that loaded rows",
            where=path,
            expected="what `airflow-etl run --json` writes, with `usage`",
        )
    records, read = sum(seen.records for seen in found), sum(seen.read for seen in found)
    if records / len(found) < LEAST:
        told = f"{records / len(found):,.0f} records a run, most of whose CPU is Spark's start"
        raise ConfigError(told, where=path, expected=f"runs of {LEAST:,} records at least")
    if not read:
        raise ConfigError(
            "no bytes read: reading over JDBC counts as nothing",
            where=path,
            remedy="write what you know into a file of figures: --figures",
        )
    return base.under(_figures(base, found, max(file.stat().st_mtime for file in files)))


def _figures(base: Figures, found: Sequence[_Seen], newest: float) -> Figures:
    records, read = sum(seen.records for seen in found), sum(seen.read for seen in found)
    run = Run(
        what=f"{len(found)} run{'s' if len(found) != 1 else ''} of yours",
        machine=f"{max(seen.cores for seen in found)} cores",
        date=datetime.fromtimestamp(newest, UTC).date().isoformat(),
        records=records,
        record_bytes=read / records,
    )
    outside = base.value("outside_tasks")
    each = [seen.cpu * outside / seen.records * _MILLION for seen in found]
    old = base.known
    known: dict[str, Figure] = {}
    whole = sum(seen.cpu for seen in found) * outside / records * _MILLION
    if whole > 0:
        why = f"CPU of their tasks, times outside_tasks; of single runs {min(each):.3g} to {max(each):.3g}"
        known["cpu"] = found_by(NAME, old["cpu"], whole, why, "derived")
    memory = max(seen.memory for seen in found)
    if memory > 0:
        known["memory"] = found_by(NAME, old["memory"], memory, "the largest of them")
    return Figures(known=known, runs={NAME: run})


def _loaded(file: Path) -> Mapping[str, Any] | None:
    """A report of a run that loaded; None where the file is anything else.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(error.strerror), where=str(file), expected="a report, or a folder of reports") from None
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("report_version") != REPORT_VERSION:
        return None
    return found if found.get("state") == "loaded" and found.get("usage") else None


def _seen(report: Mapping[str, Any], file: Path) -> _Seen | None:
    """What a report says; None where it read no record.

    Raises:
        ConfigError: it lacks what every report has.
    """
    try:
        return _summed(report)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"no whole report: {error}", where=str(file)) from None


def _summed(report: Mapping[str, Any]) -> _Seen | None:
    applications = {name: used for name, used in report["usage"].items() if "cpu_seconds" in used}
    usage = list(applications.values())
    # Reports don't say which datasets are sources: the largest stands for all of them.
    records = max((counts["read"] for counts in report["datasets"].values()), default=0)
    if not usage or not records:
        return None
    return _Seen(
        records=records,
        # A verb's application after `extract` reads what was staged.
        read=int((applications.get("run") or applications["extract"])["bytes_read"]),
        cpu=sum(used["cpu_seconds"] for used in usage),
        memory=max(map(_memory, usage)),
        cores=max(used["cores"] for used in usage),
    )


def _memory(used: Mapping[str, Any]) -> float:
    """GiB per core: of the executor that used most, else of the driver, which does all then."""
    if used["executors"] and used["executor_peak"]:
        return float(used["executor_peak"] * used["executors"] / max(used["cores"], 1) / _GIB)
    return float((used["rss_peak"] or used["heap_peak"]) / max(used["cores"], 1) / _GIB)
