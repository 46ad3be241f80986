"""Given a file with errors among good ones, when the dag-processor reads them, then the UI lists its errors under its
own name, with their places, and the other DAGs live on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.airflow.lanes import PROJECT
from tests.airflow.lanes.versions import Home

pytestmark = [pytest.mark.airflow, pytest.mark.e2e]

GOOD = {"daily", "hourly", "manual", "often", "rollup", "weekly"}


def test_the_dag_processor_lists_the_errors_of_a_file_under_its_own_name(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    broken = project / "dags/pipelines/sub/orders.yaml"
    broken.parent.mkdir()
    text = (PROJECT / "dags/pipelines/daily.yaml").read_text().replace("${env.lake}/flights", "${env.lake}/orders")
    broken.write_text(text.replace("owner:", "ownr:").replace("format: csv", "format: cvs", 1))
    home = Home(tmp_path, project / "dags")
    home.airflow("db", "migrate")
    for _ in range(2):  # the second pass finds the first one's error there
        home.process_dags()
        errors = home.import_errors()
        assert set(errors) == {"pipelines/sub/orders.yaml"}
        told = errors["pipelines/sub/orders.yaml"]
        assert (
            "pipelines/sub/orders.yaml:2:1: error[unknown-key]: ownr: unknown key 'ownr'; did you mean 'owner'" in told
        )
        assert "pipelines/sub/orders.yaml:17:13: error[unknown-value]: extract.flights.format" in told
        assert home.live_dags() == GOOD
    broken.write_text(text)
    home.process_dags()
    assert home.import_errors() == {}
    assert home.live_dags() == GOOD | {"orders"}
