"""The ledger: what was loaded, recorded in the same commit as the data.

A Delta commit carries `txn(appId = unit, version = number)`; the token and the fingerprint ride in its metadata. The
metadata goes with log clean-up while transaction versions stay, so the fingerprint's first bits are in the number too.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

from spark_jobs.connect import is_connect
from spark_jobs.session import Storage
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")

FORGOTTEN: Final = -1
"""The number of a unit that a restore has taken back: a transaction's number can be written anew, never removed."""

# number = milliseconds since 1970 (43 bits: until 2248) . first 20 bits of the fingerprint
_FINGERPRINT_BITS: Final = 20
_AMENDING: Final = 100  # milliseconds behind an attempt that are those which add to it; no run begins so soon after it
# snapshot's number = window end in minutes since 1970 (31 bits) . seconds since 2020 (32 bits: until 2156)
_SNAPSHOT_BITS: Final = 32
_SNAPSHOT_EPOCH: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, kw_only=True)
class LoadUnit:
    """What is written: (pipeline, destination, window in UTC), or one unit for a destination that is a snapshot."""

    pipeline: str
    destination: str
    window: Window
    snapshot: bool = False

    @property
    def key(self) -> str:
        """The unit's name in the table's log."""
        span = "snapshot" if self.snapshot else f"{iso(self.window.start)}/{iso(self.window.end)}"
        return f"etl:{self.pipeline}:{self.destination}:{span}"

    def commit_number(self, attempt: int) -> int:
        """The number that the commit carries: the attempt's, behind the window's end for a snapshot."""
        if not self.snapshot:
            return attempt
        seconds = (attempt >> _FINGERPRINT_BITS) // 1000 - _SNAPSHOT_EPOCH
        return (int(self.window.end.timestamp()) // 60 << _SNAPSHOT_BITS) | max(seconds, 0)

    def snapshot_end(self, number: int) -> datetime:
        """The end, to the minute, of the window that a snapshot's commit number stands for."""
        return datetime.fromtimestamp((number >> _SNAPSHOT_BITS) * 60, UTC)

    def last_attempt(self, number: int) -> int:
        """The attempt's number in a commit's number, as far as this window's next attempt must exceed it."""
        if not self.snapshot:
            return number
        minutes, seconds = number >> _SNAPSHOT_BITS, number & ((1 << _SNAPSHOT_BITS) - 1)
        if minutes != int(self.window.end.timestamp()) // 60:
            return 0  # a newer window supersedes whatever number we take, an older one never does
        return ((seconds + _SNAPSHOT_EPOCH) * 1000 + 999) << _FINGERPRINT_BITS


def attempt_number(fingerprint: str, last: int | None = None, now: float | None = None) -> int:
    """The number of a new attempt: larger than `last` and, clocks permitting, than every number before it.

    Args:
        fingerprint: hex digest.
        last: the attempt's number that the ledger holds for the unit, None where there is none.
        now: seconds since 1970; the wall clock by default.
    """
    milliseconds = int((time.time() if now is None else now) * 1000)
    if last is not None:
        milliseconds = max(milliseconds, (last >> _FINGERPRINT_BITS) + 1)
    return (milliseconds << _FINGERPRINT_BITS) | fingerprint_bits(fingerprint)


def amending_number(number: int, begun: Iterable[int] = ()) -> int:
    """The number of an attempt that adds rows to another one: right behind that, and before any run that comes later.

    Its last bits are no fingerprint's: two configurations have made the window's rows. So no two of them are alike.

    Args:
        number: the other attempt's.
        begun: the attempts of the window that are known; those that added to the same one, and died, count less.
    """
    base = number >> _FINGERPRINT_BITS
    later = (other >> _FINGERPRINT_BITS for other in begun)
    last = max((other for other in later if base < other < base + _AMENDING), default=base)
    return ((last + 1) << _FINGERPRINT_BITS) | secrets.randbits(_FINGERPRINT_BITS)


def first_after(number: int) -> int:
    """The number up to which, without it, all attempts behind another one add to that."""
    return ((number >> _FINGERPRINT_BITS) + _AMENDING) << _FINGERPRINT_BITS


def held(number: int | None) -> int | None:
    """A unit's number as it stands in a log; None where a restore has taken it back."""
    return None if number is None or number <= FORGOTTEN else number


def attempt_time(number: int) -> datetime:
    """When an attempt was submitted, as its number says: to the millisecond, UTC."""
    return datetime.fromtimestamp((number >> _FINGERPRINT_BITS) / 1000, UTC)


def fingerprint_bits(fingerprint: str) -> int:
    """The fingerprint's first 20 bits."""
    return int(fingerprint[:5], 16)


def same_configuration(number: int, fingerprint: str) -> bool:
    """Whether a number that is no snapshot's was taken with this fingerprint (a chance of one in a million is left)."""
    return number & ((1 << _FINGERPRINT_BITS) - 1) == fingerprint_bits(fingerprint)


_SHORT: Final = 16  # hex digits


def short(text: str) -> str:
    """A token, as ledgers hold it that have no room."""
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]


