"""Refresh of loads into databases: the windows are built beside the tables, and each table takes its rows in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.ledger import attempt_number
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import Report
from spark_jobs.tables.databases.held import Held
from spark_jobs.tables.databases.refresh import DatabaseRebuild
from spark_jobs.tables.swap import Behind
from spark_jobs.verbs import Run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]
_ROUNDS: Final = 5  # swaps tried while live windows are loaded meanwhile


def refresh_databases(spark: SparkSession, order: Order, swapped: dict[str, Any], say: Say) -> dict[str, Any]:
    """Rebuild the windows of the order's plans, and swap them in; as `refresh` says.

    Args:
        spark: the session.
        order: a plan for each window.
        swapped: gets what is done, load by load.
        say: takes one line of progress.
    """
    rebuilds = _rebuilds(spark, order)
    try:
        with ExitStack() as guards:
            for item in rebuilds:
                # Another refresh of the load waits here until this one ends, however it ends.
                guard = guards.enter_context(item.held.session())
                item.held.database.own(guard, item.shadow_name.name)
                guard.connection.commit()
                item.begin()
                guards.callback(item.drop)
            return _swapped(spark, order, rebuilds, swapped, say)
    except Behind as behind:
        windows = [window.to_json() for window in behind.uncovered]
        return {"state": "behind", "windows": windows, "loads": swapped}


def _rebuilds(spark: SparkSession, order: Order) -> list[DatabaseRebuild]:
    others = [name for name, (_, kind) in order.plan.load.items() if not isinstance(kind, Jdbc)]
    if others:
        raise ConfigError(
            f"load {', '.join(others)} is no table of a database, as the others are",
            where="refresh",
            expected="a pipeline whose loads are all of one kind",
            remedy="refresh them from pipeline files of their own",
        )
    return [
        DatabaseRebuild(
            held=Held(spark=spark, plan=order.plan, name=name, destination=kind, connections=order.connections),
            plans=order.plans,
            whole=bool(order.options["whole"]),
        )
        for name, (_, kind) in order.plan.load.items()
    ]


def _swapped(
    spark: SparkSession, order: Order, rebuilds: Sequence[DatabaseRebuild], swapped: dict[str, Any], say: Say
) -> dict[str, Any]:
    built = 0
    for _ in range(_ROUNDS):
        waiting = [item for item in rebuilds if item.name not in swapped]
        built += sum(_built(spark, order, plan, waiting, say) for plan in order.plans)
        try:
            for item in waiting:
                swapped[item.name] = item.swap()
                say(f"refresh {item.name}: {swapped[item.name]['rows']} rows swapped in")
        except Behind as behind:
            if behind.uncovered:
                raise
            continue
        _sweep(spark, order, rebuilds)
        return {"state": "done", "windows": len(order.plans), "built": built, "loads": dict(swapped)}
    raise InfrastructureError(
        f"windows were loaded into the live table during each of {_ROUNDS} swaps",
        where="refresh",
        remedy="pause the pipeline while it is refreshed",
    )


def _built(spark: SparkSession, order: Order, plan: Plan, waiting: Sequence[DatabaseRebuild], say: Say) -> bool:
    """Load a window into the shadows that lack it, or where the live table has got it newer; whether it was needed.

    It sets rows aside under a number that the live ledgers don't name yet.
    """
    items = [item for item in waiting if item.lacks(plan.window)]
    if not items:
        return False
    held = [(item.held.unit(plan.window), item.numbers()) for item in items]
    known = [unit.last_attempt(numbers[unit.key]) for unit, numbers in held if unit.key in numbers]
    number = attempt_number(plan.fingerprint, max([plan.attempt.number, *known]))
    shadows = {item.name: (plan.load[item.name][0], item.shadow) for item in items}
    # A token of its own: built once more, the window must not take the shadow's older commit for this one.
    attempt = replace(plan.attempt, number=number, since=number, token=f"{plan.attempt.token}-{number}")
    made = replace(plan, load=shadows, attempt=attempt)
    Run(spark.newSession(), made, Report.begun(made), say, sweep=False, connections=order.connections).execute()
    say(f"refresh: window {plan.window.key} is built")
    return True


def _sweep(spark: SparkSession, order: Order, rebuilds: Sequence[DatabaseRebuild]) -> None:
    """Remove what earlier attempts had set aside."""
    if any(item.held.destination.write.numbered_by_window for item in rebuilds):
        return
    held = [(item, item.numbers()) for item in rebuilds]
    for plan in order.plans:
        numbers = [known.get(item.held.unit(plan.window).key) for item, known in held]
        named = [number for number in numbers if number is not None]
        if named:
            Quarantine(folder=plan.quarantine, pipeline=plan.id).sweep(spark, plan, min(named))
