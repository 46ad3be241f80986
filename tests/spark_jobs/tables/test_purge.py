"""Purging an entity: afterwards its values are in no live file, no quarantine and no staging; all others' are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import results
from spark_jobs.aside import REFUSED
from spark_jobs.ledger import entry_of
from spark_jobs.load.by_key import Scd2
from spark_jobs.load.side import EVENTS
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import CheckResult, Report
from spark_jobs.staging import Staging
from spark_jobs.tables.entity import Entity, parsed
from spark_jobs.tables.forms import Form, means, pattern
from spark_jobs.tables.shadow import shadow_of
from tests.spark_jobs.plans import attempt, day
from tests.spark_jobs.tables.ordered import Ordered, at

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
ALICE, BOB = "alice@example.com", "bob@example.com"
ROWS = [(1, ALICE, at(1)), (2, BOB, at(1)), (3, ALICE, at(1, 13))]


@pytest.fixture
def table(spark: Any, tmp_path: Path) -> Ordered:
    """Two windows loaded, and rows in quarantine."""
    made = Ordered(spark, tmp_path, BY_TIME)
    made.load(day(1), ROWS)
    made.load(day(2), [(4, BOB, at(2)), (5, ALICE, at(2))])
    raws = [f'{{"who": "{ALICE}", "n": "x"}}', f"7,{ALICE},x", f"8,{BOB},x", f"9,not{ALICE},x"]
    refused = spark.createDataFrame([(raw, "result", "check", ["r"], "why", None, None) for raw in raws], REFUSED)
    quarantine(made).append(refused, made.plan(day(1), attempt(1)))
    return made


def quarantine(table: Ordered) -> Quarantine:
    return Quarantine(folder=str(table.folder / "quarantine"), pipeline=table.pipeline)


def told(report: dict[str, Any]) -> dict[str, tuple[str, int]]:
    return {item["name"]: (item["state"], item["rows"]) for item in report["tables"]}


def test_the_entity_leaves_every_live_file_and_nobody_else_does(table: Ordered) -> None:
    aside = quarantine(table).path
    assert ALICE.encode() in table.live_bytes(), "else the search below would find nothing either way"
    assert ALICE.encode() in table.live_bytes(aside)
    report = table.done("purge", keys={"who": ALICE})
    assert told(report) == {
        "load lake": ("purged", 3),
        "load lake, refresh under way": ("absent", 0),
        "quarantine": ("purged", 2),
    }
    assert table.rows("id", "who") == [(2, BOB), (4, BOB)]
    assert ALICE.encode() not in table.live_bytes()
    left = [row["raw"] for row in table.spark.read.format("delta").load(aside).collect()]
    assert sorted(left) == [f"8,{BOB},x", f"9,not{ALICE},x"]


def test_the_report_and_the_commit_do_not_name_the_value(table: Ordered) -> None:
    report = table.done("purge", keys={"who": ALICE})
    assert ALICE not in str(report)
    assert ALICE not in "".join(table.said)
    from delta import DeltaTable

    [newest] = DeltaTable.forPath(table.spark, table.path).history(1).collect()
    assert entry_of(newest["userMetadata"]) == {"purge": "flights"}
    assert ALICE not in str(newest)


def test_the_windows_still_count_as_loaded(table: Ordered) -> None:
    before = table.ledger.units("flights", "lake")
    table.done("purge", keys={"who": ALICE})
    assert table.ledger.units("flights", "lake") == before


def test_a_dry_run_finds_and_changes_nothing(table: Ordered) -> None:
    version = table.ledger.version()
    report = table.done("purge", keys={"who": ALICE}, dry_run=True)
    assert (report["state"], told(report)["load lake"]) == ("shown", ("found", 3))
    assert table.ledger.version() == version


def test_what_checks_found_stays_and_the_report_says_so(table: Ordered) -> None:
    plan = replace(table.plan(day(1), attempt(1)), results=True)
    report = Report.begun(plan)
    report.state = "failed"
    report.checks = [CheckResult(name="n", kind="n", dataset="d", column=None, success=True, observed=1)]
    assert results.keep(table.spark, plan, report) is not None
    done = table.done("purge", keys={"who": ALICE}, dry_run=True)
    assert done["kept"] == [{"name": "results of checks", "table": results.of(plan).path}]


def test_a_second_purge_finds_nothing(table: Ordered) -> None:
    table.done("purge", keys={"who": ALICE})
    version = table.ledger.version()
    assert told(table.done("purge", keys={"who": ALICE}))["load lake"] == ("clean", 0)
    assert table.ledger.version() == version


def test_several_keys_are_met_together_and_have_their_columns_types(table: Ordered) -> None:
    assert told(table.done("purge", keys={"WHO": ALICE, "id": "3"}))["load lake"] == ("purged", 1)
    assert table.rows() == [(1,), (2,), (4,), (5,)]


def test_staged_runs_that_hold_the_entity_go(table: Ordered) -> None:
    frames = {"alices": ROWS, "bobs": ROWS[1:2]}
    runs = {}
    for name, rows in frames.items():
        staging = Staging(spark=table.spark, plan=table.plan(day(1), replace(attempt(1), run=name)))
        staging.write(table.spark.createDataFrame(rows, "id INT, mail STRING, at TIMESTAMP"), "extract", "rows")
        runs[name] = staging.run_folder
    half = Path(runs["bobs"]) / "extract-9/half/data"
    half.mkdir(parents=True)
    report = table.done("purge", keys={"who": ALICE})
    assert report["staging"] == [{"path": runs["alices"], "rows": 2}]
    assert report["unfinished"] == [str(half.parent)]
    assert not Path(runs["alices"]).exists()
    assert Path(runs["bobs"]).exists()


def test_rows_that_a_deletion_vector_hides_leave_the_files_too(spark: Any, tmp_path: Path) -> None:
    table = Ordered(spark, tmp_path, BY_TIME)
    own = spark.newSession()
    own.conf.set("spark.sql.runSQLOnFiles", "true")
    table.load(day(1), ROWS)
    own.sql(f"ALTER TABLE delta.`{table.path}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    own.sql(f"DELETE FROM delta.`{table.path}` WHERE id = 1")  # noqa: S608 - a path of our own
    assert ALICE.encode() in table.live_bytes()
    assert told(table.done("purge", keys={"who": ALICE}))["load lake"] == ("purged", 1)
    assert ALICE.encode() not in table.live_bytes()
    assert table.rows() == [(2,)]


@pytest.mark.prove
def test_vacuum_removes_what_time_travel_would_still_show(table: Ordered) -> None:
    def files() -> bytes:
        found = [path for path in Path(table.path).rglob("*.parquet") if "_delta_log" not in path.parts]
        return b"".join(path.read_bytes() for path in found)

    kept = table.done("purge", keys={"who": ALICE})["tables"][0]
    assert kept["files_until"] > "2026"
    assert ALICE.encode() in files()
    table.load(day(3), [(6, ALICE, at(3))])
    gone = table.done("purge", keys={"who": ALICE}, vacuum=0)["tables"][0]
    assert gone["files_until"] is None
    assert ALICE.encode() not in files()
    assert table.rows("id", "who") == [(2, BOB), (4, BOB)]


def test_a_table_that_others_load_too_is_purged_in_the_pipelines_own_part(spark: Any, tmp_path: Path) -> None:
    mine = Ordered(spark, tmp_path, Append(strategy="append"))
    theirs = Ordered(spark, tmp_path, Append(strategy="append"), pipeline="theirs")
    for part in (mine, theirs):
        part.load(day(1), ROWS[:2])
    assert told(mine.done("purge", keys={"who": ALICE}))["load lake"] == ("purged", 1)
    assert mine.rows("_pipeline", "id") == [("flights", 2), ("theirs", 1), ("theirs", 2)]


def test_a_refresh_that_was_left_half_done_is_purged_too(table: Ordered) -> None:
    shadow = shadow_of(table.path, "flights", "lake")
    table.spark.createDataFrame(ROWS, "id INT, who STRING, at TIMESTAMP").write.format("delta").save(shadow)
    assert told(table.done("purge", keys={"who": ALICE}))["load lake, refresh under way"] == ("purged", 2)


def test_a_misspelt_column_and_a_value_of_another_type_are_refused(table: Ordered) -> None:
    assert "no table has the columns 'whoo'; expected columns among 'id', 'who', 'at'" in table.refused(
        "purge", keys={"whoo": ALICE}
    )
    assert "the value given for 'id' is no int" in table.refused("purge", keys={"id": "x"})


@pytest.mark.parametrize(
    ("value", "raw", "found"),
    [
        ("1", "1,a,b", True),
        ("1", "12,a,b", False),
        ("1", "a,21", False),
        ("a.c", "x,abc", False),
        ("a.c", "x,a.c", True),
        ('say "hi"', 'x,"say ""hi""",y', True),
        ('say "hi"', '{"x": "say \\"hi\\""}', True),
        ("José", "x,José,y", True),
        ("Jos", "x,José,y", False),
        ("Müller", '{"who": "M\\u00fcller"}', True),
        ("Müller", '{"who": "M\\u00FCller", "n": 1}', True),
        ("a/b", '{"path": "a\\/b"}', True),
        ("😀x", '{"who": "\\ud83d\\ude00x"}', True),
        ("alice", '{"said": "hello\\nalice"}', True),
        ("alice", '{"who": "\\u0020alice\\u0020"}', True),
        ("alice", '{"who": "malice"}', False),
    ],
)
def test_values_are_found_in_raw_records_as_they_stand_there(spark: Any, value: str, raw: str, found: bool) -> None:
    entity = Entity(keys={"k": value})
    rows = spark.createDataFrame([(raw,)], "raw STRING").alias("t").crossJoin(entity.patterns(spark).alias("s"))
    assert rows.where(entity.mentioned("t.raw", parsed("t.raw"))).count() == (1 if found else 0), pattern(value)


