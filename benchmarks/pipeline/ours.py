"""The pipeline file, and its run as `airflow-etl run` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.harness.model import JARS, ROOT
from benchmarks.pipeline.data import COLUMNS

ARCHIVE: Final = ROOT / ".cache/spark.jsa"

ENVIRONMENT: Final = """\
variables: {{raw: {data}, lake: {out}/lake, staging: {out}/staging, quarantine: {out}/quarantine}}
roots: ["{data}", "{out}"]
engines:
  local: {{kind: local, cores: 2, memory: 4g, jars: "{jars}"}}
defaults: {{engine: local}}
"""

PIPELINE: Final = """\
schedule: "@daily"
start: 2024-03-01
execution: {execution}
extract:
  orders:
    type: files
    path: ${{env.raw}}/{folder}/part-*.csv
    format: csv
    window: {{column: ordered_at}}
    null_values: ["", "NULL"]
    columns:
{columns}
  countries:
    type: files
    path: ${{env.raw}}/countries.csv
    format: csv
    window: all
    columns: {{country: {{type: string, required: true}}, country_name: {{type: string}}, region: {{type: int}}}}
transform:
  - from: orders
  - clean: {{trim: all}}
  - dedupe: {{keys: [order_id], keep: last, order_by: [updated_at]}}
  - filter: status <> 'void'
  - join: {{with: countries, on: [country], how: left}}
{checks}load:
  lake:
    type: delta
    path: ${{env.lake}}/orders
    write: {{strategy: replace_window, column: ordered_at}}
"""

CHECKS: Final = """\
check:
  - not_null: [order_id, customer, ordered_at, status]
  - in_range: {{column: amount, min: 0, max: 100000{on_fail}}}
  - in_range: {{column: quantity, min: 1, max: 100}}
  - in_range: {{column: discount, min: 0, max: 1}}
  - in_range: {{column: tax, min: 0, max: 1}}
  - in_set: {{column: currency, values: [EUR, CHF, PLN, SEK]}}
  - matches: {{column: sku, regex: "^sku-[0-9a-f]{{16}}$"}}
  - matches: {{column: email, regex: "^[^@]+@[^@]+$"}}
  - row_count: {{min: 1}}
"""


def project(folder: Path, data: Path, execution: str, *, checks: bool) -> Path:
    """Write the pipeline and its environment.

    Args:
        folder: where they, and all that the run writes, go.
        data: the folder of the records.
        execution: `fused` or `staged`.
        checks: whether there are twelve; rows that fail them are set aside where the records hold bad ones.

    Returns:
        The pipeline's file.
    """
    environment = folder / "config/environments/local.yaml"
    environment.parent.mkdir(parents=True, exist_ok=True)
    environment.write_text(ENVIRONMENT.format(data=data.parent, out=folder, jars=JARS, archive=ARCHIVE))
    columns = "\n".join(f"      {name}: {{type: {kind}}}" for name, kind in COLUMNS.items())
    on_fail = "" if data.name.endswith("-0") else ", on_fail: quarantine"
    said = CHECKS.format(on_fail=on_fail) if checks else ""
    file = folder / "orders.yaml"
    file.write_text(PIPELINE.format(execution=execution, folder=data.name, columns=columns, checks=said))
    return file
