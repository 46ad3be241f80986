"""`audit` on the command line: which windows it orders, and the table that it prints. The engine is a fake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.main import main
from spark_jobs.ledger import attempt_number
from tests.spec.conftest import PIPELINE, Project


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = []

    def carry_out(_pipeline: Any, name: str, plans: Any, options: Any) -> dict[str, Any]:
        orders.append({"order": name, "windows": [plan.window.key for plan in plans], **options["windows"][0]})
        windows = [
            {
                "window": {"key": plan.window.key},
                "aside": {"waiting": 2},
                "read": 1007,
                "filtered": 0,
                "deduplicated": 0,
                "refused": 2,
                "loads": {"lake": {"expected": 1005, "found": 1005 - place, "counted": "table"}},
                "verdict": f"lake: {place} rows missing" if place else "balances",
                "balances": not place,
            }
            for place, plan in enumerate(plans)
        ]
        return {"order": name, "state": "done", "error": None, "windows": windows}

    monkeypatch.setattr(ordering, "carried_out", carry_out)
    return orders


def test_it_recounts_the_windows_of_a_span_and_says_where_rows_are(
    project: Project, given: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project.write(PIPELINE))
    assert main(["audit", path, "--from", "2012-12-30", "--to", "2013-01-02"]) == 1, "a window doesn't balance"
    assert given[0]["windows"] == ["2013-01-01", "2013-01-02"], "none before the first"
    assert given[0]["loads"] == {"lake": {"held": False, "same": False, "instead": ""}}
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert said == [
        "window read filtered repeats refused quarantine load expected found by verdict",
        "2013-01-01 1,007 0 0 2 2 waiting lake 1,005 1,005 table balances",
        "2013-01-02 1,007 0 0 2 2 waiting lake 1,005 1,004 table lake: 1 rows missing",
    ]
    assert main(["audit", path, "--window", "2013-01-05"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--from A --to B, or --window A/B"),
        (["--from", "2013-01-01"], "--from A --to B, or --window A/B"),
        (["--window", "2013-01-01", "--to", "2013-01-02"], "say which"),
        (["--from", "2012-01-01", "--to", "2012-01-02"], "no window of orders starts in"),
    ],
)
def test_it_wants_to_know_which_windows(
    project: Project, given: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["audit", str(project.write(PIPELINE)), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert given == []


@pytest.mark.parametrize(
    ("strategy", "loaded", "instead"),
    [
        ("append", "2013-01-01/2013-01-03", "covered by 2013-01-01T00:00:00Z/2013-01-03T00:00:00Z"),
        ("snapshot", "2013-01-02", "superseded by a newer window"),
        ("snapshot", "2013-01-01", ""),
    ],
)
def test_a_window_whose_rows_another_has_replaced_is_not_counted(
    project: Project, given: list[dict[str, Any]], strategy: str, loaded: str, instead: str
) -> None:
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    pipeline = project.pipeline(PIPELINE.replace("append", strategy))
    window = pipeline.span_of(loaded)
    unit = pipeline.units(window)["lake"][0]
    number = unit.commit_number(attempt_number(pipeline.fingerprint))
    told = {"userMetadata": json.dumps({"etl": {"unit": unit.key, "window": window.to_json()}})}
    said = CommitProperties(custom_metadata=told, app_transactions=[Transaction(unit.key, number)])
    write_deltalake(project.folder / "data/lake/orders", pa.table({"id": [1]}), commit_properties=said)
    main(["audit", str(pipeline.path), "--window", "2013-01-01"])
    assert given[0]["loads"]["lake"]["instead"] == instead
    assert given[0]["loads"]["lake"]["held"] is not bool(instead)
