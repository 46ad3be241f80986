"""One plan in, one report out: the promise end to end on the Spark side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from spark_jobs import run as entry
from spark_jobs.accounts import Accounts
from spark_jobs.aside import REFUSED
from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.ledger import Ledger
from spark_jobs.plan import VERBS, Attempt, Plan
from spark_jobs.points import HOOK
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import Report
from spark_jobs.session import Shared
from spark_jobs.staging import Staging
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

SCHEMAS = Path(entry.__file__).parent / "schemas"
PLAN_SCHEMA = json.loads((SCHEMAS / "plan.json").read_text())
REPORT_SCHEMA = json.loads((SCHEMAS / "report.json").read_text())
DAY_ONE = "id,carrier,at,delay\n1,AA,2013-01-01 10:00:00,5\n2,AA,2013-01-01 11:00:00,x\n3,BB,2013-01-01 12:00:00,\n"
CARRIERS = "carrier,name\nAA,American\n"


class Pipeline:
    """A small pipeline over files in a folder."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        self.table = str(folder / "table")
        (folder / "carriers.csv").write_text(CARRIERS)
        self.checks: list[dict[str, Any]] = [{"not_null": {"columns": ["id"]}}, {"row_count": {"min": 1}}]
        self.of_source: dict[str, Any] = {}
        self.beside: dict[str, Any] = {}
        self.write: dict[str, Any] = {"strategy": "replace_window", "column": "at"}
        self.more: dict[str, Any] = {}
        self.derived: dict[str, str] = {}
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    def drop(self, number: int, text: str) -> None:
        (self.folder / f"2013-01-{number:02}.csv").write_text(text)

    def plan(self, number: int, who: Attempt, verbs: tuple[str, ...], previous: Report | None) -> Plan:
        lake = {"from": "result", "type": "delta", "path": self.table, "write": self.write}
        derived = [{"derive": {"expressions": self.derived}}] if self.derived else []
        made = plan(self.folder, day(number), who).to_json() | {
            "verbs": list(verbs),
            "extract": {
                "rows": {
                    "type": "files",
                    "path": str(self.folder / f"2013-01-{number:02}.csv"),
                    "format": "csv",
                    "null_values": [""],
                    "columns": {
                        "id": {"type": "int", "required": True},
                        "carrier": {"type": "string"},
                        "at": {"type": "timestamp"},
                        "delay": {"type": "double"},
                    },
                },
                "carriers": {
                    "type": "files",
                    "path": str(self.folder / "carriers.csv"),
                    "format": "csv",
                    "window": "all",
                },
            },
            "transform": {
                **self.beside,
                "result": {"from": "rows", "steps": [{"filter": {"where": "id < 100"}}, *derived]},
            },
            "check": {**self.of_source, "result": self.checks},
            "load": {**self.before, "lake": lake | self.more, **self.after},
            "previous": previous.to_json() if previous else None,
        }
        return Plan.from_json(json.loads(json.dumps(made)))

    def run(self, made: Plan) -> Report:
        jsonschema.validate(made.to_json(), PLAN_SCHEMA)
        report = entry.run(made, lambda *_: self.spark)
        jsonschema.validate(json.loads(json.dumps(report.to_json())), REPORT_SCHEMA)
        return report

    def fused(self, number: int, second: float, token: str | None = None) -> Report:
        return self.run(self.plan(number, attempt(second, token), VERBS, None))

    def staged(self, number: int, second: float, verbs: tuple[str, ...] = VERBS) -> list[Report]:
        reports: list[Report] = []
        for place, verb in enumerate(verbs):
            who = attempt(second + place)
            previous = reports[-1] if reports else None
            since = previous.attempt["since"] if previous else 0
            made = Attempt(number=who.number, token=who.token, run=f"run-{second}", since=since)
            reports.append(self.run(self.plan(number, made, (verb,), previous)))
        return reports

    def rows(self) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in self.spark.read.format("delta").load(self.table).select("id").collect())

    def quarantined(self, number: int) -> list[tuple[Any, ...]]:
        destination = self.plan(number, attempt(0), VERBS, None).load["lake"][1]
        unit = destination.unit("lake", self.plan(number, attempt(0), VERBS, None))
        named = Ledger(self.spark, self.table).number(unit)
        quarantine = Quarantine(folder=str(self.folder / "quarantine"), pipeline="flights")
        found = quarantine.visible(self.spark, day(number), named).select("raw", "stage", "message").collect()
        return [tuple(row) for row in found]


