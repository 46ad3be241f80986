"""`adopt`, `purge`, `refresh` on the command line: what they order, and that they ask first. The engine is a fake."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.main import COMMANDS, main
from spark_jobs.orders import ORDERS, Order
from tests.spec.conftest import PIPELINE, Project

FACTS = PIPELINE.replace("{strategy: append}", "{strategy: replace_window, column: at}")
WINDOW = {"start": "2013-01-01T00:00:00Z", "end": "2013-01-02T00:00:00Z", "timezone": "UTC", "key": "2013-01-01"}
LOAD = {"table": "t", "strategy": "replace_window", "rows": 5, "outside": 1, "version": 3}
ADOPTED = {"state": "done", "loads": {"lake": LOAD | {"windows": [WINDOW | {"rows": 4, "state": "adopted"}]}}}
PURGED = {
    "state": "done",
    "keys": ["who"],
    "tables": [
        {
            "name": "load lake",
            "table": "t",
            "state": "purged",
            "rows": 2,
            "version": 4,
            "files_until": "2026-12-01",
            "log_until": "2027-01-01",
        },
        {"name": "load other", "table": "o", "state": "not_searched", "rows": 0, "version": 1, "missing": ["who"]},
    ],
    "staging": [{"path": "s/run", "rows": 1}],
    "unfinished": ["s/half"],
    "kept": [{"name": "results of checks", "table": "q/-results/facts"}],
}
REFRESHED = {
    "state": "done",
    "windows": 2,
    "built": 2,
    "loads": {"lake": {"table": "t", "rows": 9, "before": 3, "version": 4}},
}

Orders = list[dict[str, Any]]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Orders]:
    """A fake engine: it notes each order and gives the next of the reports."""

    def give(*reports: dict[str, Any]) -> Orders:
        given: Orders = []

        def carry_out(_pipeline: Any, name: str, plans: Any, options: Any) -> dict[str, Any]:
            given.append({"order": name, "windows": [plan.window.key for plan in plans], **options})
            json.dumps(Order(name=name, plans=tuple(plans), options=options).to_json())
            return {"order": name, "error": None} | reports[min(len(given), len(reports)) - 1]

        monkeypatch.setattr(ordering, "carried_out", carry_out)
        return given

    return give


def terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Somebody at a terminal who answers."""
    stdin = io.StringIO(f"{answer}\n")
    stdin.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", stdin)


def test_every_order_has_its_command() -> None:
    assert set(ORDERS) - {"rows"} <= set(COMMANDS)  # `rows` is `quarantine replay --rows`