@dataclass(frozen=True, kw_only=True)
class Commit:
    """One commit of the table that carries our metadata.

    Args:
        version: the table's version.
        entry: `unit`, `number`, `token`, `fingerprint`, `pipeline`, `window`; where a window's rows are replaced
            `since`, the attempt that read them, and with lookback `reach`;
            `deleted`, the rows that it took away, where the table's log may not say.
        metrics: what the table's log says of the rows.
    """

    version: int
    entry: Mapping[str, Any]
    metrics: Mapping[str, str]

    def by(self, token: str) -> bool:
        """Whether the attempt of a token made it; a ledger may hold tokens shortened."""
        return self.entry.get("token") in {token, short(token)}

    def of_run(self, run: str) -> bool:
        """Whether an attempt of a run made it."""
        return self.entry.get("run") in {run, short(run)}


class Ledger:
    """The ledger of one Delta table.

    Args:
        spark: a classic session with Delta.
        path: the table's folder or URI.
    """

    def __new__(cls, spark: SparkSession, path: str) -> Self:
        """One that asks the JVM, or over Spark Connect one that reads the log."""
        del path
        if cls is Ledger and is_connect(spark):
            from spark_jobs.connect.ledger import ConnectLedger

            return cast("Self", super().__new__(ConnectLedger))
        return super().__new__(cls)

    def __init__(self, spark: SparkSession, path: str) -> None:
        self._spark, self.path = spark, path

    @property
    def _snapshot(self) -> Any:
        jvm: Any = self._spark._jvm
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self._spark._jsparkSession, self.path)
        nothing = jvm.scala.Option.empty()
        return log.update(False, nothing, nothing)

    def version(self) -> int | None:
        """The table's version, None where there is no Delta table."""
        version = int(self._snapshot.version())
        return version if version >= 0 else None

    def units(self, pipeline: str, destination: str) -> dict[str, int]:
        """Key -> number of every unit of one load of a pipeline."""
        prefix = f"etl:{pipeline}:{destination}:"
        return {key: number for key, number in self.units_of_all().items() if key.startswith(prefix)}

    def units_of_all(self, version: int | None = None) -> dict[str, int]:
        """Key -> number of every unit of every load, at a version; None for the newest."""
        jvm: Any = self._spark._jvm
        found = jvm.scala.jdk.javaapi.CollectionConverters.asJava(self._at(version).transactions())
        return {str(key): int(found[key]) for key in found if key.startswith("etl:") and int(found[key]) > FORGOTTEN}

    def files(self, version: int | None = None) -> DataFrame:
        """The table's files at a version, None for the newest: path, partitionValues, size, stats (JSON) and more."""
        from pyspark.sql import DataFrame as Frame

        return Frame(self._at(version).allFiles().toDF(), self._spark)

    def _at(self, version: int | None) -> Any:
        if version is None:
            return self._snapshot
        jvm: Any = self._spark._jvm
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self._spark._jsparkSession, self.path)
        nothing = jvm.scala.Option.empty()
        return log.getSnapshotAt(version, nothing, nothing, False)

    def number(self, unit: LoadUnit) -> int | None:
        """The number that the table holds for a unit, None where the unit was never loaded."""
        found = self._snapshot.transactions().get(unit.key)
        return held(int(found.get()) if found.isDefined() else None)

    def pipelines(self) -> set[str]:
        """Names of the pipelines that have loaded the table."""
        if self.version() is None:
            return set()
        jvm: Any = self._spark._jvm
        units = jvm.scala.jdk.javaapi.CollectionConverters.asJava(self._snapshot.transactions()).keySet()
        return {unit.split(":")[1] for unit in units if unit.startswith("etl:")}

    def identity(self) -> tuple[str, int] | None:
        """The id that the table was made with, and its version, looked at anew; None where there is no table.

        No two tables have one id, though one came to the folder after the other.
        """
        self.forget()
        snapshot = self._snapshot
        version = int(snapshot.version())
        return (str(snapshot.metadata().id()), version) if version >= 0 else None

    def forget(self) -> None:
        """Let Spark forget the table, whose folder somebody removes."""
        jvm: Any = self._spark._jvm
        path = jvm.org.apache.hadoop.fs.Path(self.path)
        jvm.org.apache.spark.sql.delta.DeltaLog.invalidateCache(self._spark._jsparkSession, path)

    def look_again(self) -> None:
        """Have the next question look at the log: this one always does."""

    def properties(self) -> dict[str, str]:
        """The table's properties; none where there is no table."""
        if self.version() is None:
            return {}
        jvm: Any = self._spark._jvm
        found = jvm.scala.jdk.javaapi.CollectionConverters.asJava(self._snapshot.metadata().configuration())
        return {str(key): str(found[key]) for key in found}

    def partition_columns(self) -> list[str]:
        """The columns that lay the table out."""
        jvm: Any = self._spark._jvm
        return [
            str(name)
            for name in jvm.scala.jdk.javaapi.CollectionConverters.asJava(self._snapshot.metadata().partitionColumns())
        ]

    def find(self, unit: LoadUnit, limit: int = 100) -> Commit | None:
        """The newest of the last `limit` commits of a unit.

        A miss is harmless: the caller then commits once more, and every strategy replaces what it wrote before.
        """
        return next((commit for commit in self.commits(limit) if commit.entry.get("unit") == unit.key), None)

    def commits(self, limit: int = 100) -> Iterator[Commit]:
        """Those of the last `limit` commits that carry our metadata, newest first.

        Each stands in the first line of its log file: reading that is a tenth of what asking for the history costs,
        which is a Spark job. (Delta's protocol lets `commitInfo` stand anywhere, its writers put it first.)
        """
        newest = self.version()
        storage = Storage(self._spark, self.path)
        for version in range(newest, max(newest - limit, -1), -1) if newest is not None else ():
            line = storage.first_line(f"{self.path.rstrip('/')}/_delta_log/{version:020d}.json")
            if line is None:
                return  # cleaned up, and so is all that came before
            told = json.loads(line or "{}").get("commitInfo", {})
            if entry := entry_of(told.get("userMetadata")):
                yield Commit(version=version, entry=entry, metrics=told.get("operationMetrics") or {})

    def entries(self, limit: int = 1000) -> dict[str, Mapping[str, Any]]:
        """Unit -> the entry of its newest commit, of the last `limit` commits."""
        found: dict[str, Mapping[str, Any]] = {}
        for commit in self.commits(limit):
            if "unit" in commit.entry:
                found.setdefault(str(commit.entry["unit"]), commit.entry)
        return found


