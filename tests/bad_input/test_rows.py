"""Bad inputs with good rows in them, all in one pipeline: what is good is loaded, the rest set aside with its rules."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from spark_jobs.report import Report
from tests.bad_input.cases import CASES, Case
from tests.bad_input.running import Running, put

pytestmark = pytest.mark.spark
NAMES = {case.id: f"case{place:02}" for place, case in enumerate(CASES)}


def verbs() -> dict[str, Any]:
    """A source for each case, whose rows come together as JSON."""
    extract: dict[str, Any] = {}
    transform: dict[str, Any] = {}
    for case in CASES:
        name = NAMES[case.id]
        extract[f"{name}_read"] = {"type": "files", "path": f"${{env.raw}}/{name}", "window": "all"} | case.options
        transform[name] = {"from": f"{name}_read", "steps": case.steps}
        as_json = [{"derive": {"source": f"'{name}'", "row": "to_json(struct(*))"}}, {"select": ["source", "row"]}]
        transform[f"{name}_json"] = {"from": name, "steps": as_json}
    first, *others = [f"{name}_json" for name in NAMES.values()]
    transform["everything"] = {"from": first, "steps": [{"union": others}]}
    load = {
        "lake": {"from": "everything", "type": "delta", "path": "${env.lake}/rows", "write": {"strategy": "append"}}
    }
    return {"extract": extract, "transform": transform, "load": load}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run has made of all cases."""

    report: Report
    rows: dict[str, list[dict[str, Any]]]
    refused: dict[str, list[Any]]


@pytest.fixture(scope="module")
def outcome(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    running = Running(spark, tmp_path_factory.mktemp("bad_input"))
    for case in CASES:
        put(running.folder, {f"{NAMES[case.id]}/{name}": content for name, content in case.files.items()})
    report = running.run(**verbs())
    assert report.error is None, report.error
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES.values()}
    for row in running.rows("rows").select("source", "row").collect():
        rows[row["source"]].append(json.loads(row["row"]))
    refused: dict[str, list[Any]] = {name: [] for name in NAMES.values()}
    for row in running.refused():
        refused[row["dataset"].removesuffix("_read")].append(row)
    return Outcome(report=report, rows=rows, refused=refused)


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_good_rows_are_loaded_and_bad_ones_set_aside_with_their_rules(outcome: Outcome, case: Case) -> None:
    name = NAMES[case.id]
    assert _sorted(outcome.rows[name]) == _sorted(case.rows)
    refused = outcome.refused[name]
    assert [row["rules"] for row in refused] == [rules for _, rules in case.refused], [
        row["raw"][:80] for row in refused
    ]
    assert all(row["raw"].startswith(raw) for row, (raw, _) in zip(refused, case.refused, strict=True))
    assert all(row["message"] for row in refused)
    parsed = [row for row in refused if row["stage"] == "extract"]
    assert all(re.search(rf"/{name}/.*\.\w+$", row["source_file"]) and row["source_line"] for row in parsed)


def test_the_books_balance_for_each_source(outcome: Outcome) -> None:
    for case in CASES:
        name = NAMES[case.id]
        read = outcome.report.datasets[f"{name}_read"]
        parsed = sum(row["stage"] == "extract" for row in outcome.refused[name])
        assert (read.missing, read.quarantined, read.filtered) == (0, parsed, 0), case.id
        kept = outcome.report.datasets[name]
        assert kept.missing == 0, case.id
        assert kept.rows == len(case.rows), case.id
    assert outcome.report.loads["lake"].rows_inserted == sum(len(case.rows) for case in CASES)
