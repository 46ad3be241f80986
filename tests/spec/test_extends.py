"""`extends`: five hundred alike files stay short, and what is wrong is told where it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_etl.spec import find_files
from tests.spec.conftest import PIPELINE, Project

BASE = PIPELINE + "owner: data-platform\nretries: {attempts: 7, delay: 5m}\ntags: [a, b]\n"


def test_a_file_has_what_its_base_has_and_says_the_rest(project: Project) -> None:
    project.write(BASE, "_base.yaml")
    pipeline = project.pipeline("extends: _base.yaml\nretries: {attempts: 1}\ntags: [c]\n")
    assert (pipeline.name, pipeline.owner, pipeline.tags) == ("orders", "data-platform", ("c",))
    assert (pipeline.retries.attempts, pipeline.retries.delay) == (1, timedelta(minutes=5))
    assert list(pipeline.extract) == ["orders"]


def test_the_name_of_the_pipeline_is_the_files_own(project: Project) -> None:
    project.write(BASE.replace("/orders/", "/${pipeline}/"), "_base.yaml")
    loaded = project.load("extends: _base.yaml\n", "returns.yaml")
    assert loaded.pipeline is not None
    assert loaded.pipeline.extract["orders"].path.startswith("data/raw/returns/")


def test_a_file_and_its_copy_written_out_are_one_configuration(project: Project) -> None:
    project.write(BASE, "_base.yaml")
    assert project.pipeline("extends: _base.yaml\n").fingerprint == project.pipeline(BASE).fingerprint


def test_bases_have_bases_each_from_its_own_folder(project: Project) -> None:
    project.write(BASE, "_shared/root.yaml")
    project.write("extends: root.yaml\nowner: middle\n", "_shared/team.yaml")
    pipeline = project.pipeline("extends: _shared/team.yaml\n")
    assert (pipeline.owner, pipeline.retries.attempts) == ("middle", 7)


def test_a_schedule_a_kind_and_a_strategy_replace_those_of_the_base(project: Project) -> None:
    base = BASE.replace("{strategy: append}", "{strategy: replace_window, column: day}")
    project.write(base, "_base.yaml")
    text = "extends: _base.yaml\nschedule: {every: 15m}\nload: {lake: {write: {strategy: append}}}\n"
    pipeline = project.pipeline(text)
    assert pipeline.load["lake"][1].write.strategy == "append"
    project.write(base.replace('"@daily"', "{every: 1h}"), "_base.yaml")
    assert project.pipeline("extends: _base.yaml\nschedule: manual\n").catchup is False


def test_the_environments_defaults_are_below_the_base(project: Project) -> None:
    environment = (project.folder / "config/environments/local.yaml").read_text()
    project.environment(environment + "defaults: {owner: nobody, catchup: true}\n")
    project.write(BASE, "_base.yaml")
    pipeline = project.pipeline("extends: _base.yaml\n")
    assert (pipeline.owner, pipeline.catchup) == ("data-platform", True)


def test_what_is_wrong_in_the_base_is_told_in_the_base(project: Project) -> None:
    path = project.write(BASE.replace("format: csv", "format: cvs"), "_base.yaml")
    [error] = project.load("extends: _base.yaml\n").errors
    assert (error.path, error.line, error.code) == (str(path), 8, "unknown-value")


def test_a_base_that_is_broken_is_told_for_every_file_that_extends_it(project: Project) -> None:
    path = project.write("owner: [\n", "_base.yaml")
    for name in ("a.yaml", "b.yaml"):
        assert {error.path for error in project.load("extends: _base.yaml\n", name).errors} >= {str(path)}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("gone.yaml", "extends-missing"),
        ("../../../../../etc/passwd", "extends-outside"),
        ("/etc/hostname", "extends-outside"),
        ("orders.yaml", "extends-cycle"),
        ("_circle.yaml", "extends-cycle"),
        ("[a.yaml]", "wrong-type"),
        ('""', "wrong-type"),
    ],
)
def test_a_base_that_can_not_be_one_is_refused_at_its_place(project: Project, written: str, code: str) -> None:
    project.write("extends: orders.yaml\n", "_circle.yaml")
    told = project.told(f"extends: {written}\n{PIPELINE}")
    assert [line for line in told if f" {code} extends | " in line], told


def test_a_base_behind_a_link_out_of_the_project_is_refused(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "secret.yaml"
    outside.write_text("password: hunter2\n")
    (project.folder / "dags").mkdir(exist_ok=True)
    (project.folder / "dags/_link.yaml").symlink_to(outside)
    told = project.told(f"extends: _link.yaml\n{PIPELINE}")
    assert any("extends-outside" in line for line in told)
    assert "hunter2" not in str(told)


def test_a_chain_of_bases_ends_somewhere(project: Project) -> None:
    for place in range(30):
        project.write(f"extends: _{place + 1}.yaml\n", f"_{place}.yaml")
    assert any("extends-too-deep" in line for line in project.told(f"extends: _0.yaml\n{PIPELINE}"))


def test_a_base_that_changes_is_read_anew(project: Project) -> None:
    project.write(BASE, "_base.yaml")
    assert project.pipeline("extends: _base.yaml\n").owner == "data-platform"
    project.write(BASE.replace("data-platform", "another-team-now"), "_base.yaml")
    assert project.pipeline("extends: _base.yaml\n").owner == "another-team-now"


def test_bases_are_no_pipelines_of_their_own(project: Project) -> None:
    for name in ("_base.yaml", "_shared/x.yaml", ".hidden.yaml", "a/b.yaml", "a/b.test.yaml"):
        project.write(PIPELINE, name)
    assert [path.name for path in find_files(project.folder / "dags")] == ["b.yaml"]
