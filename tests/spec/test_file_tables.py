"""What lint says of loads into folders of files."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec.strategies import kept_by
from tests.spec.conftest import PIPELINE, Project

LOAD = "type: files\n    path: ${env.lake}/out\n    format: csv\n    write: {strategy: snapshot}"
OUT = PIPELINE.replace("type: delta\n    path: ${env.lake}/orders\n    write: {strategy: append}", LOAD)


def test_a_load_into_files_lints(project: Project) -> None:
    assert project.told(OUT) == []


@pytest.mark.parametrize(("strategy", "near"), [("append", "replace_window"), ("merge", "snapshot")])
def test_a_strategy_that_files_cannot_keep_is_refused_with_the_nearest(
    project: Project, strategy: str, near: str
) -> None:
    assert kept_by("files") == ("replace_window", "snapshot")
    (told,) = project.told(OUT.replace("strategy: snapshot", f"strategy: {strategy}"))
    assert "strategy-unsupported load.lake.write.strategy" in told
    assert f"the nearest one is {near}" in told


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("format: json\n    separator: ';'", "separator: json files have no such thing"),
        ("format: csv\n    compression: snappy", "compression: csv files are written with none, gzip, bzip2"),
        ("format: csv\n    quote: ''", "quote: it is one character"),
        ("format: csv\n    separator: '\"'", "separator: it is one or more characters"),
        ("format: csv\n    null_text: 'a,b'", "null_text: it holds the quote, the separator or a line break"),
    ],
)
def test_options_that_cannot_go_together(project: Project, more: str, told: str) -> None:
    found = project.told(OUT.replace("format: csv\n    write", f"{more}\n    write"))
    assert [line for line in found if "option-conflict" in line and told in line], found


TYPED = OUT.replace(
    "    format: csv\ntransform:",
    "    format: json\n    new_columns: freeze\n"
    "    columns: {id: {type: int}, amount: {type: double}, tags: {type: array<string>}}\n"
    "transform:",
)


def test_a_column_that_csv_cannot_give_back_is_found_before_anything_runs(project: Project) -> None:
    (told,) = project.told(TYPED)
    assert "csv can't give back 'tags': array<string>" in told
    assert project.told(TYPED.replace("format: csv\n    write", "format: json\n    write")) == []


def test_folders_are_named_by_dates_texts_and_whole_numbers_alone(project: Project) -> None:
    by = TYPED.replace("format: csv\n    write", "format: parquet\n    partition_by: [id, amount]\n    write")
    (told,) = project.told(by)
    assert "partition_by" in told
    assert "'amount' is double: names of folders can't hold it" in told
