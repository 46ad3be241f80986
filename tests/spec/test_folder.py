"""What lint tells of several files together, and only then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_etl.cli.main import main
from tests.spec.conftest import PIPELINE, Project

REPLACE = PIPELINE.replace("{strategy: append}", "{strategy: replace_window, column: at}")


def found(capsys: pytest.CaptureFixture[str], *paths: Path) -> list[tuple[str, int, int, str]]:
    main(["lint", "--format", "json", *map(str, paths)])
    told = json.loads(capsys.readouterr().out)
    return [(Path(item["path"]).name, item["line"], item["column"], item["code"]) for item in told]


def test_a_table_of_two_pipelines_is_told_at_the_second_ones_path(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [project.write(REPLACE, "a.yaml"), project.write(REPLACE.replace("${env.lake}", "data/./lake"), "b.yaml")]
    assert found(capsys, *paths) == [("b.yaml", 17, 11, "table-shared")]
    assert found(capsys, paths[1]) == []


def test_pipelines_may_append_to_one_table(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [project.write(PIPELINE, "a.yaml"), project.write(PIPELINE, "b.yaml")]
    assert found(capsys, *paths) == []
    paths.append(project.write(REPLACE, "c.yaml"))
    assert found(capsys, *paths) == [("c.yaml", 17, 11, "table-shared")]


def test_an_asset_that_no_file_provides_is_told_where_a_whole_folder_is_linted(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write(PIPELINE)
    text = PIPELINE.replace('"@daily"', "{assets: [orders.lake, orders.laek]}").replace("lake}/orders", "lake}/b")
    path = project.write(text, "b.yaml")
    assert found(capsys, path.parent) == [("b.yaml", 2, 34, "unknown-asset")]
    assert found(capsys, path) == []


@pytest.mark.parametrize(
    ("asset", "hint"), [("orders.laek", "did you mean 'orders.lake'?"), ("x.y", "an asset is called PIPELINE.LOAD.")]
)
def test_what_to_do_about_a_missing_asset_is_told_in_whole_sentences(
    project: Project, capsys: pytest.CaptureFixture[str], asset: str, hint: str
) -> None:
    project.write(PIPELINE)
    text = PIPELINE.replace('"@daily"', f"{{assets: [{asset}]}}").replace("lake}/orders", "lake}/b")
    path = project.write(text, "b.yaml")
    main(["lint", str(path.parent)])
    assert f"{hint} Another DAG may provide it" in capsys.readouterr().out


def test_assets_of_a_file_with_errors_are_nobodys_fault(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(PIPELINE.replace("filter:", "filtr:"))
    text = PIPELINE.replace('"@daily"', "{assets: [orders.lake]}").replace("lake}/orders", "lake}/b")
    told = found(capsys, project.write(text, "b.yaml").parent)
    assert [code for *_, code in told] == ["unknown-kind"]


def test_a_circle_of_three_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for name, before in ("ab", "bc", "ca"):
        text = PIPELINE.replace('"@daily"', f"{{assets: [{before}.lake]}}").replace("lake}/orders", f"lake}}/{name}")
        folder = project.write(text, f"{name}.yaml").parent
    assert [code for *_, code in found(capsys, folder)] == ["asset-cycle"] * 3
