"""Data Docs: Great Expectations draws a page of what a run's checks found; what goes wrong with it decides nothing."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from dataclasses import replace
from functools import partial
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_etl.cli.docs import _asking, _Local
from airflow_provider_etl.cli.main import main
from spark_jobs.check.gx import validation_results
from spark_jobs.data_docs import MOST, Docs
from spark_jobs.docs_page import page
from spark_jobs.report import CheckResult, Report
from spark_jobs.session import Storage
from tests.spark_jobs.check.checking import built
from tests.spec.conftest import ENVIRONMENT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WINDOW = {"key": "2013-01-01", "start": "2013-01-01T00:00:00Z", "end": "2013-01-02T00:00:00Z", "timezone": "UTC"}
CHECKS = built(
    [
        {"not_null": {"columns": ["trip", "minutes"]}},
        {"condition": {"holds": "minutes > 0", "name": "lasting"}},
        {"mean": {"column": "minutes", "max": 60, "on_fail": "warn"}},
        {"expectation": {"type": "expect_column_max_to_be_between", "kwargs": {"column": "minutes", "max_value": 9}}},
        {
            "expectation": {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {"column": "minutes", "row_condition": "trip > 1", "condition_parser": "spark"},
            }
        },
    ]
)


def result(kind: str, column: str | None, *, success: bool = True, **more: Any) -> CheckResult:
    given: dict[str, Any] = {"name": kind, "kind": kind, "dataset": "trips", "observed": 4, "element_count": 4}
    shares = {"unexpected_percent_total": 0.0, "unexpected_percent_nonmissing": 0.0}
    return CheckResult(column=column, success=success, **(given | shares | more))


RESULTS = [
    result("not_null", "trip"),
    result("not_null", "minutes", success=False, unexpected_count=1, unexpected_percent_total=25.0),
    result("condition", "minutes > 0", name="lasting"),
    result("mean", "minutes", success=False, observed_value=71.5, on_fail="warn"),
    result("expectation", "minutes", element_count=None, observed_value=7, answered_by="great_expectations"),
    result("expectation", "minutes", answered_by="great_expectations"),
]


def docs(folder: str, key: str = "2013-01-01") -> Docs:
    notes = {"trips": {"0": {"notes": {"format": "markdown", "content": ["Billing counts trips by it."]}}}}
    window = WINDOW | {"key": key}
    return Docs(folder=folder, pipeline="trips", id="t1", window=window, checks={"trips": CHECKS}, notes=notes)


def test_beside_each_page_lies_what_great_expectations_reads(tmp_path: Path) -> None:
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema

    assert docs(str(tmp_path)).told(RESULTS, _Local)["state"] == "written"
    read: Any = ExpectationSuiteValidationResultSchema().loads((tmp_path / "t1/2013-01-01/trips.json").read_text())
    assert (read["success"], read["statistics"]["unsuccessful_expectations"]) == (False, 2)
    assert [item.expectation_config.type for item in read["results"]][:2] == ["expect_column_values_to_not_be_null"] * 2
    assert read["results"][1].result["unexpected_count"] == 1


def test_a_run_s_checks_are_a_page_and_its_window_is_in_the_index(tmp_path: Path) -> None:
    told = docs(str(tmp_path)).told(RESULTS, _Local)
    path = tmp_path / "t1/2013-01-01/trips.html"
    assert told == {"state": "written", "pages": {"trips": str(path)}, "message": ""}
    text = path.read_text()
    for word in ("trips: trips", "71.5", "condition: holds: minutes ", "2013-01-01"):
        assert word in text, word
    assert 'href="../index.html"' in text
    assert "expectations/trips" not in text, "no page of a suite is drawn"
    assert text.index(".fa-check-circle::before") < text.index("font-awesome"), (
        "the web's signs win where there are any"
    )
    assert json.loads((path.parent / "summary.json").read_text()) == {"trips": {"passed": 4, "warned": 1, "failed": 1}}
    docs(str(tmp_path), "2013-01-02").told([replace(item, success=True) for item in RESULTS], _Local)
    index = (tmp_path / "t1/index.html").read_text()
    assert '<a href="2013-01-01/trips.html">trips</a></td><td class="failed">4 passed, 1 warned, 1 failed<' in index
    assert index.index("2013-01-02") < index.index("2013-01-01"), "the newest first"


def test_a_page_says_what_the_run_made_of_a_check(tmp_path: Path) -> None:
    """Rows that are set aside don't make a window fail, nor does a check that only warns: `Status` says so too."""
    counted = {"unexpected_count": 1, "unexpected_percent_total": 25.0}
    aside = result("not_null", "minutes", on_fail="quarantine", **counted)
    warned, failed = (result("not_null", "minutes", on_fail=how, success=False, **counted) for how in ("warn", "stop"))
    for answer, status in ((aside, "Succeeded"), (warned, "Succeeded"), (failed, "Failed")):
        checks = built([{"not_null": {"columns": ["minutes"], "on_fail": answer.on_fail}}])
        text = page("trips", WINDOW, validation_results(checks, [answer]))
        shown = " ".join(re.sub(r"<[^>]+>", " ", text).split())
        assert f"Status: {status}" in shown, answer.on_fail
        assert "values must never be null" in shown
        assert "of the time" not in shown


