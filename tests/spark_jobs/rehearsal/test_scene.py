"""Given a real window, when it runs twice over copies of the tables, then the second run is shown to change nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_etl.spec import Pipeline, load_file
from airflow_provider_etl.testing.order import SCRATCH, Subject, order, scene_of_window
from airflow_provider_etl.testing.verdict import Verdict, verdict
from spark_jobs.plan import Attempt
from spark_jobs.rehearsal.scene import Scene
from spark_jobs.rehearsal.scenery import put
from spark_jobs.run import run
from spark_jobs.session import Shared
from tests.airflow.project import FLIGHTS, Project

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

BAD_ROW = "x,UA,2013-01-01T04:30:00-05:00,7"


@pytest.fixture
def shared(spark: SparkSession) -> Shared:
    """The suite's Spark, as a driver shares it."""
    made = Shared()
    made._first = spark
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    return Project.make(tmp_path / "project")


def pipeline_of(project: Project, text: str = FLIGHTS) -> Pipeline:
    loaded = load_file(project.pipeline("flights", text))
    assert loaded.pipeline is not None, loaded.errors
    return loaded.pipeline


def load(pipeline: Pipeline, day: str, number: int, shared: Shared) -> None:
    """Load a window into the real table."""
    attempt = Attempt(number=number << 20, token=f"t{number}", run=f"r{number}")
    assert run(pipeline.plan(pipeline.window_of(day), attempt), shared.session).state == "loaded"


def twice(pipeline: Pipeline, day: str, shared: Shared, folder: Path, last: int | None = None) -> tuple[Verdict, Any]:
    """The verdict on a window that is run twice, and the scene's result."""
    window = pipeline.window_of(day)
    asked = order([scene_of_window(pipeline, window, last)], [pipeline], small=True)["scenes"][0]
    result = scene(asked, folder).play(shared)
    subject = Subject(path="flights.yaml", pipeline=pipeline, case=None, window=window, scene=asked)
    return verdict(subject, result), result


