"""Rows of the quarantine that wait no more: dropped by somebody with a reason, or too old.

They stay in the table, so that counts go on to balance; what is too old stays without what it held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.aside import DROPPED, EXPIRED, HASH, REPLAYED, WAITING
from spark_jobs.ledger import Ledger, committing, first_after
from spark_jobs.load.strategies import instant, text
from spark_jobs.orders import Order
from spark_jobs.quarantine import Quarantine, of_window
from spark_jobs.vacuum import vacuum
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_WAITS: Final = f"coalesce(state, '{WAITING}') = '{WAITING}'"


def drop(spark: SparkSession, order: Order, say: Callable[[str], None]) -> dict[str, Any]:
    """Give rows up.

    Options of the order: `attempts`, a list of {window, attempt} whose rows count; `rule` and `dataset`, empty for any;
    `reason`; `by`.

    Returns:
        `{"state": "done", "rows": how many}`: those that waited still when it came to them.
    """
    table = Quarantine(folder=order.plan.quarantine, pipeline=order.plan.id)
    options = order.options
    parts = [_and_later(options["attempts"]), _WAITS]
    parts += [f"array_contains(rules, {text(options['rule'])})"] if options["rule"] else []
    parts += [f"dataset = {text(options['dataset'])}"] if options["dataset"] else []
    told = {"state": DROPPED, "state_by": options["by"], "state_reason": options["reason"]}
    marked = _settled(spark, table, " AND ".join(parts), told)
    rows = _counted(marked, options["attempts"]) if marked is not None else 0
    say(f"quarantine: {rows} rows dropped in {table.path}")
    return {"state": "done", "rows": rows}


def _attempts(items: Sequence[dict[str, Any]]) -> str:
    """The rows of some attempts; their partitions are told apart without a read."""
    found = [f"({of_window(Window.from_json(item['window']))} AND attempt = {int(item['attempt'])})" for item in items]
    return f"({' OR '.join(found) or 'false'})"


def _and_later(items: Sequence[dict[str, Any]]) -> str:
    """The rows of some attempts, and what later ones have taken over of them: a load of the window may be under way.

    What a later attempt has refused for the first time nobody has seen yet: that waits. One that adds to the attempt
    has its rows as they were (`replay --rows`), tried again or not.
    """
    later = [
        f"({of_window(Window.from_json(item['window']))} AND attempt > {int(item['attempt'])} "
        f"AND (retries > 0 OR attempt < {first_after(int(item['attempt']))}))"
        for item in items
    ]
    return f"({' OR '.join([_attempts(items), *later])})"


def _counted(marked: DataFrame, items: Sequence[dict[str, Any]]) -> int:
    """How many rows were marked, each once: those of the attempts, or of the next where a load has swept these."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    span = ("window_start", "window_end")
    counts = marked.groupBy(*span, "attempt", F.expr(_attempts(items)).alias("own")).count().orderBy("attempt")
    own, later = dict[Any, int](), dict[Any, int]()
    for row in counts.collect():
        window = tuple(row[name] for name in span)
        if row["own"]:
            own[window] = own.get(window, 0) + int(row["count"])
        later.setdefault(window, int(row["count"]))
    return sum((later | own).values())


def _settled(spark: SparkSession, table: Quarantine, condition: str, told: Mapping[str, str]) -> DataFrame | None:
    """Put rows into a state, and return them; None where there is no table.

    Loads go on meanwhile: whoever loses a race looks again.
    """
    from delta import DeltaTable

    if Ledger(spark, table.path).version() is None:
        return None
    table.grow(spark)
    now = instant(datetime.now(UTC))
    values = {name: text(value) for name, value in told.items()} | {"state_at": now}
    if told["state"] == EXPIRED:  # who had dropped it, and why, stays
        values |= {name: f"coalesce({name}, {values[name]})" for name in ("state_by", "state_reason")}
        values |= {"record": f"CASE WHEN raw IS NOT NULL THEN {HASH} END"}
        values |= {"raw": "CAST(NULL AS STRING)", "message": "CAST(NULL AS STRING)"}
    committing(lambda: DeltaTable.forPath(spark, table.path).update(condition, values))
    return table.rows(spark).where(f"state = {values['state']} AND state_at = {now}")


def expire(spark: SparkSession, table: Quarantine, keep: timedelta, *, dry: bool) -> dict[str, Any]:
    """Empty rows that were seen first longer ago than `keep`, and remove the marks of those that are through.

    Args:
        spark: the session.
        table: the quarantine.
        keep: how long rows are kept whole.
        dry: only count.

    Returns:
        `{"waiting", "dropped", "replayed"}`: rows of each state that were too old.
    """
    from delta import DeltaTable
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    found = {WAITING: 0, DROPPED: 0, REPLAYED: 0}
    if Ledger(spark, table.path).version() is None:
        return found
    before = datetime.now(UTC) - keep
    old = table.rows(spark).where((F.col("first_seen") < F.lit(before)) & F.col("state").isin(*found))
    found |= {row["state"]: int(row["count"]) for row in old.groupBy("state").count().collect()}
    if dry:
        return found
    aged = f"first_seen < {instant(before)}"
    if found[REPLAYED]:
        gone = f"{aged} AND state = {text(REPLAYED)}"
        committing(lambda: DeltaTable.forPath(spark, table.path).delete(gone))
    if found[WAITING] or found[DROPPED]:
        _empty(spark, table, aged, keep)
    vacuum(spark, table.path)  # what was removed a week ago leaves the storage too
    return found


def _empty(spark: SparkSession, table: Quarantine, aged: str, keep: timedelta) -> None:
    whole = f"{aged} AND coalesce(state, '{WAITING}') IN ('{WAITING}', '{DROPPED}')"
    reason = f"older than {keep.days} days"
    _settled(spark, table, whole, {"state": EXPIRED, "state_by": "maintain", "state_reason": reason})