@pytest.mark.parametrize(
    ("kind", "text", "found", "others"),
    [
        ("int", "7", ["007", "+7", "7.0", "7"], ["17", "70", "x7"]),
        ("int", "-7", ["-7", "-07"], ["7", "-17"]),
        ("decimal(10,2)", "1.50", ["1.5", "1.50", "01.500", '{"n": 15e-1}'], ["1.51", "11.5", "1.05"]),
        ("double", "1.0E10", ["10000000000", '{"n": 1e10}', "1e+10,x", "10e9"], ["100000000000"]),
        ("int", "100000", ["1e+05,x", "0.1E+06", '{"n": 1e5}'], ["1e+06,x", "1e-05"]),
        ("double", "0.5", [".5,x", "5e-01", '{"n": 0.50}'], ["1.5", ".55"]),
        ("boolean", "true", ["true", "TRUE"], ["untrue"]),
        ("date", "2013-01-02", ["2013-01-02", "2013-01-02T00:00:00Z"], ["2013-01-021"]),
        (
            "timestamp",
            "2013-01-02 10:00:00",
            ["2013-01-02T10:00:00.000Z", "2013-01-02T10:00:00.000+00:00", "2013-01-02 10:00", "2013-01-02T10:00:00Z"],
            ["2013-01-02T10:00:01Z", "2013-01-02T10:00:00.5Z"],
        ),
        ("timestamp", "2013-01-02 10:00:00.25", ["2013-01-02T10:00:00.250Z"], ["2013-01-02T10:00:00.000Z"]),
    ],
)
def test_typed_values_are_found_in_every_spelling(
    spark: Any, kind: str, text: str, found: list[str], others: list[str]
) -> None:
    entity = Entity(keys={"k": "given"}, forms={"k": (Form(kind=kind, text=text),)})
    raws = spark.createDataFrame([(raw,) for raw in [*found, *others]], "raw STRING").alias("t")
    rows = raws.crossJoin(entity.patterns(spark).alias("s")).where(entity.mentioned("t.raw", parsed("t.raw")))
    assert sorted(row["raw"] for row in rows.collect()) == sorted(found)


