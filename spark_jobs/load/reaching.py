"""Loads that replace more than their window: what another run has read later must not be lost.

Two windows of a pipeline with `lookback` replace rows of each other. Runs may overlap, so the one that read first may
commit last: it looks in the ledger, in the very transaction that replaces the rows, and publishes nothing then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spark_jobs.errors import InfrastructureError
from spark_jobs.tables.spans import overlaps, window_of_unit
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from spark_jobs.ledger import Ledger
    from spark_jobs.transaction import Transaction


Entries = Callable[[], Mapping[str, Mapping[str, Any]]]


def replace_reach(  # noqa: PLR0913, PLR0917 - what a commit is made of
    transaction: Transaction,
    ledger: Ledger,
    rows: DataFrame,
    options: Mapping[str, str],
    partition_by: Sequence[str],
    entry: Mapping[str, Any],
) -> None:
    """Replace a reach in one commit; nothing happens where the ledger holds the unit with as large a number.

    Whoever commits rows of the reach meanwhile makes this fail with a conflict, after which the caller looks again.

    Args:
        transaction: of the table.
        ledger: the table's.
        rows: what comes.
        options: of the Delta writer: what is replaced.
        partition_by: columns that lay the table out.
        entry: the commit's: `unit`, `number`, `reach`, `since` are looked at.

    Raises:
        InfrastructureError: another run has published rows of the reach that it read later than these were.
    """
    unit = entry["unit"]
    if transaction.units.get(unit, -1) >= entry["number"]:
        return
    refuse_overtaken_by(transaction, ledger, entry)
    transaction.replace(rows, options, partition_by)
    transaction.record({unit: entry["number"]})
    transaction.commit(entry)


def refuse_overtaken_by(transaction: Transaction, ledger: Ledger, entry: Mapping[str, Any]) -> None:
    """See that nobody has published rows of a commit's reach that were read later.

    Args:
        transaction: that makes the commit.
        ledger: the table's.
        entry: the commit's.

    Raises:
        InfrastructureError: somebody has.
    """
    reach = Window.from_json(entry["reach"])
    refuse_overtaken(ledger.entries, transaction.units, entry["unit"], reach, entry["since"], ledger.path)


def refuse_overtaken(  # noqa: PLR0913, PLR0917 - what is compared
    entries: Entries, units: Mapping[str, int], mine: str, reach: Window, since: int, where: str
) -> None:
    """See that nobody has published rows of a reach that were read later; arguments as for `overtaken`.

    Raises:
        InfrastructureError: somebody has.
    """
    other = overtaken(entries, units, mine, reach, since)
    if other is not None:
        raise InfrastructureError(
            f"rows of {reach} were loaded meanwhile with window {other}, from a source that was read later",
            where=where,
            expected="rows as new as those that they replace",
            remedy="nothing was published; clear the run from its extract task on, so that it reads again "
            "(the retry of a fused run does)",
        )


def overtaken(entries: Entries, units: Mapping[str, int], mine: str, reach: Window, since: int) -> str | None:
    """Another window of the same load that has replaced a part of a reach with rows read later; None for none.

    Args:
        entries: gives unit -> the entry of its last commit, of the table's ledger.
        units: key -> number of the units that it holds.
        mine: the key of the unit whose rows were read.
        reach: what they are of.
        since: the number of the attempt that read them.

    Returns:
        The other window, `start/end`. Where its commit isn't known any more, or brought many windows, the largest
        number counts as the last read.
    """
    prefix = "".join(f"{part}:" for part in mine.split(":", 3)[:3])
    later = {key: held for key, held in units.items() if key.startswith(prefix) and key != mine and held > since}
    known_of = entries() if later else {}
    for key, held in later.items():
        entry = known_of.get(key, {})
        known = entry if entry.get("number") == held else {}
        replaced = _replaced(known, key, reach)
        if overlaps(replaced, reach) and int(known.get("since", held)) > since:
            return key.removeprefix(prefix)
    return None


def _replaced(entry: Mapping[str, Any], key: str, reach: Window) -> Window:
    """What a commit has replaced; where that isn't known any more, its window and whatever may lie before it."""
    if entry:
        return Window.from_json(entry.get("reach") or entry["window"])
    window = window_of_unit(key, reach.timezone)
    return replace(window, start=min(window.start, reach.start)) if window else reach
