"""Where loads may lie, whatever their paths are spelled like."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.paths import nested
from spark_jobs.errors import ConfigError
from spark_jobs.plan import Attempt
from spark_jobs.window import Window
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

LOAD = PIPELINE[PIPELINE.index("load:\n") :]
DAY = Window(start=datetime(2013, 1, 1, tzinfo=UTC), end=datetime(2013, 1, 2, tzinfo=UTC))
ATTEMPT = Attempt(number=1, token="t", run="r")


def second(path: str) -> str:
    """PIPELINE with one more load."""
    return PIPELINE + LOAD.removeprefix("load:\n").replace("lake:", "copy:").replace("${env.lake}/orders", path)


def test_one_table_by_another_spelling_is_one_table(project: Project) -> None:
    assert "data/lake" in ENVIRONMENT
    for path in (f"{project.folder}/data/lake/orders", "data/raw/../lake/orders/", "file://$ROOT/data/lake/orders"):
        told = project.told(second(path.replace("$ROOT", str(project.folder))))
        assert ["destination-shared" in line for line in told] == [True], (path, told)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("${env.lake}/orders/copy", "it lies in the folder of load 'lake'"),
        ("${env.lake}", "in it lies the table of load 'lake'"),
        ("data/staging/orders", "staging is"),
        ("data/quarantine/orders", "quarantine is"),
        ("data", "in it lies the table of load 'lake'"),
    ],
)
def test_a_table_in_a_folder_that_somebody_else_sweeps_is_refused(project: Project, path: str, said: str) -> None:
    told = project.told(second(path))
    assert any(" table-nested load.copy.path | " in line and said in line for line in told), told


def test_neighbours_are_no_nests(project: Project) -> None:
    assert project.told(second("${env.lake}/orders_copy")) == []
    assert project.told(second("${env.lake}/order")) == []
    assert nested("/a/b", "/a/b/")
    assert nested("/a", "/a/b")
    assert not nested("/a/bc", "/a/b")
    assert nested("s3a://bucket/a", "s3a://bucket/a/b")


def test_a_path_that_only_a_run_knows_is_refused_before_anything_is_read(project: Project) -> None:
    text = "params: {place: {type: string, default: copies}}\n" + second("${env.lake}/${param.place}")
    pipeline = load_file(project.write(text)).pipeline
    assert pipeline is not None
    assert pipeline.with_params({}).plan(DAY, ATTEMPT).load["copy"][1].path.endswith("/copies")
    for place, said in (("orders", "load 'lake' writes the same table"), ("orders/a", "it lies in the folder of load")):
        with pytest.raises(ConfigError, match=said):
            pipeline.with_params({"place": place}).plan(DAY, ATTEMPT)


def test_a_table_in_another_files_table_is_told_when_both_are_linted(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(PIPELINE, "orders.yaml")
    inner = PIPELINE.replace("${env.lake}/orders", "${env.lake}/orders/web")
    written = project.write(inner, "web.yaml")
    assert main(["lint", str(project.folder / "dags")]) == 1
    told = capsys.readouterr().out
    assert "table-nested" in told
    assert "it lies in the folder of load 'lake' of" in told
    written.unlink()
    project.write(inner, "a.yaml")
    assert main(["lint", str(project.folder / "dags")]) == 1
    assert "in it lies the table of load 'lake' of" in capsys.readouterr().out


@pytest.mark.parametrize("quarantine", ["data/staging", "data/staging/bad", "./data/./staging/"])
def test_quarantine_doesnt_lie_in_staging(project: Project, quarantine: str) -> None:
    project.environment(ENVIRONMENT.replace("quarantine: data/quarantine", f"quarantine: {quarantine}"), "local")
    (told,) = project.told(PIPELINE)
    assert "invalid-value variables.quarantine" in told
    assert "share a folder, and staging is swept" in told