@pytest.mark.parametrize(
    ("said", "kind", "text", "same"),
    [
        ("1.5", "decimal(10,2)", "1.50", True),
        ("1.499", "decimal(10,2)", "1.50", False),
        ("007", "int", "7", True),
        ("1e10", "double", "1.0E10", True),
        ("NaN", "double", "NaN", True),
        ("0.10000000000000000001", "double", "0.1", False),
        ("2013-01-01", "date", "2013-01-01", True),
        ("2013", "date", "2013-01-01", False),
        ("2013-01-01T10:00:00", "date", "2013-01-01", False),
        ("2013-01-01T10:00:00+01:00", "timestamp", "2013-01-01 09:00:00", True),
        ("2013-01-01", "timestamp", "2013-01-01 00:00:00", False),
        ("2013-01-01T10:00:00+01:00", "timestamp_ntz", "2013-01-01 10:00:00", False),
        ("TRUE", "boolean", "true", True),
        ("y", "boolean", "true", False),
        ("a ", "string", "a ", True),
    ],
)
def test_a_value_is_taken_for_what_it_says_and_for_nothing_near_it(
    said: str, kind: str, text: str, *, same: bool
) -> None:
    assert means(said, Form(kind=kind, text=text)) is same


@pytest.mark.parametrize(
    ("value", "given", "told"),
    [
        (
            "CAST(1.50 AS DECIMAL(10,2))",
            "1.499",
            "isn't the decimal(10,2) that it would be taken for; expected it whole",
        ),
        ("DATE '2013-01-01'", "2013", "isn't the date that it would be taken for; expected it whole and exact"),
        ("named_struct('a', 1)", "1", "column 'k' is struct<a:int>: no value that is given as text"),
        ("array('1')", "1", "column 'k' is array<string>: no value that is given as text"),
    ],
)
def test_a_value_that_would_name_another_entity_is_refused(
    spark: Any, tmp_path: Path, value: str, given: str, told: str
) -> None:
    table = Ordered(spark, tmp_path, BY_TIME)
    spark.range(1).selectExpr(f"{value} AS k").write.format("delta").save(table.path)
    assert told in table.refused("purge", keys={"k": given})
    assert len(table.rows("k")) == 1