def named_alone(entries: Collection[str]) -> dict[str, str]:
    """What the entry of a commit of several units says of their names: one alone is named, so that `find` finds it.

    A snapshot's number has no room for the fingerprint: whoever asks for it must find the entry.
    """
    return {"unit": next(iter(entries))} if len(entries) == 1 else {}


def owing(commits: Iterable[Commit], prefix: str) -> list[str]:
    """Units by key whose commit others came before since it looked, and that nobody has put right since.

    Args:
        commits: newest first.
        prefix: of the units that are asked for.
    """
    settled, found = set[str](), dict[str, None]()
    for commit in commits:
        unit = str(commit.entry.get("settled") or commit.entry.get("unit", ""))
        if not unit.startswith(prefix) or "look" not in commit.entry:
            continue
        if "settled" in commit.entry:
            settled |= set() if owes(commit) else {unit}
        elif owes(commit) and unit not in settled:
            found[unit] = None
    return list(found)


def owes(commit: Commit) -> bool:
    """Whether somebody committed between a commit's look at the table and the commit itself."""
    return commit.version != int(commit.entry.get("look", commit.version - 1)) + 1


def entry_of(metadata: str | None) -> Mapping[str, Any]:
    """Our entry in a commit's metadata; empty where somebody else wrote the commit."""
    try:
        entry = json.loads(metadata or "{}")
    except ValueError:
        return {}
    found = entry.get("etl") if isinstance(entry, dict) else None
    return found if isinstance(found, dict) else {}


def last_version(spark: SparkSession, path: str) -> int | None:
    """The version of the Delta table at a path, None where there is none."""
    return Ledger(spark, path).version()


_CONFLICTS: Final = (
    "DELTA_CONCURRENT",
    "DELTA_MAX_COMMIT_RETRIES_EXCEEDED",
    "DELTA_METADATA_CHANGED",
    "DELTA_PROTOCOL_CHANGED",
    "DELTA_SCHEMA_CHANGED_SINCE_ANALYSIS",
    "ConcurrentModification",
    "CommitFailedException",
    "Invalid snapshot with sequence number",  # what a REST catalog says of a commit that another one overtook
)
_TRIES: Final = 12


def conflicts(error: Exception) -> bool:
    """Whether another writer got in between, so that the same commit may be tried again from what is staged."""
    text = f"{type(error).__name__} {error}"
    return any(mark in text for mark in _CONFLICTS)


def committing(commit: Callable[[], T]) -> tuple[T, int]:
    """Run a commit; where another window's commit got in between, again with backoff and jitter.

    Args:
        commit: looks at the ledger and commits; it is called anew for each try.

    Returns:
        What `commit` returned, and the number of tries.
    """
    for tried in range(1, _TRIES):
        try:
            return commit(), tried
        except Exception as error:
            if not conflicts(error):
                raise
            time.sleep(random.uniform(0, min(0.25 * 2**tried, 10)))  # noqa: S311 - jitter, not a secret
    return commit(), _TRIES
