"""The ledger of a Delta table, read from its log by Spark: the protocol's own files, and no class of Delta's.

Delta writes beside each commit a file with the state that it left (`VERSION.crc`: metadata, and every application's
last transaction); where that is missing, the last checkpoint and the commits since say the same.
https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from spark_jobs.connect import storage
from spark_jobs.errors import ConfigError
from spark_jobs.history import Pinned
from spark_jobs.ledger import FORGOTTEN, Commit, Ledger, LoadUnit, entry_of, held

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_COMMIT: Final = re.compile(r"\d{20}\.json")
_STATE: Final = re.compile(r"\d{20}\.crc")
_CHECKPOINT: Final = re.compile(r"\d{20}\.checkpoint(\.\d{10}\.\d{10})?\.parquet")
_OTHER: Final = re.compile(r"\d{20}\.checkpoint\.[0-9a-f-]{36}\.(json|parquet)")
_ACTIONS: Final = '^\\{"(txn|metaData|commitInfo)"'
_FEW: Final = 10  # commits that are asked for first
# Seconds for which a look at the log holds: a load asks twenty times before it commits. Who commits looks anew.
_HOLDS: Final = 1.0


@dataclass
class _State:
    """What a log says up to a version."""

    version: int
    metadata: dict[str, Any] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    commits: dict[int, dict[str, Any]] = field(default_factory=dict)
    seen: float = 0.0

    def take(self, version: int, action: dict[str, Any]) -> None:
        if "txn" in action:
            self.units[str(action["txn"]["appId"])] = int(action["txn"]["version"])
        elif "metaData" in action:
            self.metadata = action["metaData"]
        elif "commitInfo" in action:
            self.commits[version] = action["commitInfo"]


_known: Final[WeakKeyDictionary[Any, dict[str, _State]]] = WeakKeyDictionary()


class ConnectLedger(Ledger):
    """The ledger of one Delta table, for a thin client.

    Args:
        spark: a session of Spark Connect.
        path: the table's folder or URI.
    """

    def version(self) -> int | None:
        """The table's version, None where there is no Delta table."""
        state = self._state()
        return state.version if state is not None else None

    def units_of_all(self, version: int | None = None) -> dict[str, int]:
        """Key -> number of every unit of every load."""
        if version is not None:
            raise _needs_java("the ledger's past")
        units = self._there().units
        return {key: number for key, number in units.items() if key.startswith("etl:") and number > FORGOTTEN}

    def files(self, version: int | None = None) -> DataFrame:
        """Not over Spark Connect."""
        raise _needs_java(f"the list of the table's files at {version}")

    def number(self, unit: LoadUnit) -> int | None:
        """The number that the table holds for a unit, None where the unit was never loaded."""
        return held(self._there().units.get(unit.key))

    def pipelines(self) -> set[str]:
        """Names of the pipelines that have loaded the table."""
        state = self._state()
        units = state.units if state is not None else {}
        return {unit.split(":")[1] for unit in units if unit.startswith("etl:")}

    def identity(self) -> tuple[str, int] | None:
        """The id that the table was made with, and its version; None where there is no table."""
        state = self._state()
        return (str(state.metadata["id"]), state.version) if state is not None else None

    def forget(self) -> None:
        """Forget what is known of the log."""
        _known.get(self._spark, {}).pop(self.path, None)

    def look_again(self) -> None:
        """Have the next question look at the log, however short ago the last look was."""
        state = _known.get(self._spark, {}).get(self.path)
        if state is not None:
            state.seen = 0.0

    def properties(self) -> dict[str, str]:
        """The table's properties; none where there is no table."""
        state = self._state()
        return dict(state.metadata.get("configuration") or {}) if state is not None else {}

    def partition_columns(self) -> list[str]:
        """The columns that lay the table out."""
        return list(self._there().metadata.get("partitionColumns") or [])

    def commits(self, limit: int = 100) -> Iterator[Commit]:
        """Those of the last `limit` commits that carry our metadata, newest first."""
        state = self._state()
        if state is None:
            return
        asked = 0
        for version in range(state.version, max(state.version - limit, -1), -1):
            if version not in state.commits and asked <= state.version - version:
                asked = _FEW if not asked else limit
                self._tell(state, range(max(version - asked + 1, 0), version + 1))
            told = state.commits.get(version)
            if told is None:
                return  # cleaned up, and so is all that came before
            if entry := entry_of(told.get("userMetadata")):
                yield Commit(version=version, entry=entry, metrics=told.get("operationMetrics") or {})

    def _there(self) -> _State:
        return self._state() or _State(version=-1)

    @property
    def _folder(self) -> str:
        return f"{self.path.rstrip('/')}/_delta_log"

    def commit_file(self, version: int) -> str:
        """The file of the log that a version is."""
        return f"{self._folder}/{version:020d}.json"

    def _state(self) -> _State | None:
        """What the log says now: only what came since the last look is read."""
        kept = _known.setdefault(self._spark, {})
        before = kept.get(self.path)
        if before is not None and time.monotonic() - before.seen < _HOLDS:
            return before
        found = storage.names(self._spark, self._folder)
        commits = [int(name[:20]) for name in found if _COMMIT.fullmatch(name)]
        if not commits:
            kept.pop(self.path, None)
            return None
        last, state = max(commits), before
        if state is None or state.version > last or set(range(state.version + 1, last + 1)) - set(commits):
            state = self._from_the_last_state(found, last)
        self._read(state, range(state.version + 1, last + 1))
        kept[self.path], state.seen = state, time.monotonic()
        return state

    def _from_the_last_state(self, found: list[str], last: int) -> _State:
        states = [name for name in found if _STATE.fullmatch(name) and int(name[:20]) <= last]
        if states:
            row = storage.lines(self._spark, [f"{self._folder}/{states[-1]}"]).first()
            told = json.loads(row["value"]) if row is not None else {}
            if "setTransactions" in told and "metadata" in told:
                units = {str(item["appId"]): int(item["version"]) for item in told["setTransactions"]}
                return _State(version=int(states[-1][:20]), metadata=told["metadata"], units=units)
        return self._from_the_last_checkpoint(found)

    def _from_the_last_checkpoint(self, found: list[str]) -> _State:
        newest = max((name[:20] for name in found if _CHECKPOINT.fullmatch(name)), default=None)
        if newest is None:
            if any(map(_OTHER.fullmatch, found)):
                raise ConfigError(
                    "the table's checkpoints are of Delta's second form",
                    where=self.path,
                    expected="classic checkpoints (delta.checkpointPolicy), where a thin client loads a table",
                    remedy="use an engine of kind local or spark_submit",
                )
            return _State(version=-1)
        parts = [f"{self._folder}/{name}" for name in found if name.startswith(newest) and _CHECKPOINT.fullmatch(name)]
        rows = self._spark.read.parquet(*parts).where("txn IS NOT NULL OR metaData IS NOT NULL")
        state = _State(version=int(newest))
        for row in rows.selectExpr("to_json(struct(txn, metaData)) AS action").collect():
            state.take(state.version, json.loads(row["action"]))
        return state

    def _read(self, state: _State, versions: range) -> None:
        """Go on to later versions."""
        if versions:
            for version, action in self._actions(versions, _ACTIONS):
                state.take(version, action)
            state.version = versions[-1]

    def _tell(self, state: _State, versions: range) -> None:
        """Learn what older commits say of themselves, as far as they are there."""
        names = set(storage.names(self._spark, self._folder))
        wanted = [version for version in versions if version not in state.commits and f"{version:020d}.json" in names]
        for version, action in self._actions(wanted, '^\\{"commitInfo"'):
            state.take(version, action)

    def _actions(self, versions: range | list[int], like: str) -> list[tuple[int, dict[str, Any]]]:
        paths = [self.commit_file(version) for version in versions]
        if not paths:
            return []
        found = storage.lines(self._spark, paths)
        rows = found.where(found["value"].rlike(like)).collect()
        return sorted(((int(row["name"][:20]), json.loads(row["value"])) for row in rows), key=lambda item: item[0])


def newest(spark: SparkSession, path: str) -> Pinned | None:
    """The newest version of a table, committed when its file of the log was written; None where there is no table.

    Args:
        spark: a session of Spark Connect.
        path: the table's folder or URI.
    """
    ledger = ConnectLedger(spark, path)
    ledger.forget()
    known = ledger.identity()
    if known is None:
        return None
    table, version = known
    (file,) = storage.list_files(spark, ledger.commit_file(version), glob=False)
    return Pinned(version=version, committed=file.mtime, table=table)


def _needs_java(what: str) -> ConfigError:
    return ConfigError(
        f"{what} can't be read over Spark Connect",
        where="engine connect",
        remedy="use an engine of kind local or spark_submit",
    )
