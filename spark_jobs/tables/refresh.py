"""Refresh: windows are loaded anew into a shadow beside the live table, which then takes all of them in one commit.

Readers see the old table or the new one. Until the swap the live table isn't touched; whatever dies before it leaves a
shadow that the next refresh goes on with, or removes. The ledger of all windows comes over in the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.failures import classify
from spark_jobs.kinds import consumes
from spark_jobs.ledger import Commit, Ledger, attempt_number, committing, same_configuration
from spark_jobs.load import owners
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.delta import Delta
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.table import load_unit
from spark_jobs.lookback import reach_of
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import Report
from spark_jobs.tables.databases.rounds import refresh_databases
from spark_jobs.tables.shadow import Rebuild, Shadows, remove, shadow_of
from spark_jobs.tables.swap import Behind, Swap
from spark_jobs.verbs import Run
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]
_ROUNDS: Final = 5  # swaps tried while live windows are loaded meanwhile


def refresh(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Rebuild the windows of the order's plans, and swap them in.

    Options of the order: `whole`, whether they are all that the table shall hold.

    Args:
        spark: the session.
        order: a plan for each window, as for a run.
        say: takes one line of progress.

    Returns:
        `{"state": "done", "windows", "built", "loads": {name: {table, rows, before, version}}}`; or `{"state":
        "behind", "windows": [window], "loads"}`: the live table has windows that no plan is for; or `{"state":
        "failed", "error", "loads"}`: the loads that are named were swapped, and then something failed.

    Raises:
        ConfigError: there is nothing to refresh, or rows of the table belong to no window.
        EtlError: a window couldn't be loaded, or another refresh is at work; the live tables are as they were.
    """
    swapped: dict[str, dict[str, Any]] = {}
    try:
        return _refreshed(spark, order, swapped, say)
    except Exception as error:
        if not swapped:
            raise
        told = classify(error, "refresh")
        say(f"error[{told.kind}]: {told}")
        return {"state": "failed", "error": told.to_json(), "loads": swapped}


def _refreshed(spark: SparkSession, order: Order, swapped: dict[str, dict[str, Any]], say: Say) -> dict[str, Any]:
    """Do it, and fill in `swapped` what is done, load by load."""
    _refuse_consuming(order.plan)
    if any(isinstance(kind, Jdbc) for _, kind in order.plan.load.values()):
        return refresh_databases(spark, order, swapped, say)
    rebuilds = [_rebuild(spark, order.plan, name, kind) for name, (_, kind) in order.plan.load.items()]
    if _swapped_before(spark, order, rebuilds, swapped):
        say("an earlier refresh had swapped, and was ended before it said so")
        return _swept(spark, order, Shadows(spark, rebuilds), swapped, 0)
    for item in rebuilds:
        _swap_of(spark, order, item).refuse_cut()
    _drop_strangers(spark, order, rebuilds)
    shadows, built = Shadows(spark, rebuilds), 0
    for _ in range(_ROUNDS):
        built += _build(spark, order, shadows, say)
        say(f"refresh: {len(order.plans)} windows are built, swapping")
        try:
            _swap_all(spark, order, rebuilds, swapped, say)
        except Behind as behind:
            if behind.uncovered:
                windows = [window.to_json() for window in behind.uncovered]
                return {"state": "behind", "windows": windows, "loads": swapped}
            continue
        except Exception:
            shadows.look()  # where another refresh made it fail, that is what is told
            raise
        return _swept(spark, order, shadows, swapped, built)
    raise InfrastructureError(
        f"windows were loaded into the live table during each of {_ROUNDS} swaps",
        where="refresh",
        remedy="pause the pipeline while it is refreshed; what was built is kept, the next refresh goes on with it",
    )


def _refuse_consuming(plan: Plan) -> None:
    """See that every source can be read anew for every window.

    Raises:
        ConfigError: one can't.
    """
    for name, source in plan.extract.items():
        if consumes(source):
            raise ConfigError(
                f"source {name!r} gives each window what no window has read before",
                where=plan.pipeline,
                expected="sources that can be read anew",
                remedy="give the load another path, run its windows, and point its readers there",
            )