def scene(asked: Any, folder: Path) -> Scene:
    """A scene of an order, its scratch folder made real."""

    def real(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(SCRATCH, str(folder))
        if isinstance(value, Mapping):
            return {key: real(item) for key, item in value.items()}
        return [real(item) for item in value] if isinstance(value, list) else value

    found = real(asked)
    return Scene(**{**found, "folder": Path(found["folder"])})


def state_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file below a folder with its time of change and its content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_window_run_twice_changes_nothing_the_second_time_and_nothing_that_is_real(
    project: Project, shared: Shared, tmp_path: Path
) -> None:
    pipeline = pipeline_of(project)
    load(pipeline, "2013-01-01", 1, shared)
    load(pipeline, "2013-01-02", 2, shared)
    project.drop(1, ["11,UA,2013-01-01T01:30:00-05:00,10", "14,UA,2013-01-01T04:30:00-05:00,40", BAD_ROW])
    before = state_of(project.folder / "data")
    found, result = twice(pipeline, "2013-01-01", shared, tmp_path / "scratch")
    assert (found.state, found.problems) == ("passed", ())
    assert [report["loads"]["lake"]["state"] for report in result["reports"]] == ["loaded", "loaded"]
    assert found.notes == (
        "table lake: all 5 rows, 5 columns, compared row for row after both runs (loaded, loaded)",
        "table lake: the real one isn't touched; loading this window would add 1 rows and take 2",
        "quarantine: 1 rows set aside, compared row for row after both runs",
    )
    assert state_of(project.folder / "data") == before
    assert not (tmp_path / "scratch/0").exists()


def test_a_window_that_was_never_loaded_begins_with_no_table(project: Project, shared: Shared, tmp_path: Path) -> None:
    found, _ = twice(pipeline_of(project), "2013-01-01", shared, tmp_path / "scratch")
    assert found.state == "passed"
    assert found.notes[1].endswith("would add 3 rows and take 0")
    assert not project.lake.exists()


def test_a_step_that_gives_other_rows_each_time_is_found(project: Project, shared: Shared, tmp_path: Path) -> None:
    text = FLIGHTS.replace('late: "dep_delay > 15"', 'late: "rand()"') + "deterministic: false\n"
    found, _ = twice(pipeline_of(project, text), "2013-01-01", shared, tmp_path / "scratch")
    assert found.state == "failed"
    assert found.problems[0].what == "table lake"
    assert found.problems[0].message == "the second run changed it: 3 rows went, 3 came"
    assert [item.kind for item in found.problems[1:]] == ["missing"] * 3 + ["surplus"] * 3


def test_a_run_that_fails_is_told_with_its_reason(project: Project, shared: Shared, tmp_path: Path) -> None:
    text = FLIGHTS.replace("row_count: {min: 1}", "row_count: {min: 4}")
    found, _ = twice(pipeline_of(project, text), "2013-01-01", shared, tmp_path / "scratch")
    assert found.state == "failed"
    assert "the first run failed: check.result: 1 of 3 checks failed: row_count" in found.problems[0].message


def test_a_scene_that_would_write_elsewhere_is_refused_before_it_runs(
    project: Project, shared: Shared, tmp_path: Path
) -> None:
    pipeline = pipeline_of(project)
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), Attempt(number=1, token="t", run="r"))
    inside = str(tmp_path / "scratch")
    for wrong in (
        replace(plan, staging=inside + "/s", quarantine=inside + "/q"),  # the table is the real one
        replace(plan, load={}, staging=inside + "/s"),
        replace(plan, load={}, quarantine=inside + "/q"),
        replace(plan, load={}, staging=inside + "-2/s", quarantine=inside + "/q"),
    ):
        played = Scene(folder=Path(inside), runs=[{"samples": [], "plan": wrong.to_json()}]).play(shared)
        assert "a test would write" in played["error"]["message"]
        assert played["reports"] == []
    assert not project.lake.exists()


def test_a_copied_table_is_linked_but_for_its_log(project: Project, shared: Shared, tmp_path: Path) -> None:
    from spark_jobs.rehearsal.scenery import copy_table

    load(pipeline_of(project), "2013-01-01", 1, shared)
    copy_table(shared.session("x", {}), str(project.lake), tmp_path / "copy")
    assert {path.relative_to(project.lake) for path in project.lake.rglob("*")} == {
        path.relative_to(tmp_path / "copy") for path in (tmp_path / "copy").rglob("*")
    }
    for path in (tmp_path / "copy").rglob("*.parquet"):
        assert path.samefile(project.lake / path.relative_to(tmp_path / "copy"))
    for path in (tmp_path / "copy/_delta_log").iterdir():
        assert not path.samefile(project.lake / "_delta_log" / path.name)


def test_a_table_behind_a_uri_is_copied_too(project: Project, shared: Shared, tmp_path: Path) -> None:
    """By Hadoop's file systems, as from an object store; here it is this machine's own."""
    from spark_jobs.rehearsal.scenery import copy_table

    load(pipeline_of(project), "2013-01-01", 1, shared)
    spark = shared.session("x", {})
    copy_table(spark, f"file://{project.lake}", tmp_path / "copy")
    assert spark.read.format("delta").load(str(tmp_path / "copy")).count() == 3
    copy_table(spark, f"file://{tmp_path}/nowhere", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_sample_that_does_not_fit_its_types_says_so(shared: Shared, tmp_path: Path) -> None:
    from spark_jobs.errors import DataError

    sample = {"path": str(tmp_path / "t.delta"), "format": "delta", "columns": {"a": "int"}, "zone": "UTC"}
    with pytest.raises(
        DataError, match=r"the sample doesn't fit its types: Cannot parse the field name .a. and the value x"
    ):
        put(shared.session("x", {}), sample | {"rows": ['{"a": "x"}']})
