"""Rows that are set aside: what is known of each, and what becomes of it when its window is run again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl import upkeep
from spark_jobs.aside import COLUMNS, HASH, REFUSED
from spark_jobs.earlier import continued
from spark_jobs.giving_up import expire
from spark_jobs.orders import Order, execute
from spark_jobs.plan import Plan
from spark_jobs.quarantine import Quarantine, _set_aside
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

SEEN = datetime(2013, 2, 1, tzinfo=UTC)
LATE = {"result": [{"references": {"column": "who", "dataset": "people", "key": "id", "on_fail": "quarantine"}}]}
JOINED = {
    "result": {
        "from": "rows", "steps": [{"join": {"with": "people", "on": ["who"], "how": "left", "unmatched": "quarantine"}}]
    }
}  # fmt: skip
OLD = f"{REFUSED}, pipeline STRING, window_start TIMESTAMP, window_end TIMESTAMP, attempt BIGINT, first_seen TIMESTAMP"


def refused(raw: str | None, line: int, rule: str, stage: str = "extract", dataset: str = "rows") -> tuple[Any, ...]:
    return (raw, dataset, stage, [rule], f"why {raw}", "f.csv", line)


class Aside:
    """The quarantine of one window, in an older release's table to begin with."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        self.quarantine = Quarantine(folder=str(folder / "quarantine"), pipeline="flights")
        window, first = day(1), self.plan(1).attempt.number
        ends = ("flights", window.start, window.end, first, SEEN)
        old = [(*refused("a", 1, "type n"), *ends), (*refused("b", 2, "ragged"), *ends), (*refused("b", 3, "x"), *ends)]
        rows = frame(spark, old, OLD)
        parts = ["window_start", "window_end", "attempt"]
        rows.write.format("delta").partitionBy(*parts).save(self.quarantine.path)

    def plan(self, second: float) -> Plan:
        made = plan(self.folder, day(1), attempt(second)).to_json() | {"check": LATE, "transform": JOINED}
        return Plan.from_json(made)

    def attempt(self, second: float, *rows: tuple[Any, ...]) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Set rows aside; what the attempt's rows then are, by state, raw record and line."""
        made = self.plan(second)
        self.quarantine.append(frame(self.spark, rows, REFUSED), made)
        table = self.spark.read.format("delta").load(self.quarantine.path)
        found = table.where(f"attempt = {made.attempt.number}").collect()
        assert len(found) == len({(row["state"], row["raw"], row["source_line"]) for row in found}), "each once"
        return {(row["state"], row["raw"], row["source_line"]): row.asDict() for row in found}

    def visible(self, second: float) -> list[str]:
        named = self.plan(second).attempt.number
        return sorted(row["raw"] for row in self.quarantine.visible(self.spark, day(1), named).collect())


def test_a_repeat_keeps_what_is_known_of_each_row(spark: Any, tmp_path: Path) -> None:
    aside = Aside(spark, tmp_path)
    assert aside.visible(1) == ["a", "b", "b"], "an older table's rows wait"
    second = aside.attempt(
        2,
        refused("b", 7, "ragged"),
        refused("c", 8, "type n"),
        refused('{"who":1}', 0, "references", "check", "result"),
        refused('{"who":2}', 5, "join people", "transform", "result"),
    )
    assert sorted(second, key=str) == [
        ("replayed", None, 1),
        ("replayed", None, 3),
        ("waiting", "b", 7),
        ("waiting", "c", 8),
        ("waiting", '{"who":1}', 0),
        ("waiting", '{"who":2}', 5),
    ]
    again, new = second["waiting", "b", 7], second["waiting", "c", 8]
    assert set(again) == set(COLUMNS), "the older table gains the columns"
    assert (again["retries"], again["first_seen"].year, again["error_type"]) == (1, 2013, "parse")
    assert (new["retries"], new["first_seen"].year > 2013, new["error_type"]) == (0, True, "contract")
    late = second["waiting", '{"who":1}', 0]
    assert (late["retryable"], new["retryable"], late["error_type"]) == (True, False, "check")
    joined = second["waiting", '{"who":2}', 5]
    assert (joined["retryable"], joined["error_type"]) == (True, "step")
    mark = second["replayed", None, 1]
    assert (mark["message"], mark["rules"], mark["retries"]) == (None, ["type n"], 1)
    assert aside.visible(2) == ["b", "c", '{"who":1}', '{"who":2}'], "a mark is no row that is missing from the table"
    table = spark.read.format("delta").load(aside.quarantine.path)
    assert aside.visible(1) == ["a", "b", "b"], "until the ledger names the second attempt, the first one's count"
    from delta import DeltaTable

    given_up = {"state": "'dropped'", "state_by": "'me'", "state_reason": "'spam'", "state_at": "current_timestamp()"}
    named = aside.plan(2).attempt.number
    DeltaTable.forPath(spark, aside.quarantine.path).update(f"raw IN ('b', 'c') AND attempt = {named}", given_up)
    third = aside.attempt(3, refused("b", 9, "ragged"))
    kept = third["dropped", "b", 9]
    assert (kept["retries"], kept["state_by"], kept["state_reason"]) == (2, "me", "spam"), "it stays dropped"
    assert sorted(line for state, _, line in third if state == "replayed") == [0, 1, 3, 5, 8]
    assert third["replayed", None, 1]["retries"] == 1, "what is through isn't tried again"
    assert aside.visible(3) == ["b"]
    before = table.count()
    aside.attempt(3, refused("b", 9, "ragged"))
    assert spark.read.format("delta").load(aside.quarantine.path).count() == before, "the same attempt adds nothing"

    asked = Order(name="maintain", plans=(aside.plan(4),), options={"loads": [], "keep_days": 90, "dry_run": True})
    shown = execute(asked, lambda *_: spark, lambda _: None)
    told = {key: shown["quarantine"][key] for key in ("waiting", "dropped", "replayed")}
    assert told == {"waiting": 3, "dropped": 2, "replayed": 4}, "of all attempts here: no load has swept any"
    assert (shown["state"], aside.visible(3)) == ("shown", ["b"])
    done = execute(replace(asked, options={**asked.options, "dry_run": False}), lambda *_: spark, lambda _: None)
    assert done["quarantine"] == shown["quarantine"]
    assert "3 that still wait and 2 dropped were emptied" in "\n".join(upkeep.told(done))
    named = aside.plan(3).attempt.number
    [old] = aside.quarantine.visible(spark, day(1), named).collect()
    assert (old["state"], old["raw"], old["message"], old["rules"]) == ("expired", None, None, ["ragged"])
    assert (old["state_by"], old["state_reason"]) == ("me", "spam"), "it goes on to count, and to say who dropped it"
    again = expire(spark, aside.quarantine, timedelta(days=90), dry=False)
    assert set(again.values()) == {0}


