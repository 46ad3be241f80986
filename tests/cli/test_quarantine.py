"""`quarantine` on the command line: what it lists, shows and takes along, of a real table; what it orders. No Spark."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.aside import rows as rows_alone
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli import run as running
from airflow_provider_etl.cli.main import main
from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs.aside import COLUMNS
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import amending_number, attempt_number
from spark_jobs.plan import Plan
from tests.spec.conftest import PIPELINE, Project

SEEN = datetime.now(UTC) - timedelta(days=3, minutes=1)


def read(path: Path) -> Pipeline:
    pipeline = load_file(path).pipeline
    assert pipeline is not None
    return pipeline


class Shelf:
    """A pipeline with two loaded windows, and rows that attempts of theirs have set aside."""

    def __init__(self, project: Project) -> None:
        from deltalake import CommitProperties, Transaction, write_deltalake

        self.project, self.path = project, project.write(PIPELINE)
        self.pipeline = read(self.path)
        self.windows = [self.pipeline.window_of(f"2013-01-0{number}") for number in (1, 2)]
        self.numbers = [attempt_number(self.pipeline.fingerprint, now=second) for second in (1e9, 1.1e9)]
        self.dead = attempt_number(self.pipeline.fingerprint, now=1.2e9)
        units = [self.pipeline.units(window)["lake"][0].key for window in self.windows]
        said = [Transaction(unit, number) for unit, number in zip(units, self.numbers, strict=True)]
        import pyarrow as pa

        lake = project.folder / "data/lake/orders"
        write_deltalake(lake, pa.table({"id": [1]}), commit_properties=CommitProperties(app_transactions=said))
        one, two = 0, 1
        rows = [
            self.row(one, "1,x", "type amount"),
            self.row(one, "2,y", "type amount", source_line=3),
            self.row(one, "=cmd", "ragged", stage="extract", source_file=None),
            self.row(two, None, "references", dataset="result", stage="check", retryable=True, retries=4),
            self.row(two, "5,z", "type amount", state="dropped", state_by="me", state_reason="spam"),
            self.row(two, "6,never", "type amount", attempt=self.dead),
        ]
        kinds = {"retries": pa.int32(), "source_line": pa.int64(), "rules": pa.list_(pa.string()), "raw": pa.string()}
        moment = pa.timestamp("us", "UTC")
        kinds |= dict.fromkeys(("window_start", "window_end", "first_seen"), moment)
        table = pa.table({name: pa.array([row[name] for row in rows], kinds.get(name)) for name in rows[0]})
        write_deltalake(
            project.folder / "data/quarantine" / self.path.stem,
            table,
            partition_by=["window_start", "window_end", "attempt"],
        )

    def row(self, place: int, raw: str | None, rule: str, **rest: Any) -> dict[str, Any]:
        window = self.windows[place]
        return {
            "raw": raw,
            "dataset": "orders",
            "stage": "extract",
            "rules": [rule],
            "message": f"why {raw}",
            "source_file": "f.csv",
            "source_line": 2,
            "pipeline": self.pipeline.id,
            "window_start": window.start,
            "window_end": window.end,
            "attempt": self.numbers[place],
            "first_seen": SEEN,
            "retries": None,  # as an older release's rows
            "retryable": False,
            "state": None,
            "state_by": None,
            "state_reason": None,
        } | rest

    def told(self, action: str, *arguments: str) -> dict[str, Any]:
        report = self.project.folder / "report.json"
        assert main(["quarantine", action, str(self.path), *arguments, "--json", str(report)]) == 0
        return dict(json.loads(report.read_text()))


@pytest.fixture
def shelf(project: Project) -> Shelf:
    return Shelf(project)


def groups(told: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(item["window"]["key"], *item["rules"], item["rows"]) for item in told["groups"]]


def test_it_lists_windows_and_rules_of_the_attempts_that_count(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    told = shelf.told("list")
    assert groups(told) == [
        ("2013-01-01", "type amount", 2),
        ("2013-01-01", "ragged", 1),
        ("2013-01-02", "references", 1),
    ]
    assert [(item["retries"], item["retryable"], item["age"] // 86400) for item in told["groups"][1:]] == [
        (0, 0, 3),
        (4, 1, 3),
    ]
    said = capsys.readouterr().out.splitlines()
    assert " ".join(said[1].split()) == "window refused by rules rows first seen age retries retryable state"
    assert said[2].split()[:5] == ["2013-01-01", "orders.extract", "type", "amount", "2"]
    assert said[4].split()[-4:] == ["3d", "4", "1", "waiting"]


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (["--window", "2013-01-01"], 3),
        (["--from", "2013-01-02"], 1),
        (["--to", "2013-01-01"], 3),
        (["--rule", "ragged"], 1),
        (["--dataset", "result"], 1),
        (["--all"], 5),
        (["--from", "2014-01-01"], 0),
    ],
)
def test_it_lists_what_is_asked_for(shelf: Shelf, arguments: list[str], rows: int) -> None:
    assert shelf.told("list", *arguments)["rows"] == rows


def test_what_a_longer_window_was_loaded_over_counts_no_more(shelf: Shelf) -> None:
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    wide = shelf.pipeline.span_of("2013-01-01/2013-01-03")
    unit = shelf.pipeline.units(wide)["lake"][0].key
    said = {"userMetadata": json.dumps({"etl": {"unit": unit, "window": wide.to_json()}})}
    for second, left in ((1.05e9, ["2013-01-02"]), (1.15e9, [])):
        number = attempt_number(shelf.pipeline.fingerprint, now=second)
        properties = CommitProperties(custom_metadata=said, app_transactions=[Transaction(unit, number)])
        lake = shelf.project.folder / "data/lake/orders"
        write_deltalake(lake, pa.table({"id": [2]}), mode="append", commit_properties=properties)
        assert sorted({item["window"]["key"] for item in shelf.told("list")["groups"]}) == left


def test_a_longer_window_covers_others_however_long_ago_it_was_loaded(shelf: Shelf) -> None:
    """No commit of the last hundred tells of it, but what it has set aside does."""
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

    wide, number = (
        shelf.pipeline.span_of("2013-01-01/2013-01-03"),
        attempt_number(shelf.pipeline.fingerprint, now=1.15e9),
    )
    said = CommitProperties(app_transactions=[Transaction(shelf.pipeline.units(wide)["lake"][0].key, number)])
    lake = shelf.project.folder / "data/lake/orders"
    write_deltalake(lake, pa.table({"id": [2]}), mode="append", commit_properties=said)
    table = DeltaTable(shelf.project.folder / "data/quarantine/orders")
    row = table.to_pyarrow_table().slice(0, 1).to_pylist()[0] | {
        "window_start": wide.start,
        "window_end": wide.end,
        "attempt": number,
    }
    schema = table.to_pyarrow_table().schema
    write_deltalake(table, pa.Table.from_pylist([row], schema=schema), mode="append")
    assert [(item["window"]["end"], item["rows"]) for item in shelf.told("list")["groups"]] == [
        (wide.to_json()["end"], 1)
    ]


def test_a_ledger_that_only_spark_can_ask_is_no_empty_quarantine(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER_DB", '{"conn_type": "jdbc", "extra": {"driver": "a.B", "subprotocol": "a"}}')
    start = PIPELINE.index("  lake:")
    shelf.project.write(
        PIPELINE[:start] + "  mart: {type: jdbc, connection: other_db, table: orders, write: {strategy: append}}\n"
    )
    for action in (["list"], ["show"], ["export", "--out", "x.csv"], ["replay"], ["drop", "--reason", "x"]):
        assert main(["quarantine", action[0], str(shelf.path), *action[1:]]) == 2
        said = capsys.readouterr()
        assert "load.mart: the ledger of pipeline orders lies in a database of a connection of type jdbc" in said.err
        assert "0 rows" not in said.out
    assert main(["audit", str(shelf.path), "--window", "2013-01-01"]) == 2


def test_it_shows_records_and_says_where_none_is_kept(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    told = shelf.told("show", "--limit", "2", "--rule", "type amount")
    assert sorted(row["raw"] for row in told["rows"]) == ["1,x", "2,y"]
    assert told["rows"][0]["window"]["key"] == "2013-01-01"
    assert "f.csv:3\n    why 2,y\n    2,y" in capsys.readouterr().out
    shelf.told("show", "--rule", "references")
    assert "(no record is kept)" in capsys.readouterr().out


def test_an_export_has_the_records_whole(shelf: Shelf) -> None:
    import pyarrow.parquet as pq

    out = shelf.project.folder / "out"
    for ending in ("csv", "jsonl", "parquet"):
        assert shelf.told("export", "--out", f"{out}.{ending}")["rows"] == 4
    lines = [json.loads(line) for line in Path(f"{out}.jsonl").read_text().splitlines()]
    assert sorted(str(line["raw"]) for line in lines) == ["1,x", "2,y", "=cmd", "None"]
    assert lines[0]["state"] == "waiting"
    assert sorted(map(str, pq.read_table(f"{out}.parquet")["raw"].to_pylist())) == ["1,x", "2,y", "=cmd", "None"]
    with Path(f"{out}.csv").open() as file:
        cells = list(csv.DictReader(file))
    assert sorted(cell["raw"] for cell in cells) == ["", "'=cmd", "1,x", "2,y"], "no spreadsheet runs a record"
    assert Path(f"{out}.csv").stat().st_mode & 0o077 == 0, "records may be personal"
    assert not list(shelf.project.folder.glob("*.writing"))


def test_a_file_that_cannot_be_read_is_no_fault_of_the_one_that_is_written(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (shelf.project.folder / "data/quarantine/orders").rglob("*.parquet"):
        file.unlink()
    out = shelf.project.folder / "out.csv"
    assert main(["quarantine", "export", str(shelf.path), "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert "the quarantine can't be read" in said
    assert "--out" not in said
    assert not out.exists()


def test_whoever_drops_rows_has_a_name_in_a_container_too(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import pwd

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    given: list[Any] = []

    def unknown(_uid: int) -> Any:
        raise KeyError("uid not found")

    def carry_out(*order: Any) -> dict[str, Any]:
        given.append(order[-1]["by"])
        return {"state": "done", "rows": 1, "error": None}

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(ordering, "carried_out", carry_out)
    shelf.told("drop", "--reason", "spam", "--yes")
    assert given == [f"uid {os.getuid()}"]


def test_a_replay_runs_the_windows_that_have_rows_waiting(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def here(_pipeline: Any, window: Any) -> dict[str, Any]:
        ran.append(window.key)
        return {"state": "loaded", "error": None}

    monkeypatch.setattr(running, "here", here)
    assert shelf.told("replay", "--dry-run")["state"] == "shown"
    assert shelf.told("replay", "--retryable", "--dry-run")["windows"][0]["before"] == 1
    assert ran == []
    told = shelf.told("replay", "--to", "2013-01-01")
    assert (ran, told["windows"][0]["before"]) == (["2013-01-01"], 3)
    assert "2013-01-01: 3 rows waited, 0 were refused again" in capsys.readouterr().out
    shelf.project.write(PIPELINE.replace("amount > 0", "amount > 1"))
    told = shelf.told("replay", "--retryable")
    assert len(told["windows"]) == 2, "another configuration may accept what this one's attempts refused"


def test_rows_that_were_run_again_alone_rest_until_something_has_changed(shelf: Shelf) -> None:
    """The number of an attempt that adds to another one says nothing of its configuration; its commit does."""
    from deltalake import CommitProperties, Transaction, write_deltalake

    [group] = QuarantineHook(shelf.pipeline).groups(Wanted(rule="ragged"))
    number = amending_number(shelf.numbers[0])
    group.attempts = {number}
    assert QuarantineHook(shelf.pipeline).hopeful(group)
    import pyarrow as pa

    unit = shelf.pipeline.units(shelf.windows[0])["lake"][0].key
    entry = {"unit": unit, "attempt": number, "fingerprint": shelf.pipeline.fingerprint}
    said = CommitProperties(
        custom_metadata={"userMetadata": json.dumps({"etl": entry})}, app_transactions=[Transaction(unit, number)]
    )
    lake = shelf.project.folder / "data/lake/orders"
    write_deltalake(lake, pa.table({"id": [2]}), mode="append", commit_properties=said)
    assert not QuarantineHook(shelf.pipeline).hopeful(group)
    changed = read(shelf.project.write(PIPELINE.replace("amount > 0", "amount > 1")))
    assert QuarantineHook(changed).hopeful(group)


def test_a_window_that_todays_schedule_does_not_cut_is_not_run_and_the_others_are(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A day's rows would give way to those of the file of its first hour."""
    ran: list[str] = []

    def here(_pipeline: Any, window: Any) -> dict[str, Any]:
        ran.append(window.key)
        raise ConfigError("the ledger is away")

    monkeypatch.setattr(running, "here", here)
    text = PIPELINE.replace('"@daily"', '"0 0 2-31 * *"')
    shelf.project.write(text)
    report = shelf.project.folder / "report.json"
    assert main(["quarantine", "replay", str(shelf.path), "--json", str(report)]) == 1
    told = json.loads(report.read_text())
    assert ran == ["2013-01-02"], "the other has its turn"
    assert [(item["state"], item["error"]["kind"]) for item in told["windows"]] == [("failed", "config")] * 2
    assert "2013-01-01: failed, 3 rows wait: error[config]: the schedule cuts no window" in capsys.readouterr().out


