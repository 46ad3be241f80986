"""Which files of a folder are pipelines, and when two of them clash."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_etl.spec import duplicate_names, find_files


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
