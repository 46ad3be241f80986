"""A month of rows, and what comes on top of it: fixed random seeds, Parquet as staging has it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Final

COLUMNS: Final = {
    "id": "bigint",
    "at": "timestamp",
    "customer": "int",
    "amount": "double",
    "status": "string",
    "note": "string",
    "day": "date",
}
FIRST: Final = date(2013, 1, 1)
DAYS: Final = 30
REPLACED: Final = 15
"""The day of January that comes anew."""
NEXT: Final = 31
"""The day of January on which more comes."""


def prepare(folder: Path, rows: int) -> Path:
    """Write the rows as Parquet, a folder for each purpose; what is there already is kept.

    Args:
        folder: where they go.
        rows: of the month; a day has a thirtieth of them.

    Returns:
        A folder with `month`, `replaced` (day 15 anew), `next` (the day after the month), and `changed` (one row in a
        hundred of the month as it is on the day after).
    """
    target = folder / f"load-{rows}"
    if (target / "_done").exists():
        return target
    each = rows // DAYS
    for number in range(DAYS):
        _write(target / f"month/{number:02}.parquet", number, range(number * each, (number + 1) * each), number)
    _write(target / "replaced/0.parquet", 100, range((REPLACED - 1) * each, REPLACED * each), REPLACED - 1)
    _write(target / "next/0.parquet", 101, range(DAYS * each, (DAYS + 1) * each), NEXT - 1)
    _write(target / "changed/0.parquet", 102, range(0, DAYS * each, 100), NEXT - 1)
    (target / "_done").touch()
    return target


def _write(file: Path, seed: int, ids: range, day: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    known, count = np.random.default_rng(20_130_101 + seed), len(ids)
    file.parent.mkdir(parents=True, exist_ok=True)
    midnight = np.datetime64(FIRST + timedelta(days=day), "us")
    at = midnight + known.integers(0, 86_400_000_000, count).astype("timedelta64[us]")
    raw = np.frombuffer(known.bytes(count * 16).hex().encode(), dtype="S32")
    made = {
        "id": pa.array(np.arange(ids.start, ids.stop, ids.step)),
        "at": pa.array(at).cast(pa.timestamp("us", "UTC")),
        "customer": pa.array(known.integers(1, 500_000, count), pa.int32()),
        # No two seeds share an amount, so whatever changed has changed.
        "amount": pa.array(known.integers(1, 10_000_000, count) + seed / 1000),
        "status": pa.array(np.array(["new", "paid", "sent", "gone"])[known.integers(0, 4, count)]),
        "note": pa.array(raw).cast(pa.string()),
        "day": pa.array(np.full(count, midnight.astype("datetime64[D]"))),
    }
    pq.write_table(pa.table(made), file)
