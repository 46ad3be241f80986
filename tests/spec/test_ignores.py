"""`# etl: ignore=CODE` takes warnings back, where it stands and nowhere else; errors it never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_etl.cli.main import main
from tests.spec.conftest import PIPELINE, Project

SHORT = "timeout: 5s"


def lint(capsys: pytest.CaptureFixture[str], *paths: Path) -> list[str]:
    main(["lint", *map(str, paths)])
    return [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()[:-1]]


@pytest.mark.parametrize(
    "text",
    [
        f"{PIPELINE}{SHORT}  # etl: ignore=timeout-short\n",
        f"{PIPELINE}# etl: ignore=timeout-short\n{SHORT}\n",
        f"{PIPELINE}# etl: ignore=timeout-short\n# why: the source is tiny\n\n{SHORT}\n",
        f"{PIPELINE}{SHORT} # etl: ignore=no-window, timeout-short\nfreshness: 1s # etl: ignore=freshness-short\n",
        f"# etl: ignore-file=timeout-short\n{PIPELINE}{SHORT}\n",
        f"{PIPELINE}{SHORT}\n# etl: ignore-file = timeout-short\n",
    ],
)
def test_a_comment_ignores_a_warning(project: Project, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert [line for line in lint(capsys, project.write(text)) if "useless" not in line] == []


@pytest.mark.parametrize(
    "text",
    [
        f"{PIPELINE}{SHORT}\nowner: me  # etl: ignore=timeout-short\n",
        f"# etl: ignore=timeout-short\n{PIPELINE}{SHORT}\n",
        f"{PIPELINE}{SHORT}  # etl: ignore=timeout\n",
    ],
)
def test_a_comment_elsewhere_ignores_nothing_and_is_told(
    project: Project, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    told = "\n".join(lint(capsys, project.write(text)))
    assert "warning[timeout-short]" in told
    assert "warning[useless-ignore]" in told


def test_an_error_cannot_be_ignored(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    text = PIPELINE.replace("filter: amount > 0", "filter: amount >  # etl: ignore=expression-syntax")
    text = text.replace("- filter", "- filter").replace("amount >  #", "amount > (  #")
    path = project.write(text)
    told = lint(capsys, path)
    assert any("error[expression-syntax]" in line for line in told)
    assert any("warning[useless-ignore]" in line and "errors can't be ignored" in line for line in told)
    assert project.load(text).pipeline is None


def test_what_clashes_between_files_can_be_ignored_too(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    daily = PIPELINE.replace('"@daily"', "{assets: [by_hand.lake]}").replace("lake}/orders", "lake}/daily")
    folder = project.write(daily, "daily.yaml").parent
    assert ["warning[unknown-asset]" in line for line in lint(capsys, folder)] == [True]
    project.write(daily.replace("[by_hand.lake]}", "[by_hand.lake]}  # etl: ignore=unknown-asset"), "daily.yaml")
    assert lint(capsys, folder) == []


def test_a_text_that_speaks_of_it_is_no_comment(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        lint(capsys, project.write(PIPELINE.replace("Orders, one day a window", '"x#etl: ignore=timeout-short"'))) == []
    )