def test_what_is_given_up_stays_so_whatever_has_died_or_is_under_way(spark: Any, tmp_path: Path) -> None:
    aside = Aside(spark, tmp_path)
    aside.attempt(2, refused("b", 7, "ragged"), refused("c", 8, "ragged"))  # and dies: `a` is refused as ever
    [folder] = Path(aside.quarantine.path).glob("window_start=*/window_end=*")
    (folder / f"attempt={aside.plan(3).attempt.number}").mkdir()  # died while it wrote
    fourth = aside.attempt(4, refused("a", 1, "type n"), refused("b", 7, "ragged"), refused("d", 9, "ragged"))
    again, twice = fourth["waiting", "a", 1], fourth["waiting", "b", 7]
    assert (again["first_seen"].year, again["retries"]) == (2013, 1), "what the first attempt knew is known"
    assert (twice["first_seen"].year, twice["retries"]) == (2013, 2)

    named = {"window": day(1).to_json(), "attempt": aside.plan(1).attempt.number}
    options = {"attempts": [named], "rule": "", "dataset": "", "reason": "spam", "by": "me"}
    dropped = execute(Order(name="quarantine", plans=(aside.plan(5),), options=options), lambda *_: spark, lambda _: 0)
    assert (dropped["error"], dropped["rows"]) == (None, 3), "as many as were seen to wait"
    assert aside.visible(4) == ["a", "b", "d"], "the load that was under way comes through"
    rows = {
        row["raw"]: row["state"]
        for row in aside.quarantine.visible(spark, day(1), aside.plan(4).attempt.number).collect()
    }
    assert rows == {"a": "dropped", "b": "dropped", "d": "waiting"}, "what nobody has seen yet waits"


def test_an_expired_row_that_is_refused_once_more_stays_expired(spark: Any, tmp_path: Path) -> None:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    second = plan(tmp_path, day(1), attempt(2))
    old = [refused("a", 1, "type n"), refused("b", 2, "ragged"), refused(None, 3, "masked")]
    before = _set_aside(frame(spark, old, REFUSED), plan(tmp_path, day(1), attempt(1)))
    told = {"record": F.expr(f"CASE WHEN raw IS NOT NULL THEN {HASH} END"), "state_by": F.lit("me")}
    gone = {name: F.lit(None).cast("string") for name in ("raw", "message")}
    expired = before.withColumns({**told, "state": F.lit("expired")}).withColumns(gone)
    own = [refused("a", 5, "type n"), refused("new", 2, "ragged"), refused(None, 3, "masked")]
    rows = continued(_set_aside(frame(spark, own, REFUSED), second), expired).collect()
    found = {(row["state"], row["raw"], row["source_line"]): row for row in rows}
    assert sorted(found, key=str) == [
        ("expired", None, 3),
        ("expired", None, 5),
        ("replayed", None, 2),
        ("waiting", "new", 2),
    ]
    kept = found["expired", None, 5]
    assert (kept["state_by"], kept["message"], kept["retries"]) == ("me", None, 1), "its record doesn't come back"
    assert kept["record"] == before.where("raw = 'a'").select(F.expr(HASH)).head()[0], "known once more, and for good"
