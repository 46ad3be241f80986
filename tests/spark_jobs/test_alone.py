"""Rows of the quarantine, run again without their window, by real orders: each row is in the table or set aside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from airflow_provider_etl.aside import rows as alone
from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs import orders
from spark_jobs import run as entry
from spark_jobs.orders import Order
from spark_jobs.points import HOOK, POINTS
from tests.conformance.harness import Died
from tests.spark_jobs.plans import attempt, day
from tests.spec.conftest import Project, project

__all__ = ["project"]
pytestmark = pytest.mark.spark

PIPELINE: Final = """\
schedule: "@daily"
start: 2013-01-01
extract:
  rows:
    type: files
    path: ${env.raw}/${window.start:%Y-%m-%d}.FORMAT
    format: FORMAT
    columns: {id: {type: int}, at: {type: timestamp}, value: {type: int}, note: {type: string, required: REQUIRED}}
  known: {type: files, path: "${env.raw}/known.csv", format: csv, window: all, columns: {value: {type: int}}}
transform:
  result:
    from: rows
    steps:
      - filter: id > 0
      - derive: {twice: value * 2}
check:
  result:
    - references: {column: value, dataset: known, key: value, on_fail: quarantine}
    - row_count: {min: 2}
load:
  lake: {from: result, type: delta, path: "${env.lake}/rows", write: WRITE}
