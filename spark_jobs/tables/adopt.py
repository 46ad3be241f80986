"""Adopt: a Delta table that somebody else made becomes this pipeline's; its ledger begins, no file is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import listed, require
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger, committing
from spark_jobs.load import owners, scope
from spark_jobs.load.delta import Delta, load_unit
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.tables.census import census
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
    plan, windows = order.plan, [Window.from_json(item) for item in order.options["windows"]]
    found = {}
    for name, (_, destination) in plan.load.items():
        found[name] = _look(spark, name, destination, plan, windows)
        say(f"adopt {name}: {found[name]['rows']} rows in {destination.path}")
    if order.options.get("dry_run"):
        return {"state": "shown", "loads": found}
    for name, (_, destination) in plan.load.items():
        found[name]["version"] = _begin(spark, name, destination, plan, found[name]["windows"])
        say(
            f"adopt {name}: version {found[name]['version']}, {_count(found[name])} windows count as loaded from now on"
        )
    return {"state": "done", "loads": found}


def _count(load: Mapping[str, Any]) -> int:
    return sum(window["state"] != "empty" for window in load["windows"])


def _look(spark: SparkSession, name: str, destination: Delta, plan: Plan, windows: list[Window]) -> dict[str, Any]:
    """What the table holds of each window; refused where the pipeline couldn't load it."""
    ledger = Ledger(spark, destination.path)
    if ledger.version() is None:
        raise ConfigError(
            "there is no Delta table",
            where=destination.path,
            expected="one that holds rows already",
            remedy="nothing need be adopted for a new table: the first run makes it",
        )
    table = spark.read.format("delta").load(destination.path)
    where = f"load.{name}"
    _refuse_layout(ledger, table, destination, where)
    claims = owners.claims_of(ledger.properties())
    owners.refuse_others(destination.claim(name, plan), claims, ledger.pipelines(), destination.path)
    if destination.scope:
        table = table.where(scope.condition(destination.scope, table.schema, where))
    counted = census(table, destination.write, plan.id, windows, where)
    held = ledger.units(plan.id, name)

    def state(window: Window, rows: int) -> str:
        if load_unit(destination.write, plan.id, name, window).key in held:
            return "loaded"
        return "adopted" if rows else "empty"

    return {
        "table": destination.path,
        "strategy": destination.write.strategy,
        "rows": counted.rows,
        "outside": counted.outside,
        "windows": [_told(window, rows, state(window, rows)) for window, rows in counted.windows.items()],
        "version": ledger.version(),
    }


def _told(window: Window, rows: int, state: str) -> dict[str, Any]:
    return window.to_json() | {"key": window.key, "rows": rows, "state": state}


def _refuse_layout(ledger: Ledger, table: DataFrame, destination: Delta, where: str) -> None:
    """See that a window could be loaded into the table as it is."""
    columns, properties = table.columns, ledger.properties()
    if isinstance(destination.write, ReplaceWindow):
        require([destination.write.column], columns, where)
    if isinstance(destination.write, Append) and (missing := [name for name in _CARRIED if name not in columns]):
        raise ConfigError(
            f"the table lacks {listed(missing)}: nothing says to which window a row belongs",
            where=destination.path,
            expected=f"the columns that append writes: {', '.join(_CARRIED)}",
            remedy="load it with replace_window on a date or timestamp column, or add the columns and fill them first",
        )
    if list(destination.partition_by) != ledger.partition_columns():
        there = ledger.partition_columns()
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


def _begin(spark: SparkSession, name: str, destination: Delta, plan: Plan, windows: list[dict[str, Any]]) -> int | None:
    """Record the windows that have rows: they count as loaded, with today's configuration."""
    ledger = Ledger(spark, destination.path)
    adopted = [Window.from_json(window) for window in windows if window["state"] == "adopted"]
    units = [load_unit(destination.write, plan.id, name, window) for window in adopted]
    # A snapshot has one unit: the newest window wins.
    entries: dict[str, int] = {}
    for unit in units:
        entries[unit.key] = max(unit.commit_number(plan.attempt.number), entries.get(unit.key, 0))
    if not entries:
        return ledger.version()
    entry = {
        "adopted": len(entries),
        "pipeline": plan.id,
        "load": name,
        "fingerprint": plan.fingerprint,
        "attempt": plan.attempt.number,
        "token": plan.attempt.token,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if len(entries) == 1:  # a snapshot's number has no room for the fingerprint: the entry must be found by its unit
        entry["unit"] = next(iter(entries))
    claim = destination.claim(name, plan)

    def begin() -> int:
        owners.refuse_others(claim, owners.claims_of(ledger.properties()), ledger.pipelines(), destination.path)
        owners.claim(spark, ledger, claim)
        transaction = Transaction(spark, destination.path)
        transaction.record(entries)
        return transaction.commit(entry)

    return committing(begin)[0]