def _rebuild(spark: SparkSession, plan: Plan, name: str, live: Delta) -> Rebuild:
    ledger = Ledger(spark, live.path)
    if isinstance(live.write, Keyed):
        raise ConfigError(
            f"strategy {live.write.strategy}: its rows are of all windows together",
            where=live.path,
            expected="a load by replace_window, append or snapshot",
            remedy="give the load another path, run its windows, and point its readers there",
        )
    if ledger.version() is None:
        raise ConfigError(
            "there is no table to refresh", where=live.path, remedy="run the pipeline's windows: the first one makes it"
        )
    owners.refuse_others(live.claim(name, plan), owners.claims_of(ledger.properties()), ledger.pipelines(), live.path)
    return Rebuild(name=name, live=live, shadow=replace(live, path=shadow_of(live.path, plan.id, name)))


def _reach(item: Rebuild, plan: Plan) -> Window | None:
    return reach_of(plan, plan.load[item.name][0], item.live)


def _held(spark: SparkSession, table: str, name: str, plan: Plan) -> dict[str, int]:
    """The units of a load that a table's ledger holds."""
    ledger = Ledger(spark, table)
    return ledger.units(plan.id, name) if ledger.version() is not None else {}


def _swapped_before(
    spark: SparkSession, order: Order, rebuilds: list[Rebuild], swapped: dict[str, dict[str, Any]]
) -> bool:
    """Whether an earlier refresh did what this one is asked for, and was ended before it swept.

    What one swapped that was asked for something else is swept here: those rows are in the live table.
    """
    found = {}
    for item in rebuilds:
        shadow = Ledger(spark, item.shadow.path).identity()
        commit = _swap_commit(spark, item, shadow[0]) if shadow else None
        if commit is None:
            continue
        if _asked_for(spark, order, item, commit):
            found[item.name] = {"table": item.live.path, "rows": None, "before": None, "version": commit.version}
        else:
            remove(spark, item)
    if len(found) < len(rebuilds):
        return False
    swapped.update(found)
    return True


def _swap_commit(spark: SparkSession, item: Rebuild, shadow: str) -> Commit | None:
    """The commit of the live table that took a shadow in; a miss costs a second swap of the same rows."""
    commits = Ledger(spark, item.live.path).commits()
    return next((commit for commit in commits if commit.entry.get("shadow") == shadow), None)


def _asked_for(spark: SparkSession, order: Order, item: Rebuild, commit: Commit) -> bool:
    """Whether a swap was of the windows, the configuration and the extent that are asked for, and still stands."""
    built = _held(spark, item.shadow.path, item.name, order.plan)
    live = _held(spark, item.live.path, item.name, order.plan)
    same = (commit.entry.get("fingerprint"), commit.entry.get("whole"))
    return (
        same == (order.plan.fingerprint, bool(order.options["whole"]))
        and _swap_of(spark, order, item).complete(built)
        and all(live.get(key) == number for key, number in built.items())
    )


def _drop_strangers(spark: SparkSession, order: Order, rebuilds: list[Rebuild]) -> None:
    """Remove a shadow of another configuration, or of other windows: this refresh can't go on with it."""
    for item in rebuilds:
        unit = _swap_of(spark, order, item).unit
        wanted = {unit(plan.window).key for plan in order.plans}
        held = _held(spark, item.shadow.path, item.name, order.plan)
        alike = not item.live.write.numbered_by_window and all(
            same_configuration(number, order.plan.fingerprint) for number in held.values()
        )
        if not (alike and set(held) <= wanted):
            remove(spark, item)


