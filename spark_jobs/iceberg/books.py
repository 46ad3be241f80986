"""The ledger of an Iceberg table: one property for each load, in the same metadata as the data's snapshot.

Properties stay when snapshots expire. Of each unit they hold its last commit, tokens and fingerprints shortened: 10,000
units are 1.5 MB, which are written in a tenth of a second (docs/iceberg.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any, Final

from spark_jobs.ledger import Commit, short
from spark_jobs.tables.spans import window_of_unit

PREFIX: Final = "etl.units:"
_DIGITS: Final = 16  # of a fingerprint


@dataclass(frozen=True, kw_only=True)
class Booked:
    """One unit's last commit.

    Args:
        number, attempt: as Delta's ledger has them.
        token, run: `short` ones.
        fingerprint: its first digits.
        staged, inserted, updated, deleted: rows.
        version: the snapshot's id.
        since: the number of the attempt that read the sources; 0 where it is this one.
        reach: what it replaced, START/END, where that is more than its window.
    """

    number: int
    attempt: int
    token: str
    run: str
    fingerprint: str
    staged: int = 0
    version: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    since: int = 0
    reach: str = ""


@dataclass(frozen=True)
class Books:
    """What a table's properties say of its loads.

    Args:
        properties: the table's.
    """

    properties: Mapping[str, str]

    def units(self, pipeline: str, load: str) -> dict[str, int]:
        """Key -> number of every unit of one load of a pipeline."""
        return {key: booked.number for key, booked in self.booked(pipeline, load).items()}

    def booked(self, pipeline: str, load: str) -> dict[str, Booked]:
        """Key -> last commit of every unit of one load of a pipeline."""
        found = self.properties.get(_key(pipeline, load))
        prefix = f"etl:{pipeline}:{load}:"
        return {prefix + span: _read(row) for span, row in json.loads(found or "{}").items()}

    def find(self, unit: str) -> Booked | None:
        """The last commit of a unit."""
        return self.booked(*_whose(unit)).get(unit)

    def pipelines(self) -> set[str]:
        """Names of the pipelines that have loaded the table."""
        return {key.removeprefix(PREFIX).rpartition(":")[0] for key in self.properties if key.startswith(PREFIX)}

    def with_booked(self, unit: str, booked: Booked) -> dict[str, str]:
        """The properties that change where a unit is booked."""
        pipeline, load = _whose(unit)
        rows = json.loads(self.properties.get(_key(pipeline, load)) or "{}")
        rows[unit.removeprefix(f"etl:{pipeline}:{load}:")] = _written(booked)
        return {_key(pipeline, load): json.dumps(rows, separators=(",", ":"))}

    def commits(self) -> Iterator[tuple[str, Booked]]:
        """Every unit's last commit, by number, the largest first."""
        found = [
            item
            for key in self.properties
            if key.startswith(PREFIX)
            for item in self.booked(*key.removeprefix(PREFIX).rsplit(":", 1)).items()
        ]
        return iter(sorted(found, key=lambda item: item[1].number, reverse=True))


def commit_of(unit: str, booked: Booked) -> Commit:
    """A commit as the strategies ask for it."""
    entry = {"unit": unit, **asdict(booked)}
    if not booked.since:
        entry.pop("since")  # it has read for itself: its own number counts
    entry["pipeline"], entry["load"] = _whose(unit)
    window = window_of_unit(unit, "UTC")
    entry["window"] = window.to_json() if window is not None else None
    start, _, end = booked.reach.partition("/")
    entry["reach"] = {"start": start, "end": end} if end else None
    metrics = {
        "numTargetRowsInserted": str(booked.inserted),
        "numTargetRowsUpdated": str(booked.updated),
        "numTargetRowsDeleted": str(booked.deleted),
    }
    return Commit(version=booked.version, entry=entry, metrics=metrics)


def booked_of(entry: Mapping[str, Any], **counts: int) -> Booked:
    """What is booked of an attempt's entry.

    Args:
        entry: as the strategies make it.
        counts: version, inserted, updated, deleted.
    """
    reach, number, since = entry.get("reach"), int(entry["number"]), int(entry.get("since", 0))
    return Booked(
        number=number,
        attempt=int(entry["attempt"]),
        token=short(str(entry["token"])),
        run=short(str(entry["run"])),
        fingerprint=str(entry["fingerprint"])[:_DIGITS],
        staged=int(entry["staged"]),
        since=0 if since == number else since,  # properties are kept short: each window has a row
        reach=f"{reach['start']}/{reach['end']}" if reach else "",
        **counts,
    )


def _key(pipeline: str, load: str) -> str:
    return f"{PREFIX}{pipeline}:{load}"


def _whose(unit: str) -> tuple[str, str]:
    """(pipeline, load) of a unit `etl:PIPELINE:LOAD:SPAN`; a span has colons too, the others none."""
    _, pipeline, load, _ = unit.split(":", 3)
    return pipeline, load


def _written(booked: Booked) -> list[Any]:
    """As short as it can be: what is nothing at the end is left out."""
    row = list(astuple(booked))
    while not row[-1]:
        row.pop()
    return row


def _read(row: list[Any]) -> Booked:
    return Booked(**dict(zip(Booked.__dataclass_fields__, row, strict=False)))