"""
WRITES: Final = {
    "append": "{strategy: append}",
    "merge": "{strategy: merge, keys: [id], sequence: at}",
    "scd2": "{strategy: scd2, keys: [id], valid_from: at, sequence: value}",
}
NOTED: Final = 4
"""Rows that have a note."""


@dataclass(kw_only=True)
class Shop:
    """A pipeline whose first window has set rows aside: two whose value isn't known yet, two that lack a note."""

    spark: Any
    project: Project
    write: str
    form: str = "json"
    required: str = "true"

    def pipeline(self) -> Pipeline:
        return self.changed("", "")

    def changed(self, before: str, after: str) -> Pipeline:
        text = PIPELINE.replace("FORMAT", self.form).replace("REQUIRED", self.required).replace("WRITE", self.write)
        loaded = load_file(self.project.write(text.replace(before, after), "rows.yaml"))
        assert loaded.pipeline is not None, loaded.diagnostics
        return loaded.pipeline

    def know(self, *values: int) -> None:
        raw = self.project.folder / "data/raw"
        raw.mkdir(parents=True, exist_ok=True)
        (raw / "known.csv").write_text("\n".join(["value", *map(str, values)]) + "\n")

    @property
    def file(self) -> Path:
        return self.project.folder / f"data/raw/2013-01-01.{self.form}"

    def deliver(self) -> None:
        rows = [{"id": id_, "at": f"2013-01-01T0{id_}:00:00.000001Z", "value": id_} for id_ in range(1, 7)]
        rows[3]["at"] = "2013-01-02T04:00:00.000001Z"  # the file says of which window it is, and not the time
        rows = [row | ({"note": "n"} if int(str(row["id"])) <= NOTED else {"note": ""}) for row in rows]
        lines = [json.dumps({name: value for name, value in row.items() if value != ""}) for row in rows]
        if self.form == "csv":
            lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        self.file.write_text("\n".join(lines) + "\n")

    def run(self, second: float) -> None:
        pipeline = self.pipeline()
        plan = pipeline.plan(day(1), attempt(second, fingerprint=pipeline.fingerprint))
        report = entry.run(plan, lambda *_: self.spark.newSession())
        assert report.error is None, report.error

    def alone(
        self,
        *,
        dies_at: str | None = None,
        rule: str = "",
        pipeline: Pipeline | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> dict[str, Any]:
        """One replay of the rows that wait; its report."""

        def reached(point: str) -> None:
            if point == dies_at:
                raise Died(point)
            if point == "before commit":
                meanwhile()

        pipeline = pipeline or self.pipeline()
        order = Order(name="rows", plans=(alone.plan(pipeline, day(1)),), options=alone.options(Wanted(rule=rule)))
        HOOK.reached = reached
        try:
            return orders.execute(order, lambda *_: self.spark.newSession(), lambda _: None)
        finally:
            HOOK.reached = None

    def drop(self, rule: str) -> None:
        pipeline = self.pipeline()
        [(window, numbers)] = QuarantineHook(pipeline).attempts().items()
        options: dict[str, Any] = {"attempts": [{"window": window.to_json(), "attempt": n} for n in numbers]}
        options |= {"rule": rule, "dataset": "", "reason": "spam", "by": "me"}
        order = Order(name="quarantine", plans=(alone.plan(pipeline, day(1)),), options=options)
        told = orders.execute(order, lambda *_: self.spark.newSession(), lambda _: None)
        assert (told["error"], told["rows"]) == (None, 2)

    def loaded(self) -> list[int]:
        rows = self.spark.read.format("delta").load(str(self.project.folder / "data/lake/rows"))
        found = rows.collect()
        assert {row["at"].microsecond for row in found} == {1}, "times come through the quarantine whole"
        return sorted(row["id"] for row in found)

    def aside(self) -> dict[tuple[str, int], int]:
        """(state, retries) -> rows."""
        found = QuarantineHook(self.pipeline()).rows(Wanted(states=()))
        return dict(Counter((row["state"], row["retries"]) for row in found))

    def waiting(self) -> list[int]:
        """The ids of the records that wait."""
        raw = [row["raw"] for row in QuarantineHook(self.pipeline()).rows(Wanted())]
        return sorted(json.loads(text)["id"] if text.startswith("{") else int(text[0]) for text in raw)


def opened(spark: Any, project: Project, name: str, form: str = "json") -> Shop:
    shop = Shop(spark=spark, project=project, write=WRITES[name], form=form)
    shop.know(1, 2)
    shop.deliver()
    shop.run(100)
    assert (shop.loaded(), shop.waiting()) == ([1, 2], [3, 4, 5, 6])
    if form == "json":
        shop.file.unlink()  # the source can't answer any more
    return shop


@pytest.mark.prove
@pytest.mark.parametrize("name", WRITES)
def test_rows_that_pass_today_are_loaded_once_and_the_others_wait_on(spark: Any, project: Project, name: str) -> None:
    shop = opened(spark, project, name)
    shop.know(1, 2, 3)
    told = shop.alone()
    assert told["error"] is None, told
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3], [4, 5, 6])
    assert shop.aside() == {("replayed", 1): 1, ("waiting", 1): 3}
    assert shop.alone()["error"] is None
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3], [4, 5, 6]), "a second replay changes nothing"
    assert shop.aside() == {("replayed", 1): 1, ("waiting", 2): 3}
    shop.know(1, 2, 3, 4)
    assert shop.alone(rule="references")["error"] is None
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3, 4], [5, 6])
    assert shop.aside() == {("replayed", 1): 1, ("replayed", 3): 1, ("waiting", 2): 2}, "others stay as they were"
    shelf = QuarantineHook(shop.pipeline())
    assert all(shelf.hopeful(group) for group in shelf.groups(Wanted())), "and weren't tried with today's file"
    places = sorted(row["source_line"] for row in QuarantineHook(shop.pipeline()).rows(Wanted()))
    assert places == [5, 6], "they stand where they stood"
    shop.deliver()
    shop.run(300)
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3, 4], [5, 6]), "the window run whole says the same"
    shop.required = "false"
    shop.know(1, 2, 3, 4, 5)
    assert shop.alone()["error"] is None
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3, 4, 5], [6]), "lines are read by today's contract"


