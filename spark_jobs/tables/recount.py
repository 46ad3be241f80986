"""Audit: windows are computed once more from their sources, and held against what tables and quarantine have.

Nothing is published. What is recounted goes the way of a run up to its load, with the file as it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.aside import COUNTED
from spark_jobs.failures import classify
from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger
from spark_jobs.load import scope
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.delta import Delta
from spark_jobs.load.files import Files
from spark_jobs.load.filesets.catalog import Catalog
from spark_jobs.load.filesets.layout import read
from spark_jobs.load.iceberg import Iceberg
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.strategies import Append, ReplaceWindow, instant, text
from spark_jobs.lookback import reach_of
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.quarantine import Quarantine, of_window
from spark_jobs.report import Report
from spark_jobs.session import Storage
from spark_jobs.tables.databases.counting import counted as in_database
from spark_jobs.tables.databases.held import Held
from spark_jobs.verbs import Run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Say = Callable[[str], None]
_VERBS: Final = ("extract", "transform", "check")
_NAMES: Final = ("filtered", "deduplicated")


def audit(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Recount windows.

    Options of the order: `windows`, for each plan {`attempts`: those whose rows in quarantine count; `loads`: name ->
    {`held`: whether the ledger has the window, `same`: whether by this configuration, `instead`: why its rows aren't
    to be counted though nothing is wrong, in words, or empty}}.

    Args:
        spark: the session.
        order: with a plan for each window.
        say: takes one line of progress.

    Returns:
        `{"state": "done", "windows": [{window, read, filtered, deduplicated, refused, aside: state -> rows, loads: name
        -> {strategy, expected, found, counted, verdict}, verdict, balances, error}]}`; `counted` is `table`, `ledger`
        or `none`; `balances` is None where there is nothing to hold it against.
    """
    windows = []
    for plan, held in zip(order.plans, order.options["windows"], strict=True):
        windows.append(_audited(spark, replace(order, plans=(plan,)), held, say))
        say(f"audit {plan.window.key}: {windows[-1]['verdict']}")
    return {"state": "done", "windows": windows}


def _audited(spark: SparkSession, order: Order, held: Mapping[str, Any], say: Say) -> dict[str, Any]:
    told = {"window": order.plan.window.to_json() | {"key": order.plan.window.key}, "error": None}
    try:
        return told | _counts(spark.newSession(), order, held)
    except Exception as error:  # noqa: BLE001 - whatever happened becomes the window's error
        known = classify(error, "audit")
        say(f"audit {order.plan.window.key}: error[{known.kind}]: {known}")
        there = any(load["held"] for load in held["loads"].values())
        verdict = f"can't be recounted: {known}"
        balances = False if there else None  # nothing is to be there
        return told | {
            "aside": {},
            "loads": {},
            "verdict": verdict if there else f"not loaded; {verdict}",
            "balances": balances,
            "error": known.to_json(),
        }