@pytest.fixture
def pipeline(spark: Any, tmp_path: Path) -> Pipeline:
    made = Pipeline(spark, tmp_path)
    made.drop(1, DAY_ONE)
    return made


def test_a_fused_run_loads_what_is_good_and_keeps_what_is_not(pipeline: Pipeline) -> None:
    report = pipeline.fused(1, 1)
    assert report.error is None
    assert report.state == "loaded"
    assert pipeline.rows() == [(1,), (3,)]
    counts = report.datasets["rows"]
    assert (counts.read, counts.rows, counts.quarantined, counts.missing) == (3, 2, 1, 0)
    assert report.datasets["carriers"].read == 1
    [(raw, stage, message)] = pipeline.quarantined(1)
    assert (raw, stage) == ("2,AA,2013-01-01 11:00:00,x", "extract")
    assert "delay" in message
    assert report.loads["lake"].rows_inserted == 2
    assert set(report.seconds) >= {"start", "extract", "transform", "check", "load", "total"}
    assert sum(report.quarantined.values()) == 1


def test_plans_of_one_list_share_a_spark_up_to_the_first_that_fails(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (2, 3, 4):
        pipeline.drop(number, DAY_ONE.replace("2013-01-01", f"2013-01-{number:02}"))
    pipeline.drop(3, "id,carrier,at,delay\n")  # no row: the check of rows fails
    started: list[str] = []

    def start(name: str, _engine: Any) -> Any:
        started.append(name)
        return pipeline.spark.newSession()

    monkeypatch.setattr("spark_jobs.session.start", start)
    reports = entry.run_all([pipeline.plan(number, attempt(number), VERBS, None) for number in (1, 2, 3, 4)], Shared())
    assert [report.state for report in reports] == ["loaded", "loaded", "failed"]
    assert [report.window["key"] for report in reports] == ["2013-01-01", "2013-01-02", "2013-01-03"]
    assert len(started) == 1
    assert len(pipeline.rows()) == 4


def test_a_list_of_plans_is_read_and_an_empty_one_refused(pipeline: Pipeline, capsys: Any) -> None:
    path = pipeline.folder / "plans.json"
    made = [pipeline.plan(number, attempt(number), VERBS, None) for number in (1, 2)]
    path.write_text(json.dumps([item.to_json() for item in made]))
    assert entry.read(str(path)) == made
    path.write_text("[]")
    assert entry.main(["--plan", str(path), "--report", "unused"]) == 2
    assert "an empty list" in capsys.readouterr().out


def test_a_staged_run_loads_the_same(pipeline: Pipeline) -> None:
    reports = pipeline.staged(1, 1)
    assert [report.error for report in reports] == [None] * 4
    assert [report.state for report in reports] == ["running", "running", "running", "loaded"]
    assert pipeline.rows() == [(1,), (3,)]
    assert len(pipeline.quarantined(1)) == 1
    last = reports[-1]
    assert last.verbs == list(VERBS)
    assert (last.datasets["rows"].quarantined, last.datasets["result"].rows) == (1, 2)
    assert [result.success for result in last.checks] == [True, True]


def test_a_reports_json_comes_back_equal(pipeline: Pipeline) -> None:
    report = pipeline.fused(1, 1)
    text = json.dumps(report.to_json())
    assert Report.from_json(json.loads(text)).to_json() == report.to_json()


def test_running_a_window_again_replaces_it_and_its_quarantine(pipeline: Pipeline) -> None:
    pipeline.fused(1, 1)
    pipeline.drop(1, DAY_ONE.replace("11:00:00,x", "11:00:00,7").replace("3,BB", "z,BB"))
    report = pipeline.fused(1, 2)
    assert pipeline.rows() == [(1,), (2,)]
    assert [raw for raw, _, _ in pipeline.quarantined(1)] == ["z,BB,2013-01-01 12:00:00,"]
    everything = pipeline.spark.read.format("delta").load(str(pipeline.folder / "quarantine" / "flights"))
    waiting = everything.where("state = 'waiting'")
    assert waiting.count() == 1  # the older attempt's row can never be named again
    [mark] = everything.where("state = 'replayed'").collect()
    assert (mark["raw"], mark["message"], mark["source_line"], mark["retries"]) == (None, None, 3, 1)
    assert report.state == "loaded"


def test_an_older_attempt_changes_neither_table_nor_quarantine(pipeline: Pipeline) -> None:
    pipeline.fused(1, 10)
    pipeline.drop(1, "id,carrier,at,delay\nz,AA,2013-01-01 10:00:00,5\n1,AA,2013-01-01 10:00:00,5\n")
    report = pipeline.fused(1, 5)
    assert (report.state, report.loads["lake"].state) == ("loaded", "superseded")
    assert pipeline.rows() == [(1,), (3,)]
    assert [raw for raw, _, _ in pipeline.quarantined(1)] == ["2,AA,2013-01-01 11:00:00,x"]


def test_a_lost_result_is_found_again_without_work(pipeline: Pipeline) -> None:
    pipeline.fused(1, 1, token="mine")
    (pipeline.folder / "2013-01-01.csv").unlink()
    report = pipeline.fused(1, 2, token="mine")
    assert (report.state, report.loads["lake"].state) == ("loaded", "already_done")
    assert pipeline.rows() == [(1,), (3,)]


def test_a_failed_check_publishes_nothing(pipeline: Pipeline) -> None:
    pipeline.checks = [{"in_range": {"column": "delay", "min": 0, "max": 1}}]
    report = pipeline.fused(1, 1)
    assert report.state == "failed"
    assert report.error is not None
    assert (report.error["kind"], report.error["where"]) == ("data", "check.result")
    assert "in_range(delay)" in report.error["message"]
    assert not Path(pipeline.table).exists()
    assert not (pipeline.folder / "quarantine").exists()


def test_a_check_sets_rows_aside_and_loads_the_rest(pipeline: Pipeline) -> None:
    pipeline.checks = [
        {"references": {"column": "carrier", "dataset": "carriers", "key": "carrier", "on_fail": "quarantine"}}
    ]
    for reports in ([pipeline.fused(1, 1)], pipeline.staged(1, 10)):
        report = reports[-1]
        assert report.error is None
        assert pipeline.rows() == [(1,)]
        assert sorted(stage for _, stage, _ in pipeline.quarantined(1)) == ["check", "extract"]
        assert report.datasets["result"].quarantined == 1
        assert report.datasets["result"].missing == 0


def test_a_check_may_name_a_dataset_that_nobody_loads_or_checks(pipeline: Pipeline) -> None:
    pipeline.beside = {"known": {"from": "rows", "steps": [{"filter": {"where": "id < 3"}}]}}
    pipeline.checks = [
        {"references": {"column": "id", "dataset": "known", "key": "id", "on_fail": "quarantine"}},
        {"row_count": {"same_as": "known", "on_fail": "warn"}},
    ]
    for reports in ([pipeline.fused(1, 1)], pipeline.staged(1, 10)):
        assert reports[-1].error is None
        assert pipeline.rows() == [(1,)]
        seen = [result for report in reports for result in report.checks if result.kind == "row_count"]
        assert seen[-1].observed == {"self": 2, "other": 1}


def test_what_a_source_promises_of_all_its_rows_is_checked_before_what_became_of_them(pipeline: Pipeline) -> None:
    conforms = {"conforms": {"columns": {"id": "int", "carrier": "string", "at": "timestamp", "delay": "double"}}}
    pipeline.of_source = {"rows": [conforms, {"in_range": {"column": "id", "max": 2}}]}
    pipeline.checks = [{"row_count": {"min": 100}}]
    for report in (pipeline.fused(1, 1), pipeline.staged(1, 10, VERBS[:3])[-1]):
        assert report.error is not None
        assert report.error["where"] == "check.rows"
        assert [(item.dataset, item.name, item.success, item.answered_by) for item in report.checks] == [
            ("rows", "conforms", True, "schema"), ("rows", "in_range", False, "aggregate")
        ]  # fmt: skip
    pipeline.of_source, pipeline.checks = {"rows": [conforms, {"unique": {"columns": ["id"]}}]}, []
    assert pipeline.staged(1, 20)[-1].state == "loaded"
    assert pipeline.rows() == [(1,), (3,)]


def test_rows_outside_the_window_stop_the_run(pipeline: Pipeline) -> None:
    pipeline.drop(1, DAY_ONE.replace("2013-01-01 12", "2013-01-02 12"))
    report = pipeline.fused(1, 1)
    assert report.error is not None
    assert "1 of 2 rows lie outside the window" in report.error["message"]
    assert not Path(pipeline.table).exists()


def test_rows_outside_the_window_are_set_aside_where_the_file_says_so(pipeline: Pipeline) -> None:
    pipeline.write = {"strategy": "replace_window", "column": "at", "outside": "quarantine"}
    pipeline.drop(1, DAY_ONE.replace("2013-01-01 12", "2013-01-02 12") + "4,CC,,1\n")
    report = pipeline.fused(1, 1)
    assert report.error is None
    assert pipeline.rows() == [(1,)]
    assert sorted(stage for _, stage, _ in pipeline.quarantined(1)) == ["extract", "load", "load"]


def test_what_one_load_cannot_take_is_in_no_table_whichever_load_comes_first(pipeline: Pipeline) -> None:
    aside = {"strategy": "replace_window", "outside": "quarantine"}
    pipeline.write = aside | {"column": "at"}
    pipeline.derived = {"late": "at + INTERVAL 5 HOURS"}
    paths = {name: str(pipeline.folder / name) for name in ("first", "last")}
    one = {"from": "result", "type": "delta"}
    pipeline.before = {"first": one | {"path": paths["first"], "write": {"strategy": "append"}}}
    pipeline.after = {"last": one | {"path": paths["last"], "write": aside | {"column": "late"}}}
    pipeline.drop(1, DAY_ONE.replace("2013-01-01 12", "2013-01-02 12") + "5,CC,2013-01-01 21:00:00,1\n")
    report = pipeline.fused(1, 1)
    assert report.error is None
    assert pipeline.rows() == [(1,)], "3 lies outside the window by at, 5 by late"
    for path in paths.values():
        assert [row["id"] for row in pipeline.spark.read.format("delta").load(path).collect()] == [1]
    assert sorted(stage for _, stage, _ in pipeline.quarantined(1)) == ["extract", "load", "load"]


def test_a_missing_file_is_a_clear_failure(pipeline: Pipeline) -> None:
    report = pipeline.fused(2, 1)
    assert report.error is not None
    assert report.error["kind"] == "data"
    assert "2013-01-02.csv" in str(report.error)


def test_an_empty_file_is_an_empty_window(pipeline: Pipeline) -> None:
    pipeline.checks = []
    pipeline.fused(1, 1)
    pipeline.drop(1, "id,carrier,at,delay\n")
    report = pipeline.fused(1, 2)
    assert report.error is None
    assert pipeline.rows() == []


def test_a_load_whose_staging_is_gone_says_what_to_clear(pipeline: Pipeline) -> None:
    import shutil

    reports = pipeline.staged(1, 1, VERBS[:3])
    shutil.rmtree(pipeline.folder / "staging")
    report = entry.run(pipeline.plan(1, attempt(9), ("load",), reports[-1]), lambda *_: pipeline.spark)
    assert report.error is not None
    assert "are gone" in report.error["message"]
    assert "clear the" in report.error["message"]


def test_staging_is_swept_after_a_fused_run_and_marked_after_a_staged_one(pipeline: Pipeline) -> None:
    pipeline.fused(1, 1)
    assert list((pipeline.folder / "staging").rglob("*.parquet")) == []
    pipeline.staged(1, 10)
    assert [path.name for path in (pipeline.folder / "staging").rglob("_done")] == ["_done"]


def test_rows_refused_by_an_attempt_that_wins_late_are_there(pipeline: Pipeline) -> None:
    """A newer attempt writes its quarantine and dies; the older one then commits: its refused rows must be kept."""
    dead = pipeline.plan(1, attempt(20), VERBS, None)
    refused = pipeline.spark.createDataFrame([], REFUSED)
    Quarantine(folder=dead.quarantine, pipeline="flights").append(refused, dead)
    assert pipeline.fused(1, 10).loads["lake"].state == "loaded"
    assert [raw for raw, _, _ in pipeline.quarantined(1)] == ["2,AA,2013-01-01 11:00:00,x"]


def test_staging_of_a_finished_run_goes_after_its_retention_and_of_a_running_one_stays(pipeline: Pipeline) -> None:
    import os
    import time

    first = pipeline.staged(1, 1)
    [done] = (pipeline.folder / "staging").rglob("_done")
    long_ago = time.time() - 48 * 3600
    for path in [*done.parent.rglob("*"), done.parent]:
        os.utime(path, (long_ago, long_ago))
    again = Staging(spark=pipeline.spark, plan=pipeline.plan(1, attempt(1), ("extract",), None))
    assert Path(again.run_folder) == done.parent
    again.begin("extract")
    again.write(pipeline.spark.range(1), "extract", "rows")
    pipeline.fused(1, 50)
    assert (done.parent / "extract-1").parent.is_dir(), "it runs again: it isn't done"
    again.finish(24, keep=True)
    for path in [*done.parent.rglob("*"), done.parent]:
        os.utime(path, (long_ago, long_ago))
    pipeline.fused(1, 60)
    assert not done.parent.exists()
    assert first[-1].state == "loaded"


def test_books_that_do_not_balance_stop_the_run(pipeline: Pipeline) -> None:
    made = pipeline.plan(1, attempt(1), VERBS, None)
    report = pipeline.fused(1, 1)
    report.datasets["result"].rows -= 1
    accounts = Accounts(report=report, staging=Staging(spark=pipeline.spark, plan=made), say=print)
    with pytest.raises(InfrastructureError, match="1 rows are unaccounted for"):
        accounts.balance("result")


def test_a_source_that_changes_between_two_reads_stops_the_run(pipeline: Pipeline) -> None:
    made = pipeline.plan(1, attempt(1), VERBS, None)
    report = pipeline.fused(1, 1)
    accounts = Accounts(report=report, staging=Staging(spark=pipeline.spark, plan=made), say=print)
    with pytest.raises(DataError, match="2 rows were refused, but 0 when they were read again"):
        accounts.set_aside("extract", "rows", pipeline.spark.createDataFrame([], REFUSED), 2)


def test_missing_jars_are_a_clear_failure(pipeline: Pipeline) -> None:
    from dataclasses import replace

    made = replace(pipeline.plan(1, attempt(1), VERBS, None), spark={"jars": str(pipeline.folder)})
    [report] = entry.run_all([made], Shared())
    assert report.error is not None
    assert (report.error["kind"], report.error["where"]) == ("config", "engine")
    assert "doctor --fetch-jars" in report.error["message"]


def test_an_unknown_plan_version_is_refused(pipeline: Pipeline, capsys: Any) -> None:
    made = pipeline.plan(1, attempt(1), VERBS, None).to_json() | {"plan_version": 99}
    file = pipeline.folder / "plan.json"
    file.write_text(json.dumps(made))
    assert entry.main(["--plan", str(file), "--report", str(pipeline.folder / "report.json")]) == 2
    assert "plan version 99; expected version 3" in capsys.readouterr().out


class Died(BaseException):
    """The process is gone."""


def test_a_run_that_dies_anywhere_shows_all_of_a_window_or_nothing_and_the_next_try_completes_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.drop(1, DAY_ONE.replace("1,AA", "7,AA"))
    pipeline.fused(1, 1)
    before = pipeline.rows(), pipeline.quarantined(1)
    pipeline.drop(1, DAY_ONE)
    after, seen = None, set()
    for place, point in enumerate(["before staging", "staged", "audited", "before commit", "after commit"]):

        def die(reached: str, wanted: str = point) -> None:
            seen.add(reached)
            if reached == wanted:
                raise Died

        with monkeypatch.context() as patched:
            patched.setattr(HOOK, "reached", die)
            with pytest.raises(Died):
                pipeline.fused(1, 2 + place, "token")
        assert (pipeline.rows(), pipeline.quarantined(1)) == before or point == "after commit"
        assert point in seen
    after = pipeline.rows(), pipeline.quarantined(1)
    assert after[0] == [(1,), (3,)]
    assert [stage for _, stage, _ in after[1]] == ["extract"]
    report = pipeline.fused(1, 6.5, "token")
    assert (report.loads["lake"].state, report.state) == ("already_done", "loaded")
    assert (pipeline.rows(), pipeline.quarantined(1)) == after
    assert Ledger(pipeline.spark, pipeline.table).version() == 2  # made, day 1, day 1 again: no try has committed twice


def test_what_a_run_needed_is_in_its_report_and_kept_for_advice(pipeline: Pipeline) -> None:
    pipeline.drop(1, "id,carrier,at,delay\n" + "".join(f"{n},AA,2013-01-01 10:00:00,5\n" for n in range(5000)))
    size = (pipeline.folder / "2013-01-01.csv").stat().st_size
    reports = [pipeline.fused(1, second) for second in (1, 2, 3)]
    for usage in (report.usage["run"] for report in reports):
        assert 0 < usage["heap_peak"] <= usage["heap_max"]
        assert usage["heap_max"] / 2**30 == pytest.approx(2, rel=0.1), "what the engine's memory is"
        assert usage["rss_peak"] > usage["heap_peak"] / 2
        assert (usage["cores"], usage["executors"], usage["executor_peak"]) == (2, 0, None)
        assert 0 < usage["cpu_seconds"] < 3 * usage["seconds"]
        assert size <= usage["bytes_read"] < 20 * size, "this run's bytes, not those of all before it in this Spark"
        assert usage["bytes_written"] > 0
        assert usage["failed_tasks"] == 0
    kept = json.loads((pipeline.folder / "quarantine/-usage/flights/run.json").read_text())
    assert [entry["heap_peak"] for entry in kept] == [report.usage["run"]["heap_peak"] for report in reports]
    assert kept[0]["window"] == {"start": "2013-01-01T00:00:00Z", "end": "2013-01-02T00:00:00Z"}
    pipeline.checks = [{"in_range": {"column": "delay", "min": 0, "max": 1}}]
    failed = pipeline.fused(1, 4)
    assert failed.state == "failed"
    assert failed.usage["run"]["heap_peak"] > 0
    assert len(json.loads((pipeline.folder / "quarantine/-usage/flights/run.json").read_text())) == 3


def test_a_staged_run_tells_what_each_verb_needed_and_a_failure_to_measure_changes_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spark_jobs.usage import Meter

    assert set(pipeline.staged(1, 1)[-1].usage) == set(VERBS)

    def fall(_: Any) -> None:
        raise RuntimeError("no such method")

    monkeypatch.setattr(Meter, "usage", fall)
    report = pipeline.fused(1, 20)
    assert (report.state, report.usage) == ("loaded", {})
    assert "warning: what the run needed isn't known" in capsys.readouterr().out
