"""The project of tests/spec, and a pipeline whose test files are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_etl.testing.cases import Cases, load_cases
from tests.spec.conftest import Project, changed, project

__all__ = ["changed", "project"]

PIPELINE = """\
schedule: "@daily"
start: 2013-01-01
timezone: America/New_York
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
    null_values: ["", NA]
    columns:
      id: {type: int, required: true}
      at: {type: timestamp}
      note: {type: string}
  rates:
    type: table
    format: delta
    path: ${env.lake}/rates
    window: all
transform:
  - from: orders
check:
  - not_null: {columns: [id], name: key}
load:
  lake:
    type: delta
    path: ${env.lake}/orders
    write: {strategy: append}
"""

CASES = """\
sources:
  rates: {rows: [], columns: {rate: double}}
cases:
  - name: first
    window: 2013-01-02
    sources:
      orders:
        - {id: 1, at: 2013-01-02T01:00}
    expect:
      datasets:
        result: [{id: 1}]
"""

Read = Callable[[str], Cases]


@pytest.fixture
def read(project: Project) -> Read:
    """A test file of the pipeline above, read."""

    def load(text: str, pipeline: str = PIPELINE) -> Cases:
        loaded = project.load(pipeline)
        assert loaded.pipeline is not None, [str(item) for item in loaded.diagnostics]
        return load_cases(project.write(text, "orders.test.yaml"), loaded.pipeline)

    return load


@pytest.fixture
def told(read: Read) -> Callable[[str], list[str]]:
    """What is wrong with a test file, as `line:col code key | message | hint`."""

    def tell(text: str) -> list[str]:
        return [
            f"{item.line}:{item.column} {item.code} {item.key} | {item.message} | {item.hint}"
            for item in read(text).diagnostics
        ]

    return tell
