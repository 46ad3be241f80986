"""Upkeep of Delta tables: small files put together, old versions' files removed, history, restore.

A load that commits meanwhile loses nothing: Delta lets one of the two look again, the load from what is staged, the
upkeep from the table. Side tables (`_etl_…`) stand in the table's folder, where VACUUM doesn't look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.ledger import Ledger, committing, entry_of
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.side import SIDES
from spark_jobs.load.strategies import text
from spark_jobs.session import Storage
from spark_jobs.transaction import Transaction
from spark_jobs.upkeep.base import Subject, advice
from spark_jobs.upkeep.options import Maintenance
from spark_jobs.upkeep.statistics import statistics_of
from spark_jobs.vacuum import vacuum, would_go
from spark_jobs.window import iso

if TYPE_CHECKING:
    from delta import DeltaTable

_MIB: Final = 1 << 20
_CONF: Final = {
    "spark.sql.runSQLOnFiles": "true",  # ALTER TABLE knows a table by its path; no query of a pipeline file runs here
    "spark.databricks.delta.vacuum.logging.enabled": "true",  # how many files went stands in the history alone
}
_METADATA: Final = "spark.databricks.delta.commitInfo.userMetadata"
_OPTIMIZED: Final = {"numFilesAdded": "files_added", "numFilesRemoved": "files_removed"}


class DeltaUpkeep:
    """The upkeep of one Delta table.

    Args:
        subject: the table.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject, self.spark, self.path = subject, subject.spark, subject.destination.path
        for key, value in _CONF.items():
            self.spark.conf.set(key, value)
        self.spark.conf.set(_METADATA, json.dumps({"etl": {"upkeep": subject.plan.id}}))
        self.ledger = Ledger(self.spark, self.path)

    def maintain(self, *, dry: bool) -> Mapping[str, Any]:
        """Do what the block says, or tell what would be done; see `Upkeep`."""
        block: Maintenance = self.subject.destination.maintenance or Maintenance()
        if self.ledger.version() is None:
            return {"state": "absent", "actions": [], "advice": []}
        before = self._size()
        steps = self._shown(block) if dry else self._done(block)
        told = {"before": before, "actions": list(steps), "advice": self._advice(before)}
        return {"state": "shown", **told} if dry else {"state": "done", "after": self._size(), **told}

    def history(self, limit: int) -> list[Mapping[str, Any]]:
        """The last versions; see `Upkeep`."""
        return [_version(row.asDict()) for row in self._table.history(limit).collect()]

    def restore(self, version: int, *, dry: bool) -> Mapping[str, Any]:
        """Make the table again what it was at a version; see `Upkeep`.

        Delta's RESTORE leaves the transactions' numbers as they are. So first the ledger forgets what was loaded since,
        then the rows go: whoever dies between the two has windows that are missing, and none that only seem loaded.
        """
        self._refuse_restore(version)
        self._refuse_gone(version)
        at = self._units_at(version)
        changed = [unit for unit, number in self.ledger.units_of_all().items() if at.get(unit) != number]
        if dry:
            return {"state": "shown", "windows": sorted(changed)}
        committing(lambda: self._forget(changed))
        before = self.ledger.version()
        self._restored(version)
        # Those that were committed between the two have lost their rows too.
        made = self._version_of_restore(before)
        since = {unit for unit, number in self._units_at(made).items() if at.get(unit) != number}
        if since:
            committing(lambda: self._forget(sorted(since), made))
        return {"state": "done", "version": made, "windows": sorted({*changed, *since})}

    # -- maintain -------------------------------------------------------------------------------------------------

    def _done(self, block: Maintenance) -> Iterator[Mapping[str, Any]]:
        if properties := self._properties(block):
            said = ", ".join(f"{text(key)} = {text(value)}" for key, value in properties.items())
            committing(lambda: self.spark.sql(f"ALTER TABLE {self._named} SET TBLPROPERTIES ({said})"))
            yield {"action": "properties", **properties}
        if block.optimize or block.zorder:
            yield self._optimize(block)
        if block.vacuum is not None:
            yield self._vacuum(block.vacuum.retain)

    def _shown(self, block: Maintenance) -> Iterator[Mapping[str, Any]]:
        """What would be done."""
        if properties := self._properties(block):
            yield {"action": "properties", **properties}
        if block.optimize or block.zorder:
            small = self._files().where(f"size < {block.target_mb * _MIB}").groupBy("partitionValues").count()
            found = small.where("count > 1").agg({"count": "sum"}).collect()[0][0]
            order = {"zorder": list(block.zorder)} if block.zorder else {}
            yield {"action": "optimize", "small_files": int(found or 0), **order}
        if block.vacuum is not None:
            hours = _hours(block.vacuum.retain)
            yield {"action": "vacuum", "files_removed": would_go(self.spark, self._named, **hours), **hours}

    def _properties(self, block: Maintenance) -> dict[str, str]:
        """Properties of the table that the block wants otherwise."""
        wanted = {}
        if block.vacuum is not None and block.vacuum.retain is not None:
            wanted["delta.deletedFileRetentionDuration"] = _interval(block.vacuum.retain)
        if block.log is not None:
            wanted["delta.logRetentionDuration"] = _interval(block.log)
        if block.statistics:
            inside, table = self.ledger.partition_columns(), self._table.toDF().schema
            wanted["delta.dataSkippingStatsColumns"] = statistics_of(self.subject, table, inside)
        held = self.ledger.properties()
        return {key: value for key, value in wanted.items() if held.get(key) != value}

    def _optimize(self, block: Maintenance) -> Mapping[str, Any]:
        size = block.target_mb * _MIB
        self.spark.conf.set("spark.databricks.delta.optimize.maxFileSize", str(size))
        self.spark.conf.set("spark.databricks.delta.optimize.minFileSize", str(size))
        order = {"zorder": list(block.zorder)} if block.zorder else {}
        if block.zorder and (version := self._ordered_at(block.zorder)) is not None:
            return {"action": "optimize", "files_added": 0, "files_removed": 0, "unchanged_since": version, **order}

        def optimize() -> Any:
            made = self._table.optimize()
            done = made.executeZOrderBy(*block.zorder) if block.zorder else made.executeCompaction()
            return done.select("metrics.*").first()

        metrics, tries = committing(optimize)
        told = {name: int(metrics[key]) for key, name in _OPTIMIZED.items()}
        added, removed = (int(metrics[key]["totalSize"] or 0) for key in ("filesAdded", "filesRemoved"))
        return {"action": "optimize", **told, "bytes_added": added, "bytes_removed": removed, "tries": tries, **order}

    def _ordered_at(self, columns: tuple[str, ...]) -> int | None:
        """The version of the last OPTIMIZE by these columns, where no row has come or gone since; else None."""
        for row in self._table.history(100).collect():
            found, told = row["operation"], row["operationParameters"] or {}
            if found == "OPTIMIZE":
                return int(row["version"]) if json.loads(told.get("zOrderBy") or "[]") == list(columns) else None
            if not found.startswith(("VACUUM", "SET TBLPROPERTIES")):
                return None
        return None

    def _vacuum(self, retain: timedelta | None) -> Mapping[str, Any]:
        hours = _hours(retain)
        vacuum(self.spark, self.path, **hours)
        for row in self._table.history(10).collect():
            if row["operation"] == "VACUUM END":
                gone = int((row["operationMetrics"] or {}).get("numDeletedFiles", 0))
                return {"action": "vacuum", "files_removed": gone, **hours}
        return {"action": "vacuum", **hours}

    def _size(self) -> dict[str, int]:
        found = self._files().selectExpr(
            "count(*) AS files",
            "coalesce(sum(size), 0) AS bytes",
            "coalesce(sum(CAST(get_json_object(stats, '$.numRecords') AS BIGINT)), 0) AS rows",
        )
        return {name: int(value) for name, value in found.collect()[0].asDict().items()}

    def _advice(self, size: Mapping[str, int]) -> list[str]:
        parts = self._files().select("partitionValues").distinct().count()
        return advice(size["rows"], size["bytes"], parts, tuple(self.ledger.partition_columns()))

    def _files(self) -> Any:
        """The table's files: path, partitionValues (as text: maps can't be grouped by), size, stats."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return self.ledger.files().withColumn("partitionValues", F.to_json("partitionValues"))

    # -- restore --------------------------------------------------------------------------------------------------

    def _refuse_restore(self, version: int) -> None:
        newest = self.ledger.version()
        if newest is None or not 0 <= version <= newest:
            told = "there is no Delta table" if newest is None else f"version {version}, the newest is {newest}"
            raise ConfigError(told, where=self.path, remedy="airflow-etl history tells the versions")
        storage = Storage(self.spark, self.path)
        keyed = isinstance(self.subject.destination.write, Keyed)
        if keyed or any(storage.exists(f"{self.path.rstrip('/')}/{name}") for name in SIDES):
            raise ConfigError(
                "a table by key is a function of all events delivered, which stand beside it too: restored alone, the "
                "two would disagree",
                where=self.path,
                expected="a load by replace_window, append or snapshot",
                remedy="airflow-etl refresh loads windows anew beside the table and swaps them in",
            )

    def _refuse_gone(self, version: int) -> None:
        """See that the version's files are still there, as far as a thousand of them tell."""
        from urllib.parse import unquote

        older = self.ledger.files(version).join(self.ledger.files(), "path", "left_anti").select("path").limit(1000)
        storage = Storage(self.spark, self.path)
        for row in older.collect():
            path = unquote(row["path"])
            if not storage.exists(path if "://" in path else f"{self.path.rstrip('/')}/{path}"):
                raise self._gone(version)

    def _gone(self, version: int) -> DataError:
        return DataError(
            f"files of version {version} are gone: VACUUM has removed them",
            where=self.path,
            expected="a version that is younger than vacuum.retain",
            remedy="the rows stay as they are; run windows again from their sources instead",
        )

    def _units_at(self, version: int) -> dict[str, int]:
        from py4j.protocol import Py4JJavaError

        try:
            return self.ledger.units_of_all(version)
        except Py4JJavaError as error:
            raise DataError(
                f"version {version} can't be read any more: the log was cleaned up",
                where=self.path,
                remedy="airflow-etl history tells the versions; the window can be run again from its source",
            ) from error

    def _forget(self, units: list[str], only_at: int | None = None) -> None:
        """Commit that units are held no more; with `only_at` those alone that nobody has loaded since that version."""
        transaction = Transaction(self.spark, self.path)
        held = transaction.units
        then = self.ledger.units_of_all(only_at) if only_at is not None else held
        chosen = [unit for unit in units if unit in held and held[unit] == then.get(unit)]
        if chosen:
            transaction.forget(chosen)
            transaction.commit({"restore": self.subject.plan.id, "forgotten": len(chosen)})

    def _restored(self, version: int) -> None:
        from py4j.protocol import Py4JJavaError

        try:
            committing(lambda: self._table.restoreToVersion(version))
        except Py4JJavaError as error:
            if "RESTORE_MISSING_DATA_FILES" not in str(error) and "FileNotFound" not in str(error):
                raise
            raise self._gone(version) from error

    def _version_of_restore(self, before: int | None) -> int:
        for row in self._table.history().collect():
            if row["operation"] == "RESTORE":
                return int(row["version"])
            if before is not None and row["version"] <= before:
                break
        return self.ledger.version() or 0  # RESTORE commits nothing where nothing differs

    @property
    def _table(self) -> DeltaTable:
        from delta import DeltaTable

        return DeltaTable.forPath(self.spark, self.path)

    @property
    def _named(self) -> str:
        escaped = self.path.replace("`", "``")
        return f"delta.`{escaped}`"


def _hours(retain: timedelta | None) -> dict[str, float]:
    """As the report has it; empty where the table's own retention counts."""
    return {"hours": retain / timedelta(hours=1)} if retain is not None else {}


def _interval(length: timedelta) -> str:
    return f"interval {round(length / timedelta(seconds=1))} seconds"


def _version(row: Mapping[str, Any]) -> dict[str, Any]:
    entry, metrics = entry_of(row.get("userMetadata")), row.get("operationMetrics") or {}
    window = entry.get("window") or {}
    return {
        "version": int(row["version"]),
        "at": iso(row["timestamp"].astimezone(UTC)),  # PySpark gives local times
        "operation": row["operation"],
        "window": f"{window['start']}/{window['end']}" if window else None,
        "pipeline": entry.get("pipeline"),
        "run": entry.get("run"),
        "attempt": entry.get("attempt"),
        "inserted": _number(metrics, "numOutputRows", "numTargetRowsInserted"),
        "deleted": _number(metrics, "numDeletedRows", "numTargetRowsDeleted"),
    }


def _number(metrics: Mapping[str, str], *names: str) -> int | None:
    return next((int(metrics[name]) for name in names if name in metrics), None)