def test_what_great_expectations_has_no_words_for_takes_no_page_with_it() -> None:
    """Its class refuses texts as bounds, which its JSON may have."""
    checks = built([{"in_range": {"column": "code", "min": "a", "max": "z"}}, {"not_null": {"columns": ["trip"]}}])
    told = validation_results(checks, [result("in_range", "code"), result("not_null", "trip")])
    assert told[0]["expectation_config"]["type"] == "expect_column_values_to_be_between"
    text = page("trips", WINDOW, told)
    assert "expect_column_values_to_be_between: column: code, min_value: a, max_value: z" in text
    assert "values must never be null." in text


def test_the_index_lists_the_newest_windows_alone(tmp_path: Path) -> None:
    for number in range(MOST + 5):
        folder = tmp_path / f"t1/2012-{number:05}"
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text('{"trips": {"passed": 1, "warned": 0, "failed": 0}}')
    docs(str(tmp_path)).told(RESULTS, _Local)
    index = (tmp_path / "t1/index.html").read_text()
    assert (index.count("<a href"), "2012-00004" in index) == (MOST, False)


def test_a_summary_that_can_t_be_read_hides_no_other(tmp_path: Path) -> None:
    for number, text in enumerate(("", "[]", '{"trips": 7}', '{"trips": {"passed": "x"}}', '{"trips": {"passed": 1}}')):
        (tmp_path / f"t1/2012-{number}").mkdir(parents=True)
        (tmp_path / f"t1/2012-{number}/summary.json").write_text(text)
    (tmp_path / "t1/2012-x").mkdir()
    for number, raw in enumerate((b"\xff", b'{"trips": {"passed": 1e999}}', b"[" * 100_000)):
        (tmp_path / f"t1/2012-x{number}").mkdir()
        (tmp_path / f"t1/2012-x{number}/summary.json").write_bytes(raw)
    (tmp_path / "t1/2012-xs/summary.json").mkdir(parents=True)
    (tmp_path / "t1/index.html.1.writing").write_text("another run's")
    told = docs(str(tmp_path)).told(RESULTS, _Local)
    assert (told["state"], told["message"]) == ("written", "")
    index = (tmp_path / "t1/index.html").read_text()
    assert [word in index for word in ("2013-01-01", "2012-4", "2012-0", "2012-1", "2012-2", "2012-3", "2012-x")] == [
        *[True] * 2,
        *[False] * 5,
    ]


def test_a_file_that_is_written_here_leaves_no_sum_of_the_one_before(tmp_path: Path) -> None:
    target, stale, other = tmp_path / "a.html", tmp_path / ".a.html.crc", tmp_path / ".b.html.crc"
    for path in (target, stale, other):
        path.write_text("before")
    _Local().write(str(target), "after")
    assert (target.read_text(), stale.exists(), other.exists()) == ("after", False, True)


