"""The records that every contender reads: fixed random seeds, so that each machine gets the same bytes.

Twenty columns, about 1,000 bytes a record. 3 % of the orders come twice, the later one is the one to keep; texts have
blanks around them and NULL spelt out; a share of the amounts is negative where bad rows are asked for.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

COLUMNS: Final = {
    "order_id": "bigint",
    "customer": "int",
    "ordered_at": "timestamp",
    "updated_at": "timestamp",
    "status": "string",
    "country": "string",
    "currency": "string",
    "quantity": "int",
    "amount": "double",
    "discount": "double",
    "tax": "double",
    "channel": "string",
    "sku": "string",
    "email": "string",
    "city": "string",
    "street": "string",
    "note": "string",
    "comment": "string",
    "agent": "string",
    "trace": "string",
}
COUNTRIES: Final = ("AT", "BE", "CH", "DE", "ES", "FR", "IT", "NL", "PL", "SE")
START: Final = datetime(2024, 3, 1)  # noqa: DTZ001 - written without an offset, read as UTC
_PER_FILE: Final = 250_000
_TWICE: Final = 0.03
_HEX: Final = 16


def prepare(folder: Path, records: int, bad: float = 0.0) -> Path:
    """Write the records of one day as CSV files, and the countries; what is there already is kept.

    Args:
        folder: where they go.
        records: how many.
        bad: share of them, 0 to 1, whose amount is out of range.

    Returns:
        The folder of the records.
    """
    target = folder / f"orders-{records}-{bad:g}"
    if not (target / "_done").exists():
        target.mkdir(parents=True, exist_ok=True)
        for number, first in enumerate(range(0, records, _PER_FILE)):
            _write(target / f"part-{number:04}.csv", number, first, min(_PER_FILE, records - first), bad)
        (target / "_done").touch()
    lines = [f"{code},{code.lower()}-land,{place % 3}" for place, code in enumerate(COUNTRIES)]
    (folder / "countries.csv").write_text("\n".join(["country,country_name,region", *lines]) + "\n")
    return target


def _write(path: Path, number: int, first: int, count: int, bad: float) -> None:
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(20_240_301 + number)
    columns = _columns(random, first, count, bad)
    options = csv.WriteOptions(include_header=True, quoting_style="needed")
    csv.write_csv(pa.table({name: columns[name] for name in COLUMNS}), path, write_options=options)


def _columns(random: np.random.Generator, first: int, count: int, bad: float) -> dict[str, Any]:
    import numpy as np

    ids = np.arange(first, first + count)
    again = random.random(count) < _TWICE
    ids[again] = np.maximum(first, ids[again] - 1)
    seconds = random.integers(0, 86_400, count)
    amount = np.round(random.random(count) * 900 + 1, 2)
    amount[random.random(count) < bad] *= -1
    return {
        "order_id": ids,
        "customer": random.integers(1, 400_000, count),
        "ordered_at": _moments(ids * 7 % 86_400),
        "updated_at": _moments(86_400 + seconds, ids + np.cumsum(again)),
        "status": random.choice(["new", " paid", "sent ", "gone", "void"], count),
        "country": random.choice(COUNTRIES, count),
        "currency": random.choice(["EUR", "CHF", "PLN", "SEK"], count),
        "quantity": random.integers(1, 20, count),
        "amount": amount,
        "discount": np.round(random.random(count) * 0.3, 3),
        "tax": np.round(random.random(count) * 0.2, 3),
        "channel": random.choice(["web", "shop", "phone", "NULL"], count),
        "sku": _texts(random, count, 1, "sku-"),
        "email": _texts(random, count, 1, "someone.", "@example.com"),
        "city": _texts(random, count, 1, " city "),
        "street": _texts(random, count, 2, "street "),
        "note": _texts(random, count, 14),
        "comment": _texts(random, count, 14),
        "agent": _texts(random, count, 8, "agent/"),
        "trace": _texts(random, count, 4),
    }


def _moments(seconds: np.ndarray, micros: np.ndarray | None = None) -> pa.Array:
    """Texts of moments; the microseconds make those of one order differ."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute

    values = np.datetime64(START, "us") + seconds.astype("timedelta64[s]")
    if micros is not None:
        values = values + (micros % 1_000_000).astype("timedelta64[us]")
    return compute.strftime(pa.array(values), format="%Y-%m-%dT%H:%M:%S")


def _texts(random: np.random.Generator, count: int, words: int, before: str = "", after: str = "") -> pa.Array:
    """Texts of so many words of 16 hexadecimal digits."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute

    raw = random.bytes(count * words * _HEX // 2).hex().encode()
    width = words * _HEX
    made = pa.array(np.frombuffer(raw, dtype=f"S{width}")).cast(pa.string())
    return compute.binary_join_element_wise(before, made, after, "") if before or after else made
