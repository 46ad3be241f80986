"""Upkeep of folders of files: what no manifest names goes; history and restore by manifests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.load.filesets.catalog import Catalog
from spark_jobs.load.filesets.manifest import ATTEMPT, DATA, UNIT, Manifest
from spark_jobs.session import list_files
from spark_jobs.upkeep.base import Subject, advice
from spark_jobs.upkeep.options import FilesMaintenance
from spark_jobs.window import iso

_TRIES: Final = 60
_ATTEMPT: Final = re.compile(rf"{UNIT}=[^/]+/{ATTEMPT}=[^/]+(?=/)")


class FilesUpkeep:
    """The upkeep of one folder of files.

    Args:
        subject: the folder.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.catalog = Catalog(subject.spark, subject.destination.path)
        self.path = self.catalog.path

    def maintain(self, *, dry: bool) -> Mapping[str, Any]:
        """Remove attempts that no manifest names any more, or tell which they are; see `Upkeep`."""
        block = self.subject.destination.maintenance or FilesMaintenance()
        held = self.catalog.newest()
        if held is None:
            return {"state": "absent", "actions": [], "advice": []}
        dead = self._dead(held, block.vacuum.retain)
        if not dry and (now := self.catalog.newest()) is not None:  # a restore may have brought some back meanwhile
            living = _living(now, datetime.now(UTC) - block.vacuum.retain)
            held, dead = now, {folder: told for folder, told in dead.items() if folder not in living}
        files, size = (sum(found[place] for found in dead.values()) for place in (0, 1))
        if not dry:
            for folder in dead:
                self.catalog.storage.delete(f"{self.path}/{folder}")
                self.catalog.storage.delete_empty(f"{self.path}/{folder}".rpartition("/")[0])
            self.catalog.sweep(datetime.now(UTC) - block.vacuum.retain)
        action = {"action": "vacuum", "files_removed": files, "bytes_removed": size, "folders": sorted(dead)}
        told = {"before": _size(held), "actions": [action], "advice": self._advice(held)}
        return {"state": "shown", **told} if dry else {"state": "done", "after": _size(held), **told}

    def history(self, limit: int) -> list[Mapping[str, Any]]:
        """The last manifests; see `Upkeep`."""
        return [_version(manifest) for manifest, _ in zip(self.catalog.history(), range(limit), strict=False)]

    def restore(self, version: int, *, dry: bool) -> Mapping[str, Any]:
        """Make the manifest that comes next say what an older one said, its ledger too; see `Upkeep`."""
        older = self._older(version)
        for _ in range(_TRIES):
            held = self.catalog.newest()
            assert held is not None  # noqa: S101 - the older one is there
            changed = sorted(unit for unit, entry in held.units.items() if older.units.get(unit) != entry)
            if dry:
                return {"state": "shown", "windows": changed}
            made = self._restored(held, older)
            if self.catalog.commit(made):
                self.catalog.tidy(made)
                return {"state": "done", "version": made.number, "windows": changed}
        raise InfrastructureError("others were always faster", where=self.path, remedy="run it again")

    def _older(self, version: int) -> Manifest:
        found = next((manifest for manifest in self.catalog.history() if manifest.number == version), None)
        if found is None:
            remedy = "airflow-etl history tells the versions that are there"
            raise ConfigError(f"there is no manifest of version {version}", where=self.path, remedy=remedy)
        for part in found.slices:
            if not self.catalog.storage.exists(f"{self.path}/{part.folder}"):
                raise DataError(
                    f"files of version {version} are gone: {part.folder}",
                    where=self.path,
                    expected="a version that is younger than vacuum.retain",
                    remedy="run the windows again from their sources instead",
                )
        return found

    def _restored(self, held: Manifest, older: Manifest) -> Manifest:
        now, there = iso(datetime.now(UTC)), {part.folder for part in older.slices}
        gone = {part.folder for part in held.slices} - there
        dropped = {folder: at for folder, at in held.dropped.items() if folder not in there}
        return held.follow(
            now,
            layout=older.layout,
            slices=older.slices,
            units=older.units,
            dropped={**dropped, **dict.fromkeys(sorted(gone), now)},
            commit={"operation": "restore", "to": older.number},
        )

    def _dead(self, held: Manifest, retain: timedelta) -> dict[str, tuple[int, int]]:
        """Folders of attempts that no manifest needs: folder -> (files, bytes); none of whose files is young."""
        oldest = datetime.now(UTC) - retain
        found: dict[str, tuple[int, int]] = {}
        young = set()
        root = f"{self.path}/{DATA}"
        for file in list_files(self.subject.spark, root) if self.catalog.storage.exists(root) else ():
            attempt = _ATTEMPT.match(file.inside)
            if attempt is None:
                continue  # somebody else's
            folder = f"{DATA}/{attempt[0]}"
            if file.mtime > oldest.timestamp() * 1000:
                young.add(folder)  # somebody may be writing there
            files, size = found.get(folder, (0, 0))
            found[folder] = files + 1, size + file.size
        # One that counts no more was written long ago, and may have been dropped a moment ago.
        stay = _living(held, oldest) | young
        return {folder: told for folder, told in found.items() if folder not in stay}

    def _advice(self, held: Manifest) -> list[str]:
        by = tuple(held.layout["partition_by"])
        parts = {name.rpartition("/")[0] for part in held.slices for name, _ in part.files}
        size = _size(held)
        return advice(size["rows"], size["bytes"], len(parts), by)


def _living(held: Manifest, oldest: datetime) -> set[str]:
    """Folders of attempts that count, or did not long ago."""
    dropped = {folder for folder, at in held.dropped.items() if datetime.fromisoformat(at) > oldest}
    return {part.folder for part in held.slices} | dropped


def _size(held: Manifest) -> dict[str, int]:
    return {
        "files": sum(len(part.files) for part in held.slices),
        "bytes": sum(part.size for part in held.slices),
        "rows": held.rows,
    }


def _version(manifest: Manifest) -> dict[str, Any]:
    entry: Mapping[str, Any] = manifest.units.get(manifest.commit.get("unit", ""), {})
    window = entry.get("window") or {}
    return {
        "version": manifest.number,
        "at": manifest.at,
        "operation": manifest.commit["operation"],
        "window": f"{window['start']}/{window['end']}" if window else None,
        "pipeline": manifest.pipeline,
        "run": entry.get("run"),
        "attempt": entry.get("attempt"),
        "inserted": manifest.commit.get("inserted"),
        "deleted": manifest.commit.get("deleted"),
    }