@pytest.mark.parametrize(
    "command", [["adopt", "--windows", "2013-01-01/2013-01-02"], ["purge", "--key", "who=x"], ["refresh"]]
)
def test_without_a_terminal_nothing_happens_unless_yes_is_said(
    project: Project, engine: Callable[..., Orders], command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = engine({"state": "shown"}, {"state": "done"})
    assert main([command[0], str(project.write(FACTS)), *command[1:]]) == 2
    assert "nobody is there to be asked" in capsys.readouterr().err
    assert all(order.get("dry_run") for order in given)


@pytest.mark.parametrize(("answer", "changed"), [("y", True), ("", False), ("no", False)])
def test_at_a_terminal_it_shows_and_asks(
    project: Project, engine: Callable[..., Orders], monkeypatch: pytest.MonkeyPatch, answer: str, *, changed: bool
) -> None:
    given = engine(PURGED | {"state": "shown"}, PURGED)
    terminal(monkeypatch, answer)
    assert main(["purge", str(project.write(FACTS)), "--key", "who=x"]) == 0
    assert [bool(order.get("dry_run")) for order in given] == ([True, False] if changed else [True])


def test_adopt_looks_for_the_windows_that_are_asked_for(project: Project, engine: Callable[..., Orders]) -> None:
    path = str(project.write(FACTS))
    given = engine(ADOPTED)
    assert main(["adopt", path, "--through", "2013-01-03", "--yes"]) == 0
    assert main(["adopt", path, "--windows", "2013-01-02/2013-01-04", "--yes"]) == 0
    assert [[window["start"][:10] for window in order["windows"]] for order in given] == [
        ["2013-01-01", "2013-01-02", "2013-01-03"],
        ["2013-01-02", "2013-01-03"],
    ]
    assert not any(order.get("dry_run") for order in given)


def test_adopt_without_a_span_only_shows(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    given = engine(ADOPTED | {"state": "shown"})
    assert main(["adopt", str(project.write(FACTS)), "--yes"]) == 0
    assert [order["dry_run"] for order in given] == [True]
    told = capsys.readouterr().out
    assert "2013-01-01             4 rows  counts as loaded" in told
    assert "1 rows belong to none of these windows" in told
    assert "nothing was changed: --through START names the last window" in told


def test_adopt_of_a_pipeline_without_windows_wants_them_named(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    given = engine(ADOPTED)
    path = str(project.write(FACTS.replace('"@daily"', "manual")))
    assert main(["adopt", path, "--yes"]) == 2
    assert "--windows START/END, one window" in capsys.readouterr().err
    assert main(["adopt", path, "--windows", "2013-01-01/2013-03-01", "--yes"]) == 0
    assert len(given[0]["windows"]) == 1


def test_purge_tells_what_went_what_is_held_and_what_was_not_searched(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    given = engine(PURGED)
    report = project.folder / "report.json"
    command = ["purge", str(project.write(FACTS)), "--key", "who=a=b", "--key", "id=7", "--vacuum", "--yes"]
    assert main([*command, "--json", str(report)]) == 0
    assert (given[0]["keys"], given[0]["vacuum"]) == ({"who": "a=b", "id": "7"}, 168.0)
    told = capsys.readouterr().out
    assert "load lake: 2 rows removed, t" in told
    assert "hold them until a VACUUM after 2026-12-01" in told
    assert "load other: 0 NOT searched (it lacks who), o" in told
    assert "staging NOT searched: s/half" in told
    assert "a window that is run again brings the rows back" in told
    assert "results of checks: stay, q/-results/facts; they are counts and figures" in told
    assert json.loads(report.read_text())["tables"] == PURGED["tables"]


@pytest.mark.parametrize("keys", [["who"], ["=x"], ["who="], ["who=a", "who=b"], ["who=a", "Who=b"]])
def test_a_key_that_is_none_is_refused(project: Project, engine: Callable[..., Orders], keys: list[str]) -> None:
    given = engine(PURGED)
    flags = [flag for key in keys for flag in ("--key", key)]
    assert main(["purge", str(project.write(FACTS)), *flags, "--yes"]) == 2
    assert given == []


def test_refresh_orders_every_window_or_those_named_both_ends_included(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project.write(FACTS.replace("start: 2013-01-01", "start: 2013-01-01\nend: 2013-01-04")))
    given = engine(REFRESHED)
    assert main(["refresh", path, "--yes"]) == 0
    assert main(["refresh", path, "--from", "2013-01-02", "--to", "2013-01-03", "--yes"]) == 0
    assert [(order["windows"], order["whole"]) for order in given] == [
        (["2013-01-01", "2013-01-02", "2013-01-03"], True),
        (["2013-01-02", "2013-01-03"], False),
    ]
    assert "9 rows in t, version 4; version 3 has what was there before" in capsys.readouterr().out


def test_refresh_builds_no_window_that_skip_if_leaves_out(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    """The fifth and the sixth of January 2013 are a weekend: there are no files of theirs."""
    facts = FACTS.replace("start: 2013-01-01", "start: 2013-01-04\nend: 2013-01-08")
    path = str(project.write("skip_if: {weekdays: [saturday, sunday]}\n" + facts))
    given = engine(REFRESHED)
    assert main(["refresh", path, "--yes"]) == 0
    assert given[0]["windows"] == ["2013-01-04", "2013-01-07"]
    assert "2 windows are loaded anew, 2013-01-04 to 2013-01-07, but for those that skip_if" in capsys.readouterr().out
    assert main(["refresh", path, "--from", "2013-01-05", "--to", "2013-01-06", "--yes"]) == 2
    assert "apart from those that skip_if leaves out" in capsys.readouterr().err


def test_refresh_builds_what_the_table_has_got_beside_the_schedule_too(
    project: Project, engine: Callable[..., Orders]
) -> None:
    path = str(project.write(FACTS.replace("start: 2013-01-01", "start: 2013-01-01\nend: 2013-01-02")))
    more = WINDOW | {"start": "2012-12-31T00:00:00Z", "end": "2013-01-01T00:00:00Z"}
    given = engine(
        {"state": "behind", "windows": [{key: more[key] for key in ("start", "end", "timezone")}]}, REFRESHED
    )
    assert main(["refresh", path, "--yes"]) == 0
    assert [order["windows"] for order in given] == [["2013-01-01"], ["2012-12-31", "2013-01-01"]]


def test_a_dry_run_of_refresh_orders_nothing(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    given = engine(REFRESHED)
    path = str(project.write(FACTS.replace("start: 2013-01-01", "start: 2013-01-01\nend: 2013-01-03")))
    assert main(["refresh", path, "--dry-run"]) == 0
    assert given == []
    assert "2 windows are loaded anew, 2013-01-01 to 2013-01-02" in capsys.readouterr().out


def test_a_refresh_that_failed_after_a_swap_tells_what_was_swapped_by_whichever_order(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project.write(FACTS.replace("start: 2013-01-01", "start: 2013-01-01\nend: 2013-01-02")))
    more = {key: WINDOW[key] for key in ("start", "end", "timezone")} | {"end": "2013-01-01T06:00:00Z"}
    error = {"kind": "config", "message": "no", "where": "here"}
    engine(
        {"state": "behind", "windows": [more], "loads": REFRESHED["loads"]},
        {"state": "failed", "error": error, "loads": {"other": LOAD | {"before": 1}}},
    )
    assert main(["refresh", path, "--yes"]) == 1
    told = capsys.readouterr()
    assert "load lake: 9 rows in t, version 4; version 3 has what was there before" in told.out
    assert "load other: 5 rows in t, version 3; version 1 has" in told.out
    assert "a table without a line above is as it was" in told.err


def test_a_refresh_that_failed_says_of_lake_tables_alone_that_what_was_built_is_kept(
    project: Project, engine: Callable[..., Orders], capsys: pytest.CaptureFixture[str]
) -> None:
    engine({"state": "failed", "error": {"kind": "config", "message": "no", "where": "here"}})
    jdbc, told = "type: jdbc\n    connection: w\n    table: t", []
    for text in (FACTS, FACTS.replace("type: delta\n    path: ${env.lake}/orders", jdbc)):
        assert main(["refresh", str(project.write(text)), "--yes"]) == 1
        told.append(capsys.readouterr().err)
    assert ["what was built is kept for the next refresh" in text for text in told] == [True, False]
    assert "as it was; the next refresh begins anew" in told[1]


@pytest.mark.parametrize("command", [["adopt"], ["purge", "--key", "a=b"], ["refresh"]])
def test_a_table_for_every_window_and_a_failed_order_are_told(
    project: Project, engine: Callable[..., Orders], command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    engine({"state": "failed", "error": {"kind": "config", "message": "no", "where": "here"}})
    name, *flags = command
    path = str(project.write(FACTS))
    assert main([name, path, *flags, "--yes"]) == 1
    assert "error[config]: here: no" in capsys.readouterr().err
    path = str(project.write(FACTS.replace("${env.lake}/orders", "${env.lake}/${window.key}")))
    assert main([name, path, *flags, "--yes"]) == 2
    assert "there is a table for every window" in capsys.readouterr().err
