"""Orders for tables of real databases: adopt, refresh and purge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.connections import Connections
from spark_jobs.ledger import attempt_number
from spark_jobs.load.databases.names import STAGE
from spark_jobs.orders import Order, execute
from spark_jobs.plan import Attempt, Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.run import run
from spark_jobs.tables.databases.refresh import DatabaseRebuild
from tests.spark_jobs.plans import FINGERPRINT, day, plan
from tests.spark_jobs.tables.databases import forget

pytestmark = pytest.mark.spark

BY_TIME = {"strategy": "replace_window", "column": "at"}
USED = f"{STAGE}7fffffff_used"
ALICE, BOB = "alice@example.com", "bob@example.com"


class Mart:
    """Files by day, loaded into one table of a database."""

    def __init__(self, spark: Any, server: Any, folder: Path) -> None:
        self.spark, self.server, self.folder, self.second = spark, server, folder, 0
        self.write: dict[str, Any] = dict(BY_TIME)
        self.connections = Connections(server.connection("db"))
        self.said = list[str]()

    def drop(self, number: int, *rows: str) -> None:
        (self.folder / f"2013-01-{number:02}.csv").write_text("\n".join(["id,who,at", *rows, ""]))

    def plan(self, number: int) -> Plan:
        self.second += 1
        columns = {"id": {"type": "int", "required": True}, "who": {"type": "string"}, "at": {"type": "timestamp"}}
        path = str(self.folder / f"2013-01-{number:02}.csv")
        who = Attempt(number=attempt_number(FINGERPRINT), token=f"t{self.second}", run=f"r{self.second}")
        made = plan(self.folder, day(number), who).to_json() | {
            "extract": {"rows": {"type": "files", "path": path, "format": "csv", "columns": columns}},
            "load": {
                "mart": {"from": "rows", "type": "jdbc", "connection": "db", "table": "facts", "write": self.write}
            },
        }
        return Plan.from_json(json.loads(json.dumps(made)))

    def load(self, *days: int) -> None:
        for number in days:
            report = run(self.plan(number), lambda *_: self.spark.newSession(), self.connections)
            assert report.error is None, report.error
            assert report.loads["mart"].state == "loaded"

    def order(self, name: str, *days: int, **options: Any) -> dict[str, Any]:
        order = Order(name=name, plans=tuple(self.plan(number) for number in days or (1,)), options=options)
        again = replace(Order.from_json(json.loads(json.dumps(order.to_json()))), connections=self.connections)
        report = execute(again, lambda *_: self.spark.newSession(), self.said.append)
        return json.loads(json.dumps(report))  # type: ignore[no-any-return]

    def done(self, name: str, *days: int, **options: Any) -> dict[str, Any]:
        report = self.order(name, *days, **options)
        assert report["error"] is None, report["error"]
        return report

    def rows(self, what: str = "id") -> list[tuple[Any, ...]]:
        return self.server.rows(f"SELECT {what} FROM facts ORDER BY {what}")  # type: ignore[no-any-return] # noqa: S608

    def units(self) -> dict[str, tuple[int, str]]:
        found = self.server.rows("SELECT unit, rows_staged, fingerprint FROM _etl_loads WHERE unit <> ''")
        return {unit.removeprefix("etl:flights:mart:")[:10]: (rows, mark) for unit, rows, mark in found}

    def beside(self) -> list[str]:
        """Tables of a refresh that are there."""
        named = "SELECT table_name FROM information_schema.tables WHERE left(table_name, 11) = 'etl_refresh'"
        return [name for (name,) in self.server.rows(named)]


@pytest.fixture(params=["postgres", "mariadb"])
def mart(spark: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mart]:
    server = request.getfixturevalue(request.param)
    forget(server)
    server.run(f"DROP TABLE IF EXISTS {USED}")
    made = Mart(spark, server, tmp_path)
    for number in (1, 2, 3, 5):
        made.drop(number, f"{number},{ALICE},2013-01-0{number} 10:00:00", f"x,{ALICE},2013-01-0{number} 11:00:00")
    yield made
    server.run(f"DROP TABLE IF EXISTS {USED}")


def test_a_table_of_somebody_elses_is_adopted_and_no_row_is_touched(mart: Mart) -> None:
    moment = "TIMESTAMPTZ" if mart.server.kind == "postgres" else "DATETIME(6)"
    values = ", ".join(f"({number}, 'a', '2013-01-0{number} 23:59:59.999999')" for number in (1, 3, 9))
    mart.server.run(
        f"CREATE TABLE facts (id INT, who VARCHAR(99), at {moment})",
        *(["SET TimeZone = 'UTC'"] if mart.server.kind == "postgres" else []),
        f"INSERT INTO facts VALUES {values}, (8, 'a', NULL), (2, 'a', '1969-12-31 23:59:59.999999')",  # noqa: S608
    )
    windows = [day(number).to_json() for number in (1, 2, 3)]
    shown = mart.done("adopt", windows=windows, dry_run=True)["loads"]["mart"]
    assert [(window["rows"], window["state"]) for window in shown["windows"]] == [
        (1, "adopted"),
        (0, "empty"),
        (1, "adopted"),
    ]
    assert (shown["rows"], shown["outside"], shown["version"]) == (5, 3, None)
    mart.done("adopt", windows=windows)
    assert mart.units() == {"2013-01-01": (1, FINGERPRINT), "2013-01-03": (1, FINGERPRINT)}
    again = mart.done("adopt", windows=windows)["loads"]["mart"]
    assert [window["state"] for window in again["windows"]] == ["loaded", "empty", "loaded"]
    assert mart.rows() == [(1,), (2,), (3,), (8,), (9,)]
    mart.drop(1, f"7,{BOB},2013-01-01 10:00:00")
    mart.load(1)
    assert mart.rows() == [(2,), (3,), (7,), (8,), (9,)]
    mart.write = {"strategy": "merge", "keys": ["id"]}
    refused = mart.order("adopt", windows=windows)["error"]
    assert "no row says which window brought it" in refused["message"]


def test_an_audit_counts_the_rows_of_each_window_in_the_database(mart: Mart) -> None:
    mart.load(1, 2, 3)
    mart.server.run(
        "DELETE FROM facts WHERE id = 2",
        "INSERT INTO facts (id, who, at) SELECT 9, who, at FROM facts WHERE id = 3",
    )
    held = {"loads": {"mart": {"held": True, "same": True}}, "attempts": []}

    def told(*days: int) -> list[tuple[Any, ...]]:
        windows = mart.done("audit", *days, windows=[held] * len(days))["windows"]
        loads = [window["loads"]["mart"] for window in windows]
        return [(load["counted"], load["expected"], load["found"], load["verdict"]) for load in loads]

    assert told(1, 2, 3) == [
        ("table", 1, 1, "balances"),
        ("table", 1, 0, "1 rows missing"),
        ("table", 1, 2, "1 rows too many"),
    ]
    mart.write = {"strategy": "merge", "keys": ["id"]}
    mart.drop(4, f"4,{ALICE},2013-01-04 10:00:00", f"5,{ALICE},2013-01-04 10:00:00")
    mart.load(4)
    assert told(4, 5) == [("ledger", 2, 2, "balances"), ("ledger", 1, None, "loaded, and not counted")]
    mart.write = {"strategy": "snapshot"}
    mart.server.run("DROP TABLE facts")
    assert told(4) == [("table", 2, 0, "2 rows missing")]


@pytest.mark.parametrize("mart", ["postgres", pytest.param("mariadb", marks=pytest.mark.prove)], indirect=True)
def test_a_refresh_is_built_beside_and_swapped_in_one_transaction(mart: Mart, monkeypatch: pytest.MonkeyPatch) -> None:
    mart.load(1, 2, 3)
    before = mart.units()
    for number in (1, 2, 3):
        mart.drop(number, f"{10 + number},{BOB},2013-01-0{number} 10:00:00", f"y,{BOB},2013-01-0{number} 11:00:00")
    seen, swap = list[Any](), DatabaseRebuild.swap

    def looked(rebuild: DatabaseRebuild) -> dict[str, Any]:
        seen.append(mart.rows())
        if len(seen) == 1:
            mart.load(2)  # somebody loads a window amid the refresh: it is built once more
        return swap(rebuild)

    monkeypatch.setattr(DatabaseRebuild, "swap", looked)
    report = mart.done("refresh", 1, 2, 3, whole=True)
    assert (report["state"], report["windows"], report["built"]) == ("done", 3, 4)
    assert report["loads"]["mart"]["rows"] == 3
    assert seen == [[(1,), (2,), (3,)], [(1,), (3,), (12,)]]
    assert mart.rows() == [(11,), (12,), (13,)]
    assert mart.units() == before
    assert mart.beside() == []
    aside = Quarantine(folder=str(mart.folder / "quarantine"), pipeline="flights")
    kept = mart.spark.read.format("delta").load(aside.path).where("state = 'waiting'").select("raw").collect()
    assert len(kept) == 3
    assert all(BOB in row["raw"] for row in kept)

    mart.drop(2, f"22,{BOB},2013-01-02 10:00:00")
    assert mart.done("refresh", 2, whole=False)["loads"]["mart"]["rows"] == 1
    assert mart.rows() == [(11,), (13,), (22,)]
    mart.said.clear()
    behind = mart.order("refresh", 1, 2, whole=True)
    assert (behind["state"], [window["start"][:10] for window in behind["windows"]]) == ("behind", ["2013-01-03"])
    mart.server.run("INSERT INTO facts (id, who, at) VALUES (99, 'a', '2014-01-01 00:00:00')")
    lost = mart.order("refresh", 1, 2, 3, whole=True)
    assert "1 rows of the table belong to no window" in lost["error"]["message"]
    assert mart.rows() == [(11,), (13,), (22,), (99,)]
    assert mart.beside() == []
    assert not [line for line in mart.said if "is built" in line]


def test_an_entity_leaves_table_tombstones_staging_and_quarantine(mart: Mart) -> None:
    mart.write = {"strategy": "merge", "keys": ["who"], "delete_when": "id = 3"}
    mart.drop(2, f"2,{BOB},2013-01-02 10:00:00", f"9,ALICE@example.com,{'2013-01-02 10:00:00'}")
    mart.load(1, 2)
    assert mart.rows("who") == [("ALICE@example.com",), (ALICE,), (BOB,)]
    mart.server.run(f"CREATE TABLE {USED} (id INT)")
    shown = mart.done("purge", keys={"WHO": ALICE}, dry_run=True)
    assert {item["name"]: (item["state"], item["rows"]) for item in shown["tables"]} == {
        "load mart": ("found", 1),
        "load mart, tombstones": ("clean", 0),
        "load mart, refresh under way": ("absent", 0),
        "quarantine": ("found", 1),
    }
    assert shown["unfinished"] == [f"db:{USED}"]
    mart.load(3)  # deletes her, and remembers that
    assert mart.server.rows("SELECT who FROM _etl_gone_facts") == [(ALICE,)]
    report = mart.done("purge", keys={"who": ALICE})
    found = {item["name"]: (item["state"], item["rows"]) for item in report["tables"]}
    assert (found["load mart"], found["load mart, tombstones"]) == (("clean", 0), ("purged", 1))
    assert found["quarantine"] == ("purged", 2)
    assert mart.rows("who") == [("ALICE@example.com",), (BOB,)]
    assert mart.server.rows("SELECT who FROM _etl_gone_facts") == []
    mart.server.run(f"DROP TABLE {USED}")
    by_id = {item["name"]: item for item in mart.done("purge", keys={"id": "2"})["tables"]}
    assert by_id["load mart"]["rows"] == 1
    assert mart.rows("who") == [("ALICE@example.com",)]
    for keys, words in (({"nobody": "x"}, "no table has the columns 'nobody'"), ({"id": "2x"}, "is no")):
        assert words in mart.order("purge", keys=keys)["error"]["message"]
