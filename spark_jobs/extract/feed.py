"""The change feed of a Delta table: each version in one window, and in the same one whenever that is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.extract import versions
from spark_jobs.extract.table import CHANGES
from spark_jobs.extract.table_rows import chosen_columns, records, refuse_own
from spark_jobs.failures import AGAIN, UNRECORDED
from spark_jobs.flow import Context, Flow
from spark_jobs.ledger import Ledger
from spark_jobs.load.keeping import refuse_forgetful
from spark_jobs.load.kept_feeds import KeptFeeds, Taken, kept_of
from spark_jobs.load.new_table import FEED
from spark_jobs.window import iso

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from spark_jobs.extract.table import Table

_SHOWN: Final = 20  # windows that are named


def flow(source: Table, context: Context) -> Flow:
    """The changes of a source's window, lazily.

    Raises:
        ConfigError: the table has no change feed, or columns called as its own; the pipeline writes it; a load can't
            keep what a window has read; the window overlaps another one that is loaded.
        DataError: the table was made anew, or its changes aren't there any more.
        InfrastructureError: a window before has taken changes and isn't loaded.
    """
    refuse_own(source, context)
    refuse_forgetful(context.plan, context.dataset, context.where)
    taken = _taken(source, context)
    rows = _whole(source, taken, context) if taken.whole else _changes(source, taken, context)
    told = {"version": taken.last, "feed": taken.to_json()}
    return records(source, rows, rows.columns, context, told)


def _taken(source: Table, context: Context) -> Taken:
    """What the window reads: what it has read before, or what nobody has."""
    plan, name = context.plan, context.dataset
    unit = f"{iso(plan.window.start)}/{iso(plan.window.end)}"
    keepers = kept_of(context.spark, plan)
    taken = [item for keeper in keepers for item in keeper.taken(name)]
    newest = versions.pinned(source.path, context)
    last = max(taken, key=lambda item: item.turn, default=None)
    if last is not None and last.table != newest.table:
        raise DataError(
            "the table was made anew since the last window has read it",
            where=source.path,
            expected=f"the table whose versions up to {last.last} were read",
            remedy="load it into another table (`path`): its first window gets all of it",
        )
    mine = next((item for item in taken if item.unit == unit), None)
    if mine is not None:
        return mine
    _refuse_overlap(keepers, context)
    if last is not None:
        _refuse_unloaded(taken, keepers, context)
    return Taken(
        unit=unit,
        source=name,
        table=newest.table,
        turn=last.turn + 1 if last else 1,
        first=last.last + 1 if last else 0,
        # A version that another source has pinned may be older than what was taken meanwhile.
        last=max(newest.version, last.last) if last else newest.version,
        whole=last is None,
        committed=newest.committed,
    )


def _refuse_overlap(keepers: list[KeptFeeds], context: Context) -> None:
    """See that no other window of this time is loaded: its rows would go, and its versions don't come again."""
    window = context.plan.window
    for keeper in keepers:
        other = keeper.overlapped(window)
        if other is not None:
            raise ConfigError(
                f"window {window} overlaps {other}, which has taken its versions and is loaded by {keeper.load}",
                where=context.where,
                expected="windows of a change feed as they were cut first",
                remedy="run windows as they were cut, or load into another table",
            )


def _refuse_unloaded(taken: list[Taken], keepers: list[KeptFeeds], context: Context) -> None:
    """See that all that was taken is loaded: nothing may be left out."""
    found = {item.turn: item for item in taken}
    missing = {turn: [keeper.load for keeper in keepers if not keeper.loaded(item)] for turn, item in found.items()}
    turns = sorted(turn for turn, loads in missing.items() if loads)
    if turns:
        first, more = found[turns[0]], [found[turn].unit for turn in turns[1:]]
        others = f", then {', '.join(more[:_SHOWN])}" if more else ""
        others += f" and {len(more) - _SHOWN} more up to {more[-1]}" if len(more) > _SHOWN else ""
        raise InfrastructureError(
            f"window {first.unit} has taken {first.told}, and load {', '.join(missing[turns[0]])} hasn't got it",
            where=context.where,
            expected="windows one after the other",
            remedy=f"run {first.unit} first{others}; a load that is new gets what was read before by running its "
            "windows again",
        )


def _whole(source: Table, taken: Taken, context: Context) -> DataFrame:
    """The table as it was, as inserts."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    table = versions.read(context.spark, source.path, taken.last)
    values = {
        "_change_type": F.lit("insert"),
        "_commit_version": F.lit(taken.last),
        "_change_order": F.lit(1),
        "_commit_timestamp": F.timestamp_millis(F.lit(taken.committed)),
    }
    return _shaped(source, table, values, context)


def _changes(source: Table, taken: Taken, context: Context) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    if taken.first > taken.last:
        return _whole(source, taken, context).where(F.lit(False))
    if Ledger(context.spark, source.path).properties().get(FEED) != "true":
        raise _unrecorded(source, taken)
    reader = context.spark.read.format("delta").option("readChangeFeed", "true")
    reader = reader.option("startingVersion", str(taken.first)).option("endingVersion", str(taken.last))
    try:
        rows = reader.load(source.path)
        _ = rows.schema
    except Exception as error:
        raise _explained(error, source, taken) from error
    kind = F.col("_change_type")
    gone = kind.isin("delete", "update_preimage")
    values = {
        "_change_type": F.when(gone, "delete").when(kind == "update_postimage", "update").otherwise(kind),
        "_commit_version": F.col("_commit_version"),
        "_change_order": F.when(gone, 0).otherwise(1),
        "_commit_timestamp": F.col("_commit_timestamp"),
    }
    return _shaped(source, rows, values, context)


def _shaped(source: Table, rows: DataFrame, values: dict[str, Column], context: Context) -> DataFrame:
    """The contract's columns and those of the feed."""
    from pyspark.sql.types import StructType

    own = {"_change_type", "_commit_version", "_commit_timestamp"} if "_change_type" in rows.columns else set()
    table = StructType([item for item in rows.schema if item.name not in own])
    taken = next((item.name for item in table if item.name.lower() in CHANGES), None)
    if taken is not None:
        raise ConfigError(
            f"the table has a column {taken!r}, which the change feed has too",
            where=context.where,
            expected=f"no {', '.join(CHANGES)} in the table",
            remedy="name the columns wanted in `columns`, or read it by `window`",
        )
    names = chosen_columns(source, table, context)
    return rows.select(
        *[column(name) for name in names], *[values[name].cast(kind).alias(name) for name, kind in CHANGES.items()]
    )


def _explained(error: Exception, source: Table, taken: Taken) -> Exception:
    if UNRECORDED in str(error):
        return _unrecorded(source, taken)
    return versions.explained(error, source.path, f"the change feed of {taken.told}")


def _unrecorded(source: Table, taken: Taken) -> ConfigError:
    return ConfigError(
        f"the table has recorded no changes for {taken.told}",
        where=source.path,
        expected="a table that records its changes: `change_feed: true` of the load that writes it",
        remedy=AGAIN,
    )
