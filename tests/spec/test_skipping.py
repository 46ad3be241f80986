"""`skip_if`: windows that are left out on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_etl.cli.main import main
from spark_jobs.errors import ConfigError
from tests.spec.conftest import PIPELINE, Project


def reason(project: Project, skip_if: str, window: str, zone: str = "UTC") -> str | None:
    pipeline = project.pipeline(f"skip_if: {skip_if}\ntimezone: {zone}\n{PIPELINE}")
    return pipeline.skipped(pipeline.window_of(window))


def test_weekdays_and_dates_are_those_of_the_pipelines_zone(project: Project) -> None:
    weekend = "{weekdays: [saturday, sunday]}"
    assert reason(project, weekend, "2013-01-05") == "2013-01-05 is a saturday"
    assert reason(project, weekend, "2013-01-07") is None
    assert reason(project, weekend, "2013-01-05", "Pacific/Auckland") == "2013-01-05 is a saturday"
    assert (
        reason(project, "{dates: ['2013-12-25']}", "2013-12-25") == "2013-12-25 is one of the dates that are left out"
    )
    assert reason(project, "{dates: ['2013-12-25']}", "2013-12-26") is None


def test_a_window_without_its_file_is_left_out(project: Project) -> None:
    missing = '{missing: "${env.raw}/orders/${window.start:%Y-%m-%d}.csv"}'
    path = project.folder / "data/raw/orders/2013-01-01.csv"
    assert reason(project, missing, "2013-01-01") == f"nothing is at {path}"
    path.parent.mkdir(parents=True)
    path.touch()
    assert reason(project, missing, "2013-01-01") is None
    assert reason(project, missing.replace("%d.csv", "*.csv"), "2013-01-01") is None


def test_storage_that_can_not_be_asked_is_said(project: Project) -> None:
    text = (
        (project.folder / "config/environments/local.yaml")
        .read_text()
        .replace("roots: [data]", "roots: [data, nope://x]")
    )
    project.environment(text)
    with pytest.raises(ConfigError, match=r"skip_if.missing: nope://x/a can't be asked for: .*remedy|fsspec"):
        reason(project, "{missing: nope://x/a}", "2013-01-01")


@pytest.mark.parametrize(
    ("skip_if", "said"),
    [
        ("{}", "invalid-value skip_if | skip_if names nothing to leave out"),
        ("{weekdays: [], dates: []}", "invalid-value skip_if | skip_if names nothing to leave out"),
        (
            "{weekdays: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]}",
            "invalid-value skip_if | every day is left out: the pipeline never loads",
        ),
        ("{weekdays: [caturday]}", "unknown-value skip_if.weekdays[0] | 'caturday' is not"),
        ("{weekday: [saturday]}", "unknown-key skip_if.weekday | unknown key 'weekday' | did you mean 'weekdays'?"),
        ("{dates: [2013-02-30]}", "wrong-type skip_if.dates[0]"),
        ("{missing: /etc/passwd}", "path-outside-roots skip_if.missing | '/etc/passwd' leads to"),
    ],
)
def test_what_can_not_be_is_told_at_its_place(project: Project, skip_if: str, said: str) -> None:
    told = project.told(f"skip_if: {skip_if}\n{PIPELINE}")
    assert any(said in line for line in told), told


def test_run_says_why_it_did_nothing(project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = project.write("skip_if: {weekdays: [saturday]}\n" + PIPELINE)
    report = tmp_path / "report.json"
    assert main(["run", str(path), "--window", "2013-01-05", "--json", str(report)]) == 0
    assert "skipped, since 2013-01-05 is a saturday" in capsys.readouterr().out
    assert '"state": "skipped"' in report.read_text()
