"""The same on one machine, without Spark: `python -m benchmarks.pipeline.without_spark HOW DATA COUNTRIES LAKE`.

HOW is `duckdb`: DuckDB reads, cleans, deduplicates, filters and joins, deltalake writes; or `dlt`, which neither joins
nor deduplicates what it loads into Delta: its resource hands on what DuckDB has made, the form that is kindest to it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.pipeline.data import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES: Final = {"string": "varchar", "timestamp": "timestamptz"}
_BATCH: Final = 100_000  # rows


def main(how: str, data: str, countries: str, lake: str) -> None:
    """Load the rows into `LAKE/orders`."""
    rows = wanted(data, countries)
    if how == "duckdb":
        from deltalake import write_deltalake

        Path(lake).mkdir(exist_ok=True)
        write_deltalake(f"{lake}/orders", rows, mode="overwrite")
    else:
        by_dlt(rows, Path(lake))


def wanted(data: str, countries: str) -> pa.RecordBatchReader:
    """The rows to be written, as Arrow batches."""
    import duckdb

    base = duckdb.connect()
    base.execute("SET threads = 2; SET memory_limit = '4GB'; SET TimeZone = 'UTC'")
    kinds = ", ".join(f"'{name}': '{_TYPES.get(kind, kind)}'" for name, kind in COLUMNS.items())
    cleaned = ", ".join(
        f"nullif(trim({name}), '') AS {name}" if kind == "string" else name for name, kind in COLUMNS.items()
    )
    return base.execute(
        f"""
        SELECT o.*, c.country_name, c.region FROM (
            SELECT {cleaned} FROM read_csv($data, header = true, nullstr = ['NULL', ''], columns = {{{kinds}}})
            QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY updated_at DESC) = 1
        ) o LEFT JOIN read_csv($countries, header = true,
            columns = {{'country': 'varchar', 'country_name': 'varchar', 'region': 'integer'}}) c USING (country)
        WHERE o.status <> 'void'
        """,  # noqa: S608 - our own columns
        {"data": f"{data}/part-*.csv", "countries": countries},
    ).fetch_record_batch(_BATCH)


def by_dlt(rows: pa.RecordBatchReader, lake: Path) -> None:
    """Replace the table by dlt's filesystem destination in Delta's format."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(lake.parent / "dlt")}
    import dlt

    def orders() -> Any:
        yield from rows

    made = dlt.resource(orders, name="orders", write_disposition="replace", table_format="delta")
    place = dlt.destinations.filesystem(bucket_url=lake.parent.as_uri())
    pipeline = dlt.pipeline("orders", destination=place, dataset_name=lake.name, pipelines_dir=str(lake.parent / "dlt"))
    pipeline.run(made).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
