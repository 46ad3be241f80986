"""How many rows a table of a database has of a window, or what its ledger says of it."""

from __future__ import annotations

from spark_jobs.load.by_key import Keyed
from spark_jobs.tables.databases.held import Held


def counted(held: Held) -> tuple[str, int | None]:
    """Count the rows of a window that the ledger has: those of its reach with lookback, of a snapshot all.

    Args:
        held: the load; its plan is the window's.

    Returns:
        `table` and how many rows there are, 0 where somebody has dropped the table. Of strategies by key no row says
        which window brought it: `ledger` and how many rows the window's commit took, None where that isn't known.
    """
    publishing, table = held.publishing, held.table
    with held.session() as cursor:
        if isinstance(held.destination.write, Keyed):
            entry = held.books.entry(cursor, publishing.unit.key) if held.books.there(cursor) else None
            return "ledger", entry.staged if entry is not None else None
        if held.database.columns(cursor, table) is None:
            return "table", 0
        columns = held.columns(cursor)
        span = publishing.span
        return "table", held.count(cursor, held.mine(columns) & held.within(span, columns))
