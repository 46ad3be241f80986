"""`jars FILE` names what a pipeline needs, for people, for `spark.jars.packages` and for the folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_etl.cli.main import main
from tests.spec.conftest import ENVIRONMENT, PIPELINE
from tests.spec.test_services import EMR, FAR

DELTA = "io.delta:delta-spark_4.1_2.13:4.4.0,io.delta:delta-storage:4.4.0"


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "config/environments").mkdir(parents=True)
    (tmp_path / "config/environments/local.yaml").write_text(ENVIRONMENT)
    (tmp_path / "orders.yaml").write_text(PIPELINE)
    return str(tmp_path / "orders.yaml")


def test_it_says_what_and_how_sure(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jars", file]) == 0
    said = capsys.readouterr().out
    assert "orders: Spark 4.1, engine local, jars from " in said
    assert "Delta Lake, for load.lake (evidence: run; " in said
    assert main(["jars", file, "--format", "packages"]) == 0
    assert capsys.readouterr().out == f"{DELTA}\n"
    assert main(["jars", file, "--format", "files"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "io.delta_delta-storage-4.4.0.jar"


def test_what_can_not_be_is_1_with_the_nearest(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jars", file, "--spark", "4.3"]) == 1
    assert "Delta Lake can't be used on Spark 4.3" in capsys.readouterr().err
    assert main(["jars", file, "--spark", "4.3", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["packages"] == []
    assert "Spark 4.2 has all that the pipeline uses" in told["errors"][0]


def test_a_jar_that_no_lock_has_is_told_and_a_version_is_one(
    file: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["jars", file, "--spark", "4.2"]) == 0
    assert (
        "no lock has io.delta:delta-spark_4.2_2.13:4.4.1, io.delta:delta-storage:4.4.1: put" in capsys.readouterr().out
    )
    azure = ENVIRONMENT.replace("quarantine: data/quarantine", "quarantine: abfss://q@shop.example.net/q")
    (tmp_path / "config/environments/local.yaml").write_text(azure)
    assert main(["jars", file, "--format", "files"]) == 0
    assert capsys.readouterr().err == "no lock has org.apache.hadoop:hadoop-azure:3.4.2\n"
    assert main(["jars", file, "--spark", "newest"]) == 2
    assert "'newest' is no version" in capsys.readouterr().err


def test_a_service_brings_its_jars_and_no_folder_is_named(
    file: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    far = FAR.replace("ENGINE", f"{{{EMR}}}")
    (tmp_path / "config/environments/local.yaml").write_text(far)
    assert main(["jars", file]) == 0
    said = capsys.readouterr().out
    assert "engine far, jars brought by the service, or named in its conf" in said
    assert "folder" not in said