def _build(spark: SparkSession, order: Order, shadows: Shadows, say: Say) -> int:
    """Load every window that the shadows lack, or that the live tables have got newer; how many that were."""
    built, swaps = 0, [_swap_of(spark, order, item) for item in shadows.rebuilds]
    for place, plan in enumerate(order.plans, 1):
        if all(_fresh(swap, plan.window) for swap in swaps):
            continue
        shadows.look()
        try:
            _load(spark, replace(order, plans=(plan,)), shadows.rebuilds, say)
        finally:
            shadows.look()  # where another refresh made it fail, that is what is told
        built += 1
        say(f"refresh: window {place} of {len(order.plans)} is built, {plan.window.key}")
    return built


def _fresh(swap: Swap, window: Window) -> bool:
    """Whether a shadow holds a window, read later than the live table's."""
    number = _held(swap.spark, swap.shadow, swap.name, swap.plan).get(swap.unit(window).key)
    live = _held(swap.spark, swap.live.path, swap.name, swap.plan)
    return number is not None and not swap.is_newer(window, number, live)


def _load(spark: SparkSession, order: Order, rebuilds: list[Rebuild], say: Say) -> None:
    """One window into the shadows; it sets rows aside under a number that the live ledgers don't name yet."""
    plan = order.plan
    held = [_held(spark, kind.path, item.name, plan) for item in rebuilds for kind in (item.live, item.shadow)]
    units = [load_unit(item.live.write, plan.id, item.name, plan.window) for item in rebuilds]
    known = [unit.last_attempt(numbers[unit.key]) for unit in units for numbers in held if unit.key in numbers]
    number = attempt_number(plan.fingerprint, max([plan.attempt.number, *known]))
    shadows = {item.name: (plan.load[item.name][0], item.shadow) for item in rebuilds}
    # A token of its own: built once more, the window must not take the shadow's older commit for this one.
    attempt = replace(plan.attempt, number=number, since=number, token=f"{plan.attempt.token}-{number}")
    made = replace(plan, load=shadows, attempt=attempt)
    Run(spark.newSession(), made, Report.begun(made), say, sweep=False, connections=order.connections).execute()


def _swap_all(
    spark: SparkSession, order: Order, rebuilds: list[Rebuild], swapped: dict[str, dict[str, Any]], say: Say
) -> None:
    """Swap every load; all are looked at before the first of several is swapped."""
    for item in rebuilds if len(rebuilds) > 1 else ():
        _swap_of(spark, order, item).check()
    for item in rebuilds:
        told = _swap(spark, order, item, say)
        swapped[item.name] = told | {"before": swapped.get(item.name, told)["before"]}


def _swap_of(spark: SparkSession, order: Order, item: Rebuild) -> Swap:
    return Swap(
        spark=spark,
        plan=order.plan,
        name=item.name,
        live=item.live,
        shadow=item.shadow.path,
        windows=[plan.window for plan in order.plans],
        whole=bool(order.options["whole"]),
        reaches={plan.window: reach for plan in order.plans if (reach := _reach(item, plan)) is not None},
    )


def _swap(spark: SparkSession, order: Order, item: Rebuild, say: Say) -> dict[str, Any]:
    told = committing(_swap_of(spark, order, item).commit)[0]
    say(f"refresh {item.name}: {told['rows']} rows swapped in, version {told['version']}")
    return told


def _swept(
    spark: SparkSession, order: Order, shadows: Shadows, swapped: Mapping[str, Any], built: int
) -> dict[str, Any]:
    """Remove the shadows, and what earlier attempts had set aside; the report."""
    quarantine = Quarantine(folder=order.plan.quarantine, pipeline=order.plan.id)
    swaps = [_swap_of(spark, order, item) for item in shadows.rebuilds]
    held = [_held(spark, swap.live.path, swap.name, order.plan) for swap in swaps]
    for plan in order.plans:
        numbers = [live.get(swap.unit(plan.window).key) for swap, live in zip(swaps, held, strict=True)]
        known = [number for number in numbers if number is not None]
        if known and not any(swap.live.write.numbered_by_window for swap in swaps):
            quarantine.sweep(spark, plan, min(known))
    shadows.remove()
    return {"state": "done", "windows": len(order.plans), "built": built, "loads": dict(swapped)}