def _counts(spark: SparkSession, order: Order, held: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a window, and what is to be said of them."""
    plan = order.plan
    report, refused, expected = _recounted(spark, order)
    aside = _aside(spark, plan, held["attempts"])
    loads = {name: _load(spark, order, name, rows, held["loads"][name]) for name, rows in expected.items()}
    counts = report.datasets.values()
    told = {name: sum(getattr(count, name) for count in counts) for name in _NAMES}
    told |= {"read": sum(report.datasets[name].read for name in plan.extract), "refused": refused}
    told |= {"aside": aside, "loads": loads}
    return told | _verdict(loads, refused, sum(aside.values()), held["loads"])


def _recounted(spark: SparkSession, order: Order) -> tuple[Report, int, dict[str, int]]:
    """The report of the window, the rows that are refused, and how many each load would publish."""
    plan = _unseen(order.plan)
    run = Run(spark, plan, Report.begun(plan), lambda _: None, sweep=False, connections=order.connections)
    try:
        run.execute()
        expected = {name: rows for name, (_, rows) in run.accepted().items()}
        return run.report, sum(staged.rows for staged in run.accounts.refused()), expected
    finally:
        Storage(spark, plan.staging).delete(run.staging.run_folder)


def _unseen(plan: Plan) -> Plan:
    """The plan up to its load, whatever is set aside; what is kept of the window's checks, its Data Docs too, stays."""
    return replace(plan, verbs=_VERBS, results=False, data_docs="", set_aside={})


def _aside(spark: SparkSession, plan: Plan, attempts: list[int]) -> dict[str, int]:
    """State -> rows of the window in quarantine that are in no table."""
    table = Quarantine(folder=plan.quarantine, pipeline=plan.id)
    if not attempts or Ledger(spark, table.path).version() is None:
        return {}
    named = f"{of_window(plan.window)} AND attempt IN ({', '.join(str(int(number)) for number in attempts)})"
    rows = table.rows(spark).where(named)
    counted = rows.where(rows["state"].isin(*COUNTED)).groupBy("state").count().collect()
    return {row["state"]: int(row["count"]) for row in counted}


def _load(spark: SparkSession, order: Order, name: str, expected: int, held: Mapping[str, Any]) -> dict[str, Any]:
    """What a load should have of the window, and has."""
    plan = order.plan
    dataset, kind = plan.load[name]
    counted, found = "none", None
    context = Context(spark=spark, plan=plan, where=f"load.{name}", dataset=dataset, connections=order.connections)
    if held["held"] and isinstance(kind.write, Keyed) and isinstance(kind, Delta | Iceberg):
        # No row says which window brought it.
        unit = kind.unit(name, plan)
        delta = Ledger(spark, kind.path).find(unit, 1000) if isinstance(kind, Delta) else None
        commit = delta if isinstance(kind, Delta) else kind.lake(context).ledger.find(unit)
        counted, found = "ledger", int(commit.entry["staged"]) if commit and "staged" in commit.entry else None
    elif held["held"] and isinstance(kind, Jdbc):
        table = Held(spark=spark, plan=plan, name=name, destination=kind, connections=order.connections)
        counted, found = in_database(table)
    elif held["held"] and (rows := _rows(kind, context)) is not None:
        counted, found = "table", _in_table(rows, kind, context)
    return {"strategy": kind.write.strategy, "expected": expected, "found": found, "counted": counted}


def _rows(kind: Any, context: Context) -> DataFrame | None:
    """The rows of a load's table; None where it is of another kind, or there is none."""
    if isinstance(kind, Delta):
        there = Ledger(context.spark, kind.path).version() is not None
        return context.spark.read.format("delta").load(kind.path) if there else None
    if isinstance(kind, Iceberg):
        return kind.lake(context).rows()
    if isinstance(kind, Files):
        held = Catalog(context.spark, kind.path).newest()
        return None if held is None else read(context.spark, kind.path, held.layout, held.slices)
    return None


def _in_table(rows: DataFrame, kind: Any, context: Context) -> int:
    """The table's rows of the window; of a snapshot all."""
    plan, where = context.plan, context.where
    parts = [scope.condition(kind.scope, rows.schema, where)] if getattr(kind, "scope", None) else []
    window = reach_of(plan, context.dataset, kind) or plan.window
    if isinstance(kind.write, ReplaceWindow):
        parts.append(kind.write.condition(rows, window, where))
    elif isinstance(kind.write, Append):
        ends = (("_window_start", window.start), ("_window_end", window.end))
        parts += [f"_pipeline = {text(plan.id)}", *(f"{column} = {instant(moment)}" for column, moment in ends)]
    return rows.where(" AND ".join(f"({part})" for part in parts)).count() if parts else rows.count()


def _verdict(loads: dict[str, dict[str, Any]], refused: int, aside: int, held: Mapping[str, Any]) -> dict[str, Any]:
    """Whether each row that the sources have is somewhere: of each load, and of the window."""
    for name, load in loads.items():
        load["verdict"] = _of_load(load, held[name])
    known = [load["verdict"] for name, load in loads.items() if held[name]["held"]]
    if not known:
        why = dict.fromkeys(load["verdict"] for load in loads.values())
        return {"verdict": "; ".join(why), "balances": None}
    found = [f"{name}: {load['verdict']}" for name, load in loads.items() if load["verdict"] != _BALANCES]
    if aside != refused:
        found.append(f"quarantine: {_difference(aside, refused)}")
    if found and not all(held[name]["same"] for name in loads if held[name]["held"]):
        found.append("loaded with another configuration than the file's")
    sound = all(load["verdict"] in _SOUND or held[name].get("instead") for name, load in loads.items())
    balances = aside == refused and sound
    return {"verdict": "; ".join(found) or _BALANCES, "balances": balances}


_BALANCES: Final = "balances"
_NOT_COUNTED: Final = "loaded, and not counted"
_SOUND: Final = (_BALANCES, _NOT_COUNTED)


def _of_load(load: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    if not held["held"]:
        return str(held.get("instead") or "not loaded")
    if load["found"] is None:
        return _NOT_COUNTED
    return _BALANCES if load["found"] == load["expected"] else _difference(load["found"], load["expected"])


def _difference(found: int, expected: int) -> str:
    return f"{abs(found - expected):,} rows {'missing' if found < expected else 'too many'}"