def test_a_key_is_given_once_however_it_is_spelled(table: Ordered) -> None:
    assert "the key 'who' is given twice" in table.refused("purge", keys={"who": ALICE, "WHO": BOB})


def test_what_a_record_spells_otherwise_goes_too(spark: Any, tmp_path: Path) -> None:
    """The table's type says what the value means: 7 is 007 in a CSV record, and 7.0 in JSON."""
    made = Ordered(spark, tmp_path, BY_TIME)
    made.load(day(1), [(7, ALICE, at(1)), (8, BOB, at(1))])
    raws = ["007,notatime", "+7,bad", '{"id": 7e0}', "17,bad"]
    refused = spark.createDataFrame([(raw, "result", "check", ["r"], "why", None, None) for raw in raws], REFUSED)
    quarantine(made).append(refused, made.plan(day(1), attempt(1)))
    assert told(made.done("purge", keys={"id": "07"}))["quarantine"] == ("purged", 3)
    assert [row["raw"] for row in spark.read.format("delta").load(quarantine(made).path).collect()] == ["17,bad"]


def test_staged_rows_are_known_by_their_columns_as_well_as_by_their_text(spark: Any, tmp_path: Path) -> None:
    made = Ordered(spark, tmp_path, BY_TIME)
    made.load(day(1), [(1, ALICE, at(1))])
    staged = {
        "typed": ("id INT, at TIMESTAMP", [(1, at(1)), (2, at(2))]),
        "texts": ("id STRING, at STRING", [("01", "2013-01-01T12:00:00.000Z"), ("2", "x")]),
        "others": ("id INT, at TIMESTAMP", [(2, at(1))]),
    }
    runs = {}
    for name, (schema, rows) in staged.items():
        staging = Staging(spark=spark, plan=made.plan(day(1), replace(attempt(1), run=name)))
        staging.write(spark.createDataFrame(rows, schema), "extract", "rows")
        runs[name] = staging.run_folder
    report = made.done("purge", keys={"id": "1", "at": "2013-01-01T13:00:00+01:00"}, dry_run=True)
    assert {(run["path"], run["rows"]) for run in report["staging"]} == {(runs["typed"], 1), (runs["texts"], 1)}


def test_what_a_history_is_made_from_goes_too(spark: Any, tmp_path: Path) -> None:
    history = Scd2(strategy="scd2", keys=("who",), valid_from="at", sequence="id")
    made = Ordered(spark, tmp_path, history)
    made.load(day(1), ROWS)
    events = f"{made.path}/{EVENTS}/flights.lake"
    assert ALICE.encode() in made.live_bytes(events)
    report = made.done("purge", keys={"who": ALICE})
    assert told(report)["load lake"] == ("purged", 1)
    assert told(report)["load lake, events"] == ("purged", 2)
    assert ALICE.encode() not in made.live_bytes(events) + made.live_bytes()
    made.load(day(2), [(4, BOB, at(2))])
    assert made.rows("who") == [(BOB,)]
