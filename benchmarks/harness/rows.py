"""What a contender has left: how many rows, and hashes that are equal for equal rows in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_KINDS: Final = {"bigint": "int64", "int": "int64", "double": "float64", "string": "string", "boolean": "int8"}
_TURN: Final = 6364136223846793005
_NULL: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A table's content.

    Args:
        count: rows.
        digest: the sum of the rows' hashes, modulo 2^64.
        columns: the same of each column alone, so that a difference can be named.
    """

    count: int
    digest: int
    columns: Mapping[str, int]

    def __add__(self, other: Rows) -> Rows:
        """Both together."""
        columns = {name: (value + other.columns[name]) % 2**64 for name, value in self.columns.items()}
        return Rows(count=self.count + other.count, digest=(self.digest + other.digest) % 2**64, columns=columns)

    def differs(self, other: Rows) -> str:
        """In what another one differs; empty where it doesn't."""
        if self == other:
            return ""
        if self.count != other.count:
            return f"{self.count:,} rows and {other.count:,}"
        named = [name for name in self.columns if self.columns[name] != other.columns.get(name)]
        return (
            f"{self.count:,} rows each, other values in {', '.join(named) or 'rows, though each column has the same'}"
        )


def of_delta(table: Path | str, columns: Mapping[str, str]) -> Rows:
    """The rows of a Delta table.

    Args:
        table: its folder.
        columns: name -> Spark SQL type, of those that are compared; integers of any width, and timestamps of any zone,
            count as the same.
    """
    from deltalake import DeltaTable

    return of_batches(DeltaTable(str(table)).to_pyarrow_dataset().to_batches(columns=list(columns)), columns)


def of_parquet(files: Iterable[str], columns: Mapping[str, str]) -> Rows:
    """The rows of Parquet files, as `of_delta`."""
    import pyarrow.dataset as ds

    return of_batches(ds.dataset(list(files), format="parquet").to_batches(columns=list(columns)), columns)


def of_batches(batches: Iterable[pa.RecordBatch], columns: Mapping[str, str]) -> Rows:
    """The rows of Arrow batches, as `of_delta`."""
    total = Rows(count=0, digest=0, columns=dict.fromkeys(columns, 0))
    for batch in batches:
        total += _of(batch, columns)
    return total


def _of(batch: pa.RecordBatch, columns: Mapping[str, str]) -> Rows:
    import numpy as np
    from pandas.util import hash_array

    hashes = {name: _hashes(batch.column(name), kind) for name, kind in columns.items()}
    # Which column holds which value counts too: each is turned by another odd number.
    rows = np.zeros(batch.num_rows, dtype="uint64")
    for each in hashes.values():
        rows = rows * np.uint64(_TURN) + each
    sums = {name: int(each.sum(dtype="uint64")) for name, each in hashes.items()}
    return Rows(count=batch.num_rows, digest=int(hash_array(rows).sum(dtype="uint64")), columns=sums)


def _hashes(values: pa.Array, kind: str) -> np.ndarray:
    """A hash of each value: the same whatever width, zone or batch it comes in; null has one of its own."""
    import pyarrow as pa
    from pandas.util import hash_array
    from pyarrow import compute

    known = values.cast(_kind(kind))
    missing = compute.is_null(known).to_numpy(zero_copy_only=False)
    if pa.types.is_temporal(known.type):
        known = known.view(pa.int32() if pa.types.is_date32(known.type) else pa.int64())
    filled = compute.fill_null(known, pa.scalar("" if kind == "string" else 0, known.type))
    plain = filled.to_numpy(zero_copy_only=False)
    hashed = hash_array(plain + 0.0 if kind == "double" else plain, categorize=False)  # -0.0 is 0.0
    hashed[missing] = _NULL
    return hashed


def _kind(kind: str) -> pa.DataType:
    import pyarrow as pa

    if kind == "timestamp":
        return pa.timestamp("us", "UTC")
    return pa.date32() if kind == "date" else pa.type_for_alias(_KINDS[kind])