def test_pages_are_told_where_the_index_alone_can_t_be_written(tmp_path: Path) -> None:
    (tmp_path / "t1/index.html").mkdir(parents=True)
    told = docs(str(tmp_path)).told(RESULTS, _Local)
    assert (told["state"], list(told["pages"])) == ("written", ["trips"])
    assert told["message"].startswith("the index doesn't list them: ")


def test_a_page_that_can_t_be_written_is_told_and_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t1").write_text("a file where a folder is wanted")
    told = docs(str(tmp_path)).told(RESULTS, _Local)
    assert (told["state"], told["pages"]) == ("failed", {})
    assert "t1" in told["message"]
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    told = docs(str(tmp_path)).told(RESULTS, _Local)
    assert "isn't installed; pip install 'airflow-provider-etl[gx]'" in told["message"]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "docs/checks", "https://", "https://a b"])
def test_a_link_is_an_address_on_the_web(project: Path, link: str) -> None:
    from airflow_provider_etl.spec import load_file

    path = project / "trips.yaml"
    path.write_text(path.read_text().replace("https://docs.example.com/checks", f'"{link}"'))
    (problem,) = load_file(path, expressions=True).diagnostics
    assert (problem.line, problem.key) == (3, "data_docs.link")


@pytest.mark.spark
def test_pages_are_written_wherever_spark_can_write(spark: SparkSession, tmp_path: Path) -> None:
    told = docs(f"file://{tmp_path}/docs").told(RESULTS, partial(Storage, spark, f"file://{tmp_path}/docs"))
    assert told["pages"] == {"trips": f"file://{tmp_path}/docs/t1/2013-01-01/trips.html"}
    assert (tmp_path / "docs/t1/index.html").exists()
    assert not list(tmp_path.rglob("*.writing*"))
    index = tmp_path / "docs/t1/index.html"
    index.unlink()
    (index / "in").mkdir(parents=True)  # neither deleted nor replaced: the file beside it goes
    told = docs(f"file://{tmp_path}/docs").told(RESULTS, partial(Storage, spark, f"file://{tmp_path}/docs"))
    assert (told["state"], bool(told["message"]), list(tmp_path.rglob("*.writing*"))) == ("written", True, [])
    told = docs("nowhere://docs").told(RESULTS, partial(Storage, spark, "nowhere://docs"))
    assert (told["state"], told["pages"], "nowhere" in told["message"]) == ("failed", {}, True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    (tmp_path / "config/environments").mkdir(parents=True)
    (tmp_path / "config/environments/local.yaml").write_text(ENVIRONMENT)
    (tmp_path / "trips.yaml").write_text(
        """schedule: "@daily"
start: 2013-01-01
data_docs: {path: "${env.raw}/docs", link: https://docs.example.com/checks}
extract:
  trips: {type: files, path: "${env.raw}/trips/${window.start:%Y-%m-%d}.csv", format: csv}
check:
  - expect_column_values_to_not_be_null: {column: trip, meta: {notes: keys}}
load:
  lake: {type: delta, path: "${env.lake}/trips", write: {strategy: append}}
"""
    )
    return tmp_path


def test_the_command_writes_the_pages_of_a_report(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from airflow_provider_etl.spec import load_file

    pipeline = load_file(project / "trips.yaml").pipeline
    assert pipeline is not None
    answer = result("not_null", "trip", dataset="result", name="expect_column_values_to_not_be_null")
    report = Report(pipeline="trips", window=WINDOW, fingerprint=pipeline.fingerprint, attempt={}, checks=[answer])
    (project / "report.json").write_text(json.dumps(report.to_json()))
    asked = ["docs", str(project / "trips.yaml"), "--report", str(project / "report.json")]
    assert main([*asked, "--out", str(project / "out")]) == 0
    path = project / "out/trips/2013-01-01/result.html"
    assert capsys.readouterr().out == f"result: {path}\n"
    assert path.exists()
    report.checks = [replace(answer, success=False)]
    (project / "report.json").write_text(json.dumps(report.to_json()))
    assert main([*asked, "--out", str(project / "out")]) == 1
    capsys.readouterr()
    report.fingerprint = "0" * 64
    (project / "report.json").write_text(json.dumps(report.to_json()))
    assert main([*asked, "--out", str(project / "out")]) == 2
    assert "trips.yaml was changed after the run" in capsys.readouterr().err


def test_a_window_that_is_asked_for_its_pages_leaves_no_results(project: Path) -> None:
    from airflow_provider_etl.spec import load_file

    path = project / "trips.yaml"
    path.write_text(path.read_text() + "results: true\n")
    pipeline = load_file(path).pipeline
    assert pipeline is not None
    assert pipeline.keeps_results
    asked = Namespace(window="2013-01-01", out=str(project / "out"))
    assert not _asking(pipeline, asked).results


def test_where_the_pages_go_and_the_notes_stand_in_the_plan_and_not_in_the_fingerprint(project: Path) -> None:
    from airflow_provider_etl.spec import load_file
    from spark_jobs.plan import Attempt, Plan

    path = project / "trips.yaml"
    pipeline = load_file(path, expressions=True).pipeline
    assert pipeline is not None
    window = pipeline.window_of("2013-01-01")
    plan = pipeline.plan(window, Attempt(number=1, token="t", run="r"))
    assert plan.data_docs.endswith("/docs")
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))).notes == {"result": {"0": {"notes": "keys"}}}
    path.write_text(path.read_text().replace("/docs}", "/../../docs}").replace('/docs"', '/../../../docs"'))
    (problem,) = load_file(path, expressions=True).diagnostics
    assert problem.code == "path-outside-roots"
    path.write_text("\n".join(line for line in path.read_text().split("\n") if "data_docs" not in line))
    silent = load_file(path, expressions=True).pipeline
    assert silent is not None
    assert silent.fingerprint == pipeline.fingerprint
    assert "notes" not in silent.plan(window, Attempt(number=1, token="t", run="r")).to_json()


HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(1)</script>"


class _Tags(HTMLParser):
    """Counts what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.hostile = 0, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.hostile += any(key == "onerror" or (key, value) == ("src", "x") for key, value in attrs)


def test_no_name_and_no_value_of_rows_is_markup_on_a_page() -> None:
    def drawn(word: str) -> _Tags:
        condition = {"type": "comparison", "column": {"name": word}, "operator": "<", "parameter": word}
        counts = {"element_count": 3, "unexpected_count": 1, "unexpected_percent": 3.0, "missing_count": 0}
        known: Any = {"partition_object": {"values": [word], "weights": [1.0]}, "threshold": 0.1}
        parsed = {"row_condition": 'col("a") > 3', "condition_parser": "great_expectations"}
        ranges = {"quantiles": [0.5], "value_ranges": [[1, 2]]}
        given: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("expect_column_values_to_be_in_set", {"column": word, "value_set": [word]}, counts),
            ("expect_column_max_to_be_between", {"column": "a", "row_condition": condition}, {"observed_value": word}),
            ("expect_column_min_to_be_between", {"column": "a", **parsed}, {"observed_value": [word]}),
            ("expect_column_kl_divergence_to_be_less_than", {"column": "a", **known}, {"observed_value": 0.5}),
            ("expect_column_quantile_values_to_be_between", {"column": word, "quantile_ranges": ranges}, {}),
            ("unexpected_rows_expectation", {"unexpected_rows_query": f"{word} {{batch}}"}, {"observed_value": 1}),
            ("condition", {"holds": word}, counts),
        ]
        results = [
            {
                "success": False,
                "expectation_config": {"type": kind, "kwargs": kwargs, "meta": {word: word}, "severity": "critical"},
                "result": answer,
                "meta": {},
                "exception_info": {"raised_exception": False, "exception_traceback": None, "exception_message": None},
            }
            for kind, kwargs, answer in given
        ]
        text = page(word, {"key": word, "start": "2013-01-01T00:00:00Z"}, results)
        assert escape(word) in text
        tags = _Tags()
        tags.feed(text)
        return tags

    plain, hostile = drawn("plain"), drawn(HOSTILE)
    assert (hostile.hostile, hostile.scripts) == (0, plain.scripts)
