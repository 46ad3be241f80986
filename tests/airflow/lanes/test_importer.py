"""Given Airflow 3.4 with our importer, then a pipeline file is its DAG's own file: its code is shown, its errors are
listed under its name, and a task finds its DAG in it. The registry and the dag-processor are Airflow's own."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.lanes import PROJECT
from tests.airflow.lanes.versions import AIRFLOW_VERSION, Home

pytestmark = [pytest.mark.airflow, pytest.mark.skipif(AIRFLOW_VERSION < (3, 4), reason="importers came with 3.4")]

CONFIGURED = json.dumps([{"classpath": "airflow_provider_etl.factory.importer.PipelineImporter"}])
NAMES = {"daily", "hourly", "manual", "often", "rollup", "weekly"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with the pipelines, the loader that older Airflows need, and YAML files that are none of ours."""
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder)
    (folder / "dags/other.yaml").write_text("some: thing\n")
    (folder / "dags/pipelines/daily.test.yaml").write_text("rows: []\n")
    (folder / "dags/pipelines/.hidden.yaml").write_text("x: 1\n")
    return folder / "dags"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Airflow's registry of importers, as it is configured."""
    from airflow.sdk.importers import get_importer_registry, reset_importer_registry

    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_IMPORTER_CONFIGS", CONFIGURED)
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    reset_importer_registry()
    yield get_importer_registry
    reset_importer_registry()


def bag_of(path: Path, bundle: Path) -> Any:
    """As the dag-processor and a worker read one file."""
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(dag_folder=str(path), bundle_path=bundle, bundle_name="dags-folder")


def test_the_files_below_the_folder_are_dags_and_the_loader_leaves_them_alone(bundle: Path, registry: Any) -> None:
    bag = bag_of(bundle, bundle)
    assert not bag.import_errors
    assert set(bag.dags) == NAMES
    assert bag.dags["daily"].relative_fileloc == "pipelines/daily.yaml"
    assert bag.dags["daily"].fileloc == str(bundle / "pipelines/daily.yaml")
    assert bag.dags["daily"].doc_md == "Flights of a local day, one task per verb"


def test_a_task_finds_its_dag_in_the_one_file(bundle: Path, registry: Any) -> None:
    bag = bag_of(bundle / "pipelines/daily.yaml", bundle)
    assert set(bag.dags) == {"daily"}
    assert bag.dags["daily"].get_task("load").pipeline == "daily.yaml"
    assert bag.dags["daily"].get_task("load").read().name == "daily"
    source = bag.dag_source_codes["daily"]
    assert (source.language, source.source_code) == ("yaml", (bundle / "pipelines/daily.yaml").read_text())


def test_errors_and_a_name_that_is_taken_are_told_file_by_file(bundle: Path, registry: Any) -> None:
    (bundle / "pipelines/sub").mkdir()
    good = (bundle / "pipelines/daily.yaml").read_text()
    (bundle / "pipelines/orders.yaml").write_text(good.replace("owner:", "ownr:"))
    (bundle / "pipelines/sub/daily.yaml").write_text(good)
    bag = bag_of(bundle, bundle)
    assert set(bag.dags) == NAMES
    assert set(bag.import_errors) == {"pipelines/orders.yaml", "pipelines/sub/daily.yaml"}
    assert bag.import_errors["pipelines/orders.yaml"].startswith("pipelines/orders.yaml:2:1: error[unknown-key]: ownr:")
    assert "DAG id 'daily' is taken by" in bag.import_errors["pipelines/sub/daily.yaml"]
    assert bag.dags["daily"].relative_fileloc == "pipelines/daily.yaml"


def test_warnings_are_dag_warnings_and_errors_where_the_deployment_is_strict(
    bundle: Path, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bundle / "pipelines/daily.yaml"
    unused = "  unused: {type: files, path: x, format: csv, window: all}\ntransform:"
    file.write_text(file.read_text().replace("transform:", unused.replace("path: x", "path: data/x")))
    bag = bag_of(file, bundle)
    assert {warning.warning_type for warning in bag.dag_warnings} == {"etl:unused-dataset"}
    monkeypatch.setenv("AIRFLOW__ETL__STRICT", "True")
    bag = bag_of(file, bundle)
    assert not bag.dags
    assert "warning[unused-dataset]" in bag.import_errors["pipelines/daily.yaml"]


def test_the_folder_may_be_another_and_the_whole_bundle(bundle: Path, registry: Any) -> None:
    from airflow_provider_etl.factory.importer import PipelineImporter

    def listed(root: Path, folder: str | None) -> set[str]:
        class Bundle:
            path, name = root, "b"

        importer = PipelineImporter(folder=folder)
        return {item.path.stem for item in importer.list_dag_definitions(Bundle())}

    assert listed(bundle, None) == NAMES
    assert listed(bundle / "pipelines", None) == NAMES
    assert listed(bundle, "elsewhere") == set()
    assert listed(bundle, "dags") == NAMES | {"other"}
    assert listed(bundle, "dags/pipelines") == NAMES


@pytest.mark.e2e
def test_the_code_tab_shows_the_yaml_and_the_processor_lists_errors_per_file(bundle: Path, tmp_path: Path) -> None:
    broken = bundle / "pipelines/orders.yaml"
    broken.write_text((bundle / "pipelines/daily.yaml").read_text().replace("owner:", "ownr:"))
    home = Home(tmp_path, bundle)
    home.environment["AIRFLOW__DAG_PROCESSOR__DAG_IMPORTER_CONFIGS"] = CONFIGURED
    home.airflow("db", "migrate")
    home.process_dags()
    assert set(home.import_errors()) == {"pipelines/orders.yaml"}
    assert home.import_errors()["pipelines/orders.yaml"].startswith("pipelines/orders.yaml:2:1: error[unknown-key]")
    assert home.live_dags() == NAMES
    connection = sqlite3.connect(tmp_path / "airflow.db")
    rows = dict(connection.execute("select dag_id, source_code from dag_code").fetchall())
    connection.close()
    assert rows["daily"] == (bundle / "pipelines/daily.yaml").read_text()
