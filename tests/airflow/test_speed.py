"""What keeps the factory quick, told by structure and not by a clock (`make bench-factory` has the clock)."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec import find_files
from benchmarks.generate import generate
from tests.airflow.project import ROOT

pytestmark = pytest.mark.airflow

# What a file with neither waits nor reports, in four tasks, has no use for before one of them runs.
UNUSED = (
    "pyspark", "py4j", "deltalake", "pyarrow", "pandas", "sqlglot", "networkx", "delta",
    "airflow_provider_etl.cli", "airflow_provider_etl.backfill.facts", "airflow_provider_etl.explaining",
    "airflow_provider_etl.testing", "airflow_provider_etl.spec.columns", "airflow_provider_etl.spec.gate",
    "airflow_provider_etl.spec.sql", "airflow_provider_etl.spec.catalogue", "airflow_provider_etl.sensors.wait",
    "airflow_provider_etl.operators.pipeline", "airflow_provider_etl.engines.local", "spark_jobs.run",
    "spark_jobs.extract.delimited", "spark_jobs.extract.records", "spark_jobs.filesystem", "spark_jobs.transform.sql",
)  # fmt: skip
START = """\
import json, os, sys
from airflow.dag_processing.dagbag import BundleDagBag
os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = "p0002"
before = set(sys.modules)
bag = BundleDagBag(dag_folder=sys.argv[1] + "/etl.py", bundle_path=sys.argv[1], bundle_name="dags")
assert list(bag.dags) == ["p0002"], bag.import_errors
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """The benchmark's project, with a few pipelines."""
    generate(tmp_path, 4)
    return tmp_path / "dags"


def stored(dags: Path, file: str) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = BundleDagBag(dag_folder=str(dags / file), bundle_path=dags, bundle_name="dags")
    assert not bag.import_errors, bag.import_errors
    texts = {name: json.dumps(DagSerialization.to_dict(dag), sort_keys=True) for name, dag in bag.dags.items()}
    return {name: text.replace(file, "FILE") for name, text in texts.items()}


def test_the_start_of_a_task_imports_what_its_file_needs_and_nothing_else(generated: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", START, str(generated)], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    imported = json.loads(done.stdout.splitlines()[-1])
    assert "airflow_provider_etl.factory.build" in imported
    assert [name for name in imported if any(name == item or name.startswith(item + ".") for item in UNUSED)] == []


def test_the_benchmark_compares_the_factory_with_a_loop_that_builds_its_very_dags(generated: Path) -> None:
    ours = stored(generated, "etl.py")
    assert set(ours) == {"p0000", "p0001", "p0002", "p0003"}
    assert stored(generated, "loop.py") == ours


def test_one_file_of_many_is_found_without_a_path_for_each_of_the_others(
    generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.spec import files

    made: list[str] = []
    real = files.is_pipeline
    monkeypatch.setattr(files, "is_pipeline", lambda name: made.append(name) or real(name))
    assert [path.name for path in find_files(generated / "pipelines", name="p0002")] == ["p0002.yaml"]
    assert made == ["p0002.yaml"]


def test_garbage_is_looked_for_again_once_the_files_are_read(generated: Path) -> None:
    from airflow_provider_etl.factory.collector import held_back

    stored(generated, "etl.py")
    assert gc.isenabled()
    with suppress(KeyError), held_back():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with held_back():
            pass
        assert not gc.isenabled(), "who has turned it off for good keeps it off"
    finally:
        gc.enable()
