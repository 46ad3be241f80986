"""Which files of a folder are pipelines, and when two of them clash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec import duplicate_names, find_files
from airflow_provider_etl.spec.files import RULE, left_out
from tests.spec.conftest import PIPELINE, Project


def test_hidden_files_hidden_folders_and_tests_are_left_out(tmp_path: Path) -> None:
    names = [
        "b.yaml",
        "a.yml",
        "sub/deep/c.yaml",
        ".hidden.yaml",
        ".git/d.yaml",
        "a.test.yaml",
        "a.test.yml",
        "x.json",
        "yaml",
        "e.YAML",
    ]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)] == ["a.yml", "b.yaml", "sub/deep/c.yaml"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert find_files(tmp_path) == [tmp_path / "a.yaml"]


def test_the_second_file_of_a_dag_id_is_the_one_that_is_told(tmp_path: Path) -> None:
    paths = [tmp_path / "a/x.yaml", tmp_path / "b/x.yml", tmp_path / "b/y.yaml", tmp_path / "a/../a/x.yaml"]
    (found,) = duplicate_names(paths)
    assert (found.path, found.line, found.column, found.code) == (str(paths[1]), 1, 1, "duplicate-dag")
    assert str(paths[0]) in found.message


def test_environments_are_no_pipelines(tmp_path: Path) -> None:
    for name in ("config/environments/local.yaml", "config/a.yaml", "environments/b.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)] == [
        "config/a.yaml",
        "environments/b.yaml",
    ]
    assert find_files(tmp_path / "config/environments") == []


def test_what_somebody_may_have_meant_is_told(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.yaml", "b.YAML", "sub/c.Yml", ".d.YAML", "e.txt"):
        (tmp_path / name).touch()
    (tmp_path / "linked").symlink_to(tmp_path / "sub")
    (tmp_path / ".hidden").symlink_to(tmp_path / "sub")
    told = [(Path(item.path).name, item.severity, item.code, item.hint) for item in left_out(tmp_path)]
    assert told == [
        ("b.YAML", "error", "file-ending", "rename it to b.yaml"),
        ("linked", "warning", "linked-folder", "name it by itself, or put the files here"),
        ("c.Yml", "error", "file-ending", "rename it to c.yml"),
    ]


def test_the_rule_is_stated_where_people_look(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["lint", "--help"])
    assert " ".join(RULE.split()) in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("größe.yaml", "'größe' can't be a DAG's id"),
        ("a b.yaml", "'a b' can't be a DAG's id"),
        (" .yaml", "' ' can't be a DAG's id"),
        ("日本.yaml", "can't be a DAG's id"),
        ("x" * 200 + ".yaml", ""),
        ("x" * 250 + ".yaml", "has 250 characters, 200 is the most"),
        ("a..b.yaml", "can't be a DAG's id"),
        ("-a.yaml", "can't be a DAG's id"),
        ("2013.yaml", ""),
    ],
)
def test_names_of_files_get_a_clear_verdict(project: Project, name: str, told: str) -> None:
    loaded = project.load(PIPELINE, name)
    assert [item.code for item in loaded.errors] == (["invalid-name"] if told else [])
    assert told in "".join(item.message for item in loaded.errors)
    assert all(item.hint for item in loaded.errors)


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_name_that_is_no_utf_8_can_be_told_in_every_form(project: Project, form: str) -> None:
    bad = os.fsencode(project.folder) + b"/\xff.yaml"
    Path(os.fsdecode(bad)).write_text(PIPELINE)
    done = subprocess.run(
        [sys.executable, "-m", "airflow_provider_etl.cli.main", "lint", str(project.folder), "--format", form],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "invalid-name" in done.stdout.decode("utf-8")
    assert not done.stderr


def test_every_beginning_of_a_file_is_a_verdict(project: Project) -> None:
    """A processor may read a file while it is written: an error with its place, or a pipeline; never an exception."""
    whole = 0
    for end in range(len(PIPELINE)):
        loaded = project.load(PIPELINE[:end], expressions=end % 10 == 0)
        assert (loaded.pipeline is None) == bool(loaded.errors)
        assert all(item.line >= 1 and item.column >= 1 and item.message for item in loaded.errors)
        whole += loaded.pipeline is not None
    assert whole <= len("\n")  # the verb that must be there stands last: only the file but for its end is one too