def test_a_drop_wants_a_reason_and_orders_what_counts(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []

    def carry_out(_pipeline: Any, name: str, plans: Any, options: Any) -> dict[str, Any]:
        assert not any((plans[0].extract, plans[0].load)), "no connection of a source is needed"
        given.append({"order": name, **json.loads(json.dumps(options))})
        return {"state": "done", "rows": 3, "error": None}

    monkeypatch.setattr(ordering, "carried_out", carry_out)
    shelf.told("drop", "--reason", "spam", "--dry-run")
    assert given == []
    assert shelf.told("drop", "--reason", " spam ", "--window", "2013-01-01", "--yes")["rows"] == 3
    [order] = given
    assert (order["order"], order["reason"], bool(order["by"])) == ("quarantine", "spam", True)
    assert order["attempts"] == [{"window": shelf.windows[0].to_json(), "attempt": shelf.numbers[0]}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drop"], "--reason TEXT"),
        (["drop", "--reason", "x"], "nobody is there to be asked"),
        (["list", "--reason", "x"], "--reason means nothing to list; expected it with drop"),
        (["export"], "--out PATH"),
        (["export", "--out", "x.doc"], "ends in no format"),
        (["list", "--window", "2013-01-01", "--to", "2013-01-02"], "one window, or a span"),
        (["list", "--from", "soon"], "--from 'soon' is not"),
    ],
)
def test_it_says_what_is_wrong(
    shelf: Shelf, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    action, *rest = arguments
    assert main(["quarantine", action, str(shelf.path), *rest]) == 2
    assert said in capsys.readouterr().err


def test_where_nothing_was_set_aside_it_says_so(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(project.write(PIPELINE))
    for action in ("list", "show", "replay"):
        assert main(["quarantine", action, path]) == 0
    said = capsys.readouterr().out
    assert "0 rows of 0 windows are set aside" in said
    assert "no row is set aside" in said


def test_every_column_is_told_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/quarantine.md").read_text()
    told = page[page.index("| column |") : page.index("A table of an older release")]
    assert [name for name in COLUMNS if f"`{name}`" not in told] == []


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("strategy: append", "strategy: replace_window, column: at", "it replaces its window whole"),
        ("strategy: append", "strategy: snapshot", "it replaces its table whole"),
        ("strategy: append", "strategy: merge, keys: [id]", "without a sequence nothing says which of two rows"),
        ("filter: amount > 0", "dedupe: {keys: [id], keep: first, order_by: [at]}", "dedupe makes rows of several"),
        ("filter: amount > 0", "derive: {n: row_number() over (order by id)}", "looks at other rows of the window"),
        ("filter: amount > 0", "mask: {columns: {id: token}, key: masking_key}", "the pipeline masks columns"),
        ("not_null: [id]", "unique: [id]", "check unique of result compares rows with others of their window"),
        ("format: csv", "format: csv\n    audit_columns: true", "source orders has audit_columns"),
        (
            "not_null: [id]",
            'python: {function: "company.etl.checks:plausible", name: own}',
            "check own of result calls a function, which may compare rows with others of their window",
        ),
        ("\nload:\n", "\nload:\n  other: {type: delta, path: '${env.lake}/b', write: {strategy: append}}\n", "2 loads"),
    ],
)
def test_rows_alone_are_refused_where_a_run_of_the_window_would_leave_something_else(
    project: Project, before: str, after: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_PYTHON", "company.etl")
    assert before in PIPELINE
    with pytest.raises(ConfigError, match=reason):
        rows_alone.refuse(project.pipeline(PIPELINE.replace(before, after)))


def test_rows_alone_are_an_order_whose_attempt_adds_to_the_one_that_the_ledger_names(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def carry_out(_pipeline: Any, name: str, plans: Any, options: Any) -> dict[str, Any]:
        given.append((name, plans[0], options))
        return {"state": "loaded", "error": None}

    monkeypatch.setattr(ordering, "carried_out", carry_out)
    told = shelf.told("replay", "--rows", "--rule", "type amount", "--window", "2013-01-01")
    assert [window["before"] for window in told["windows"]] == [2]
    [(name, plan, options)] = given
    assert (name, options) == ("rows", {"rule": "type amount", "dataset": ""})
    attempt = plan.attempt
    assert attempt.amends == shelf.numbers[0] < attempt.number < shelf.numbers[0] + 2 * 2**20
    assert Plan.from_json(plan.to_json()) == plan
    later = {amending_number(attempt.amends, [attempt.number, shelf.numbers[1]]) >> 20 for _ in range(3)}
    assert later == {(attempt.number >> 20) + 1}, "behind one that died, and before a run of the window"
