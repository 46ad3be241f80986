"""A pipeline of small daily windows: its file, its environment and its drops, from fixed random seeds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.harness.model import JARS, ROOT
from benchmarks.harness.rows import Rows, of_delta

FIRST: Final = date(2020, 1, 1)
COLUMNS: Final = {"id": "bigint", "at": "timestamp", "customer": "int", "amount": "double", "note": "string"}
SHOWN: Final = {**COLUMNS, "day": "date", "gross": "double"}
ENVIRONMENT: Final = """\
variables: {{raw: "{data}", lake: "{out}/lake", staging: "{out}/staging", quarantine: "{out}/quarantine"}}
roots: ["{data}", "{out}"]
engines:
  here: {{kind: {kind}, cores: 2, memory: 1g, small: true, jars: "{jars}", archive: "{archive}"}}
defaults: {{engine: here}}
"""
PIPELINE: Final = """\
schedule: "@daily"
start: 2020-01-01
end: 2023-12-31
execution: fused
extract:
  events:
    type: files
    path: ${env.raw}/${window.start:%Y-%m-%d}.csv
    format: csv
    columns:
      id: {type: bigint, required: true}
      at: {type: timestamp, required: true}
      customer: {type: int}
      amount: {type: double}
      note: {type: string}
transform:
  - from: events
  - dedupe: {keys: [id], keep: last, order_by: [at]}
  - derive: {day: to_date(at), gross: amount * 1.25}
check:
  - not_null: [id, at]
  - row_count: {min: 1}
load:
  lake:
    type: delta
    path: ${env.lake}/events
    write: {strategy: replace_window, column: at}
    partition_by: [day]
"""


def drops(folder: Path, windows: int, rows: int) -> Path:
    """One CSV file a day; those that are there already are kept.

    Args:
        folder: where generated records are kept.
        windows: days from `FIRST` on.
        rows: of each.

    Returns:
        The folder of the files.
    """
    target = folder / f"events-{rows}"
    target.mkdir(parents=True, exist_ok=True)
    for number in range(windows):
        file = target / f"{FIRST + timedelta(days=number)}.csv"
        if not file.exists():
            _write(file, number, rows)
    return target


def _write(file: Path, number: int, rows: int) -> None:
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute, csv

    random = np.random.default_rng(20_200_101 + number)
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=number)
    seconds = np.datetime64(start.replace(tzinfo=None), "s") + random.integers(0, 86_400, rows).astype("timedelta64[s]")
    table = {
        "id": np.arange(number * rows, (number + 1) * rows),
        "at": compute.strftime(pa.array(seconds), format="%Y-%m-%dT%H:%M:%S"),
        "customer": random.integers(1, 5_000, rows),
        "amount": np.round(random.random(rows) * 900 + 1, 2),
        "note": [f"note {value:016x}" for value in random.integers(0, 2**62, rows)],
    }
    half = file.with_suffix(".half")
    csv.write_csv(pa.table(table), half, write_options=csv.WriteOptions(quoting_style="needed"))
    half.rename(file)


def project(folder: Path, data: Path, kind: str) -> Path:
    """Write the pipeline and its environment; the pipeline's file.

    Args:
        folder: where they, and all that runs write, go.
        data: the folder of the drops.
        kind: of the engine.
    """
    environment = folder / "config/environments/local.yaml"
    environment.parent.mkdir(parents=True, exist_ok=True)
    archive = ROOT / ".cache/spark.jsa"
    environment.write_text(ENVIRONMENT.format(data=data, out=folder, kind=kind, jars=JARS, archive=archive))
    file = folder / "events.yaml"
    file.write_text(PIPELINE)
    return file


def loaded(folder: Path) -> Rows:
    """The rows of the table."""
    return of_delta(folder / "lake/events", SHOWN)