@pytest.mark.parametrize("name", [pytest.param("append", marks=pytest.mark.prove), "scd2"])
def test_table_and_quarantine_agree_wherever_it_dies(spark: Any, project: Project, name: str) -> None:
    shop = opened(spark, project, name)
    shop.know(1, 2, 3, 4)
    before = [point for point in POINTS[: POINTS.index("after commit")] if "side" not in point]
    for point in before if name == "append" else ("after side commit", "before commit"):
        with pytest.raises(Died):
            shop.alone(dies_at=point)
        assert (shop.loaded(), shop.waiting()) == ([1, 2], [3, 4, 5, 6]), point
    with pytest.raises(Died):
        shop.alone(dies_at="after commit")
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3, 4], [5, 6])
    assert shop.alone()["error"] is None
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3, 4], [5, 6])


def test_of_two_at_once_one_wins_and_a_run_of_the_window_wins_over_both(spark: Any, project: Project) -> None:
    shop = opened(spark, project, "append")
    shop.know(1, 2, 3)
    pipeline = shop.pipeline()
    late = [Order(name="rows", plans=(alone.plan(pipeline, day(1)),), options=alone.options(Wanted())) for _ in (1, 2)]
    for order, said in zip(late, (None, "the window was run meanwhile"), strict=True):
        told = orders.execute(order, lambda *_: spark.newSession(), lambda _: None)
        assert (told["error"] or {}).get("message") is None if said is None else said in str(told["error"])
        assert (shop.loaded(), shop.waiting()) == ([1, 2, 3], [4, 5, 6])
    stale = alone.plan(pipeline, day(1))
    shop.deliver()
    shop.run(100.5)  # submitted soon after the first one, and not yet through
    order = Order(name="rows", plans=(stale,), options=alone.options(Wanted()))
    assert "was run meanwhile" in str(orders.execute(order, lambda *_: spark.newSession(), lambda _: None)["error"])
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3], [4, 5, 6])


def test_rows_that_are_dropped_beside_a_replay_of_others_stay_dropped(spark: Any, project: Project) -> None:
    shop = opened(spark, project, "append")
    shop.know(1, 2, 3)
    assert shop.alone(rule="references", meanwhile=lambda: shop.drop("required note"))["error"] is None
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 3], [4])
    assert shop.aside() == {("replayed", 1): 1, ("waiting", 1): 1, ("dropped", 0): 2}


def test_records_that_no_source_row_can_be_made_of_are_refused(spark: Any, project: Project) -> None:
    shop = opened(spark, project, "merge")
    changed = shop.changed("derive: {twice: value * 2}", "cast: {value: int}")
    told = shop.alone(pipeline=changed)
    assert "step cast changes what a row has" in told["error"]["message"]
    told = shop.alone(rule="references", pipeline=shop.changed("at: {type: timestamp}", "at: {type: date}"))
    assert "isn't a date as records have them" in told["error"]["message"], "its time of day would be lost"
    asked = shop.changed("format: json", "format: json\n    window: {column: at}")
    told = shop.alone(rule="references", pipeline=asked)
    assert "1 of 2 rows are of another window by today's file" in told["error"]["message"], "it would come in twice"
    assert (shop.loaded(), shop.waiting()) == ([1, 2], [3, 4, 5, 6])


def test_lines_of_csv_need_the_header_of_their_file(spark: Any, project: Project) -> None:
    shop = opened(spark, project, "merge", "csv")
    shop.required = "false"
    shop.know(1, 2, 5)
    file = shop.file.read_text()
    shop.file.unlink()
    assert "2013-01-01.csv is gone, and its lines don't name their columns" in shop.alone()["error"]["message"]
    shop.file.write_text(file.replace("id,at,value,note", "id,at,note,value").replace(",5,", ",,5"))
    assert "isn't the record any more" in shop.alone()["error"]["message"]
    shop.file.write_text(file)
    assert shop.alone()["error"] is None
    assert (shop.loaded(), shop.waiting()) == ([1, 2, 5], [3, 4, 6])
