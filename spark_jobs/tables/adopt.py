"""Adopt: a table that somebody else made becomes this pipeline's; its ledger begins, no file or row is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import listed, require
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger, LoadUnit, committing, named_alone
from spark_jobs.load import owners, scope
from spark_jobs.load.delta import Delta
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.load.table import load_unit
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.tables.census import census
from spark_jobs.tables.databases.adopt import DatabaseAdoption
from spark_jobs.tables.databases.held import Held
from spark_jobs.transaction import Transaction
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Say = Callable[[str], None]
_CARRIED = ("_pipeline", "_window_start", "_window_end")


def adopt(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Begin the ledger of the windows that a table holds rows of.

    Options of the order: `windows` (JSON), the windows to look for; `dry_run`, show them only.

    Args:
        spark: the session.
        order: whose plan names the loads.
        say: takes one line of progress.

    Returns:
        `{"state", "loads": {name: {table, strategy, rows, outside, windows, version}}}`. Each window has `start, end,
        key, rows, state`: `adopted`, `loaded` (the ledger has it already) or `empty` (no row: it stays missing).
        `outside` counts rows of no window that was asked for.

    Raises:
        ConfigError: a table isn't there, or can't be loaded as the file says.
    """
    windows = [Window.from_json(item) for item in order.options["windows"]]
    loads = [_adoption(spark, order, name) for name in order.plan.load]
    found = {load.name: load.look(windows) for load in loads}
    for name, told in found.items():
        say(f"adopt {name}: {told['rows']} rows in {told['table']}")
    if order.options.get("dry_run"):
        return {"state": "shown", "loads": found}
    for load in loads:
        load.begin(found[load.name])
        version = found[load.name]["version"]
        say(f"adopt {load.name}: the ledger has begun{'' if version is None else f', in version {version}'}")
    return {"state": "done", "loads": found}


def _adoption(spark: SparkSession, order: Order, name: str) -> _Adoption | DatabaseAdoption:
    destination = order.plan.load[name][1]
    if isinstance(destination, Jdbc):
        connections = order.connections
        held = Held(spark=spark, plan=order.plan, name=name, destination=destination, connections=connections)
        return DatabaseAdoption(held=held)
    return _Adoption(spark=spark, plan=order.plan, name=name, destination=destination)


