"""Ten million rows of eight columns: fixed random seeds, so that each machine gets the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

COLUMNS: Final = {
    "id": "bigint",
    "at": "timestamp",
    "customer": "int",
    "amount": "double",
    "quantity": "int",
    "status": "string",
    "currency": "string",
    "code": "string",
}
STATUSES: Final = ("new", "paid", "sent", "gone")
CURRENCIES: Final = ("EUR", "CHF", "PLN", "SEK")
_PER_FILE: Final = 2_500_000


def prepare(folder: Path, rows: int, bad: float) -> Path:
    """Write the rows as Parquet; what is there already is kept.

    Args:
        folder: where they go.
        rows: how many.
        bad: share of them, 0 to 1, whose amount is out of range.

    Returns:
        The folder of the files.
    """
    target = folder / f"quality-{rows}-{bad:g}"
    if not (target / "_done").exists():
        target.mkdir(parents=True, exist_ok=True)
        for number, first in enumerate(range(0, rows, _PER_FILE)):
            _write(target / f"part-{number:03}.parquet", number, first, min(_PER_FILE, rows - first), bad)
        (target / "_done").touch()
    return target


def _write(file: Path, seed: int, first: int, rows: int, bad: float) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = np.random.default_rng(seed)
    amount = known.gamma(2.0, 50.0, rows).round(2)
    amount[known.random(rows) < bad] *= -1
    made = {
        "id": pa.array(np.arange(first, first + rows)),
        "at": pa.array(1_709_251_200_000_000 + known.integers(0, 86_400_000_000, rows), pa.timestamp("us", "UTC")),
        "customer": pa.array(known.integers(1, 500_000, rows), pa.int32()),
        "amount": pa.array(amount + 0.01 * (amount == 0)),
        "quantity": pa.array(known.integers(1, 100, rows), pa.int32()),
        "status": pa.array(np.array(STATUSES)[known.integers(0, 4, rows)]),
        "currency": pa.array(np.array(CURRENCIES)[known.integers(0, 4, rows)]),
        "code": pa.array([f"c-{value:08x}" for value in known.integers(0, 2**32, rows)]),
    }
    pq.write_table(pa.table(made), file)