@dataclass(frozen=True, kw_only=True)
class _Adoption:
    """One load whose table is adopted."""

    spark: SparkSession
    plan: Plan
    name: str
    destination: Delta

    @property
    def ledger(self) -> Ledger:
        """The table's."""
        return Ledger(self.spark, self.destination.path)

    def look(self, windows: list[Window]) -> dict[str, Any]:
        """What the table holds of each window; refused where the pipeline couldn't load it."""
        table = self._mine()
        counted = census(table, self.destination.write, self.plan.id, windows, f"load.{self.name}")
        held = self.ledger.units(self.plan.id, self.name)
        return {
            "table": self.destination.path,
            "strategy": self.destination.write.strategy,
            "rows": counted.rows,
            "outside": counted.outside,
            "windows": [
                _told(window, rows, "loaded" if self._unit(window).key in held else "adopted" if rows else "empty")
                for window, rows in counted.windows.items()
            ],
            "version": self.ledger.version(),
        }

    def begin(self, told: dict[str, Any]) -> None:
        """Let windows count as loaded, with today's configuration; what a run has loaded since the look stays its own.

        Args:
            told: what `look` found; the version and the windows' states become those of the commit.
        """
        windows = {Window.from_json(item): item for item in told["windows"] if item["state"] == "adopted"}
        number = self.plan.attempt.number
        # A snapshot has one unit: the newest window wins.
        entries = {self._unit(window).key: self._unit(window).commit_number(number) for window in sorted(windows)}
        if not entries:
            told["version"] = self.ledger.version()
            return
        (told["version"], loaded), _ = committing(lambda: self._record(entries))
        for window, item in windows.items():
            item["state"] = "loaded" if self._unit(window).key in loaded else "adopted"

    def _record(self, entries: Mapping[str, int]) -> tuple[int | None, set[str]]:
        """The table's version, and the units that were loaded meanwhile: their numbers name what they set aside."""
        self._refuse_others()
        owners.claim(self.spark, self.ledger, self.destination.claim(self.name, self.plan))
        transaction = Transaction(self.spark, self.destination.path)
        loaded = entries.keys() & transaction.units.keys()
        entries = {key: number for key, number in entries.items() if key not in loaded}
        if not entries:
            return self.ledger.version(), loaded
        transaction.record(entries)
        entry = {
            "adopted": len(entries),
            "pipeline": self.plan.id,
            "load": self.name,
            "fingerprint": self.plan.fingerprint,
            "attempt": self.plan.attempt.number,
            "token": self.plan.attempt.token,
            **named_alone(entries),
        }
        return transaction.commit(entry), loaded

    def _unit(self, window: Window) -> LoadUnit:
        return load_unit(self.destination.write, self.plan.id, self.name, window)

    def _refuse_others(self) -> None:
        claims = owners.claims_of(self.ledger.properties())
        mine = self.destination.claim(self.name, self.plan)
        owners.refuse_others(mine, claims, self.ledger.pipelines(), self.destination.path)

    def _mine(self) -> DataFrame:
        """The rows that are this load's, of a table that it could load."""
        if self.ledger.version() is None:
            raise ConfigError(
                "there is no Delta table",
                where=self.destination.path,
                expected="one that holds rows already",
                remedy="nothing need be adopted for a new table: the first run makes it",
            )
        table, where = self.spark.read.format("delta").load(self.destination.path), f"load.{self.name}"
        _refuse_columns(table, self.destination, where)
        _refuse_layout(self.ledger, self.destination, where)
        self._refuse_others()
        inside = self.destination.scope
        return table.where(scope.condition(inside, table.schema, where)) if inside else table


def _told(window: Window, rows: int, state: str) -> dict[str, Any]:
    return window.to_json() | {"key": window.key, "rows": rows, "state": state}


def _refuse_columns(table: DataFrame, destination: Delta, where: str) -> None:
    """See that the table has the columns by which a window's rows are known."""
    columns = table.columns
    if isinstance(destination.write, ReplaceWindow):
        require([destination.write.column], columns, where)
    if isinstance(destination.write, Append) and (missing := [name for name in _CARRIED if name not in columns]):
        raise ConfigError(
            f"the table lacks {listed(missing)}: nothing says to which window a row belongs",
            where=destination.path,
            expected=f"the columns that append writes: {', '.join(_CARRIED)}",
            remedy="load it with replace_window on a date or timestamp column, or add the columns and fill them first",
        )


def _refuse_layout(ledger: Ledger, destination: Delta, where: str) -> None:
    """See that a window could be replaced in the table as it is, and that the ledger would stay."""
    there, properties = ledger.partition_columns(), ledger.properties()
    if list(destination.partition_by) != there:
        raise ConfigError(
            f"the table is partitioned by {listed(there)}, the file says {listed(destination.partition_by)}",
            where=where,
            expected="the same",
            remedy=f"partition_by: [{', '.join(there)}]",
        )
    if properties.get("delta.appendOnly") == "true":
        remedy = "ALTER TABLE … SET TBLPROPERTIES ('delta.appendOnly' = 'false')"
        raise ConfigError("the table is append-only: no window can be replaced", where=destination.path, remedy=remedy)
    if "delta.setTransactionRetentionDuration" in properties:
        raise ConfigError(
            "the table forgets transactions, and the ledger with them",
            where=destination.path,
            remedy="ALTER TABLE … UNSET TBLPROPERTIES ('delta.setTransactionRetentionDuration')",
        )
