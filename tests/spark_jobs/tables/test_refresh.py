"""A full refresh: built beside the live table, swapped in at once; whatever dies before leaves the old table."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import Ledger, attempt_number
from spark_jobs.orders import Order, execute
from spark_jobs.plan import Attempt, Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.run import run
from spark_jobs.tables import refresh as refreshing
from spark_jobs.tables.shadow import shadow_of
from spark_jobs.tables.spans import merged, newer
from spark_jobs.tables.swap import Swap
from spark_jobs.transaction import Transaction
from tests.spark_jobs.plans import FINGERPRINT, day, plan
from tests.spark_jobs.tables.ordered import Meanwhile

pytestmark = pytest.mark.spark

DAYS = (1, 2, 3)
BY_TIME = {"strategy": "replace_window", "column": "at"}


class Pipeline:
    """Files by day, loaded into one table."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder, self.second = spark, folder, 0
        self.table, self.write, self.more = str(folder / "table"), dict[str, Any](BY_TIME), dict[str, Any]()
        self.steps: list[dict[str, Any]] = [{"filter": {"where": "id < 100"}}]
        self.whole, self.said = True, list[str]()

    @property
    def shadow(self) -> Path:
        return Path(shadow_of(self.table, "flights", "lake"))

    def drop(self, number: int, *rows: str) -> None:
        (self.folder / f"2013-01-{number:02}.csv").write_text("\n".join(["id,at", *rows, ""]))

    def plan(self, number: int) -> Plan:
        self.second += 1
        columns = {"id": {"type": "int", "required": True}, "at": {"type": "timestamp"}}
        path = str(self.folder / f"2013-01-{number:02}.csv")
        # Numbers of this moment, as runs have them: a refresh takes such ones too.
        who = Attempt(number=attempt_number(FINGERPRINT), token=f"t{self.second}", run=f"r{self.second}")
        made = plan(self.folder, day(number), who).to_json() | {
            "extract": {"rows": {"type": "files", "path": path, "format": "csv", "columns": columns}},
            "transform": {"result": {"from": "rows", "steps": self.steps}},
            "load": {"lake": {"from": "result", "type": "delta", "path": self.table, "write": self.write, **self.more}},
        }
        return Plan.from_json(json.loads(json.dumps(made)))

    def load(self, *days: int) -> None:
        for number in days:
            report = run(self.plan(number), lambda *_: self.spark.newSession())
            assert report.error is None
            assert report.loads["lake"].state == "loaded"

    def refresh(self, *days: int) -> dict[str, Any]:
        order = Order(name="refresh", plans=tuple(self.plan(number) for number in days), options={"whole": self.whole})
        again = Order.from_json(json.loads(json.dumps(order.to_json())))
        return execute(again, lambda *_: self.spark.newSession(), self.said.append)

    def refreshed(self, *days: int) -> dict[str, Any]:
        report = self.refresh(*days)
        assert report["state"] == "done", report
        return report

    def rows(self, *columns: str, version: int | None = None) -> list[tuple[Any, ...]]:
        reader = self.spark.read.format("delta")
        reader = reader if version is None else reader.option("versionAsOf", version)
        return sorted(tuple(row) for row in reader.load(self.table).select(*(columns or ("id",))).collect())

    def units(self) -> dict[str, int]:
        return Ledger(self.spark, self.table).units("flights", "lake")

    def aside(self, number: int) -> list[str]:
        """What is set aside of a window, as the live ledger sees it."""
        named = self.units()[f"etl:flights:lake:{day(number)}"]
        quarantine = Quarantine(folder=str(self.folder / "quarantine"), pipeline="flights")
        return [row["raw"] for row in quarantine.visible(self.spark, day(number), named).collect()]


@pytest.fixture(scope="module")
def loaded(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three days, loaded: each test gets a copy."""
    made = Pipeline(spark, tmp_path_factory.mktemp("loaded"))
    for number in DAYS:
        made.drop(number, f"{number},2013-01-0{number} 10:00:00", f"x{number},2013-01-0{number} 11:00:00")
    made.load(*DAYS)
    return made.folder


@pytest.fixture
def pipeline(spark: Any, loaded: Path, tmp_path: Path) -> Pipeline:
    """Three days, loaded; afterwards the source says something else."""
    shutil.copytree(loaded, tmp_path, dirs_exist_ok=True)
    made = Pipeline(spark, tmp_path)
    for number in DAYS:
        made.drop(number, f"{10 + number},2013-01-0{number} 10:00:00", f"y{number},2013-01-0{number} 11:00:00")
    return made


def test_one_commit_replaces_all_windows_and_their_ledger(pipeline: Pipeline) -> None:
    before, units = Ledger(pipeline.spark, pipeline.table).version(), pipeline.units()
    report = pipeline.refreshed(*DAYS)
    assert (report["windows"], report["built"]) == (3, 3)
    load = report["loads"]["lake"]
    assert (load["before"], load["version"], load["rows"]) == (before, (before or 0) + 1, 3)
    assert pipeline.rows() == [(11,), (12,), (13,)]
    assert pipeline.rows(version=before) == [(1,), (2,), (3,)], "time travel to the old table remains"
    after = pipeline.units()
    assert after.keys() == units.keys()
    assert all(after[key] > units[key] for key in units)
    assert not pipeline.shadow.exists()


@pytest.mark.prove
def test_what_is_set_aside_changes_with_the_swap_and_not_before(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pipeline.aside(1) == ["x1,2013-01-01 11:00:00"]
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swap", dies)
        pipeline.refresh(*DAYS)
    assert pipeline.aside(1) == ["x1,2013-01-01 11:00:00"]
    pipeline.refreshed(*DAYS)
    assert pipeline.aside(1) == ["y1,2013-01-01 11:00:00"]
    quarantine = Quarantine(folder=str(pipeline.folder / "quarantine"), pipeline="flights")
    assert pipeline.spark.read.format("delta").load(quarantine.path).where("state = 'waiting'").count() == 3, (
        "what nobody can name is gone"
    )


def dies(*_: Any, **__: Any) -> Any:
    raise RuntimeError("killed")


def test_an_end_between_build_and_swap_leaves_the_old_table_and_the_next_refresh_goes_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Ledger(pipeline.spark, pipeline.table).version()
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swap", dies)
        assert pipeline.refresh(*DAYS)["state"] == "failed"
    assert (pipeline.rows(), Ledger(pipeline.spark, pipeline.table).version()) == ([(1,), (2,), (3,)], before)
    assert pipeline.shadow.exists()
    report = pipeline.refreshed(*DAYS)
    assert (report["built"], pipeline.rows()) == (0, [(11,), (12,), (13,)])
    assert not pipeline.shadow.exists()


def test_an_end_between_swap_and_sweep_is_found_and_swept(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swept", dies)
        assert pipeline.refresh(*DAYS)["state"] == "failed"
    version = Ledger(pipeline.spark, pipeline.table).version()
    assert pipeline.rows() == [(11,), (12,), (13,)]
    assert pipeline.refreshed(*DAYS)["built"] == 0
    assert Ledger(pipeline.spark, pipeline.table).version() == version
    assert not pipeline.shadow.exists()


@pytest.mark.prove
def test_a_window_that_fails_leaves_the_old_table_and_is_built_by_the_next_refresh(pipeline: Pipeline) -> None:
    (pipeline.folder / "2013-01-03.csv").rename(pipeline.folder / "away.csv")
    report = pipeline.refresh(*DAYS)
    assert (report["state"], report["error"]["kind"]) == ("failed", "data")
    assert pipeline.rows() == [(1,), (2,), (3,)]
    (pipeline.folder / "away.csv").rename(pipeline.folder / "2013-01-03.csv")
    assert pipeline.refreshed(*DAYS)["built"] == 1


@pytest.mark.prove
def test_a_window_that_is_loaded_meanwhile_is_not_put_back(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between build and swap a run loads day 2 with newer rows: the swap must not bring the older ones."""
    swap, runs = refreshing._swap, list[int]()

    def late(*arguments: Any) -> Any:
        if not runs:
            runs.append(2)
            pipeline.drop(2, "22,2013-01-02 10:00:00")
            pipeline.load(2)
        return swap(*arguments)

    monkeypatch.setattr(refreshing, "_swap", late)
    report = pipeline.refreshed(*DAYS)
    assert (report["built"], pipeline.rows()) == (4, [(11,), (13,), (22,)])


@pytest.mark.parametrize("rows", [pytest.param(("22,2013-01-02 10:00:00",), marks=pytest.mark.prove), ()])
def test_a_run_that_commits_while_the_swap_is_under_way_is_not_lost(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, rows: tuple[str, ...]
) -> None:
    """After the swap has looked at the ledger, and before it commits: Delta refuses it, and it looks again."""
    commit, runs = Transaction.commit, list[int]()

    def late(self: Transaction, entry: Any) -> int:
        if not runs and "refresh" in entry:  # the swap's
            runs.append(2)
            pipeline.drop(2, *rows)
            pipeline.load(2)
        return commit(self, entry)

    monkeypatch.setattr(Transaction, "commit", late)
    assert pipeline.refreshed(*DAYS)["built"] == 4
    assert pipeline.rows() == [(11,), (13,), *([(22,)] if rows else [])]


@pytest.mark.prove
def test_a_window_that_no_plan_is_for_is_asked_for_and_not_lost(pipeline: Pipeline) -> None:
    pipeline.drop(4, "4,2013-01-04 10:00:00")
    pipeline.load(4)
    report = pipeline.refresh(*DAYS)
    assert (report["state"], report["windows"]) == ("behind", [day(4).to_json()])
    assert pipeline.rows() == [(1,), (2,), (3,), (4,)]
    assert pipeline.refreshed(*DAYS, 4)["built"] == 1
    assert pipeline.rows() == [(4,), (11,), (12,), (13,)]


def test_rows_that_belong_to_no_window_are_not_lost(pipeline: Pipeline) -> None:
    row = pipeline.spark.sql("SELECT 99 AS id, TIMESTAMP '2012-06-01 00:00:00' AS at")
    row.write.format("delta").mode("append").save(pipeline.table)
    report = pipeline.refresh(*DAYS)
    assert "1 rows of the table belong to no window from 2013-01-01 to 2013-01-03" in report["error"]["message"]
    pipeline.whole = False
    pipeline.refreshed(*DAYS)
    assert pipeline.rows() == [(11,), (12,), (13,), (99,)]


def test_a_part_is_refreshed_and_the_rest_stays_as_it_is(pipeline: Pipeline) -> None:
    pipeline.whole = False
    units = pipeline.units()
    pipeline.refreshed(2)
    assert pipeline.rows() == [(1,), (3,), (12,)]
    changed = {key for key, number in pipeline.units().items() if number != units[key]}
    assert changed == {f"etl:flights:lake:{day(2)}"}


@pytest.mark.prove
def test_the_whole_table_may_change_its_columns_types_and_layout(pipeline: Pipeline) -> None:
    pipeline.steps = [{"derive": {"expressions": {"on": "to_date(at)"}}}, {"cast": {"columns": {"id": "string"}}}]
    pipeline.more = {"partition_by": ["on"]}
    pipeline.refreshed(*DAYS)
    assert pipeline.rows() == [("11",), ("12",), ("13",)]
    ledger = Ledger(pipeline.spark, pipeline.table)
    assert ledger.partition_columns() == ["on"]
    assert "etl.load.flights.lake" in ledger.properties(), "whose table it is stays said"
    pipeline.load(1)
    assert len(pipeline.rows()) == 3, "and a run goes on with it"


@pytest.mark.prove
def test_a_shadow_of_another_configuration_is_begun_anew(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swap", dies)
        pipeline.refresh(*DAYS)
    plans = tuple(replace(pipeline.plan(number), fingerprint="12345" + "0" * 59) for number in DAYS)
    order = Order(name="refresh", plans=plans, options={"whole": True})
    report = execute(order, lambda *_: pipeline.spark.newSession(), pipeline.said.append)
    assert (report["state"], report["built"]) == ("done", 3)


@pytest.mark.parametrize("strategy", ["append", "snapshot"])
def test_append_and_snapshot_are_refreshed_too(spark: Any, tmp_path: Path, strategy: str) -> None:
    made = Pipeline(spark, tmp_path)
    made.write = {"strategy": strategy}
    for number in DAYS:
        made.drop(number, f"{number},2013-01-0{number} 10:00:00")
    made.load(*DAYS)
    for number in DAYS:
        made.drop(number, f"{10 + number},2013-01-0{number} 10:00:00")
    days = DAYS if strategy == "append" else DAYS[-1:]
    made.refreshed(*days)
    assert made.rows() == ([(11,), (12,), (13,)] if strategy == "append" else [(13,)])
    made.load(DAYS[-1])
    assert len(made.rows()) == len(days)


@pytest.mark.prove
def test_a_scoped_load_refreshes_its_own_part(pipeline: Pipeline, tmp_path: Path, spark: Any) -> None:
    made = Pipeline(spark, tmp_path)
    made.table = str(tmp_path / "shared")
    made.more = {"scope": {"region": "east"}}
    made.load(*DAYS)
    theirs = replace(
        made.plan(1),
        id="west",
        load={"lake": ("result", replace(made.plan(1).load["lake"][1], scope={"region": "west"}))},
    )
    assert run(theirs, lambda *_: spark.newSession()).state == "loaded"
    made.drop(1, "77,2013-01-01 10:00:00")
    made.refreshed(*DAYS)
    assert made.rows("region", "id") == [("east", 12), ("east", 13), ("east", 77), ("west", 11)]


def test_there_is_nothing_to_refresh_without_a_table(spark: Any, tmp_path: Path) -> None:
    report = Pipeline(spark, tmp_path).refresh(1)
    assert "there is no table to refresh" in report["error"]["message"]


@pytest.mark.prove
@pytest.mark.parametrize("days", [DAYS, (1,)])
def test_two_refreshes_at_once_lose_nothing_and_one_is_told(pipeline: Pipeline, days: tuple[int, ...]) -> None:
    """While the first has built two of three windows, a second one runs to its end."""
    other = Pipeline(pipeline.spark, pipeline.folder)
    other.whole = days == DAYS
    pipeline.said = Meanwhile("window 2 of 3", lambda: other.refreshed(*days))
    report = pipeline.refresh(*DAYS)
    assert (report["state"], report["error"]["kind"]) == ("failed", "infrastructure")
    assert "another refresh of this table is at work" in report["error"]["message"]
    assert pipeline.rows() == sorted((10 + number if number in days else number,) for number in DAYS)
    assert pipeline.refreshed(*DAYS)["windows"] == 3
    assert pipeline.rows() == [(11,), (12,), (13,)]
    assert not pipeline.shadow.exists()


@pytest.mark.prove
def test_windows_that_another_refresh_adds_to_the_shadow_are_not_swapped_in(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one, of more windows, goes on with the shadow that the first has just built."""
    more = Pipeline(pipeline.spark, pipeline.folder)

    def builds() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(refreshing, "_swap", dies)
            more.refresh(*DAYS)

    pipeline.whole, pipeline.said = False, Meanwhile("window 2 of 2", builds)
    assert "another refresh of this table is at work" in pipeline.refresh(1, 2)["error"]["message"]
    assert pipeline.rows() == [(1,), (2,), (3,)]
    assert more.refreshed(*DAYS)["built"] == 0


@pytest.mark.prove
@pytest.mark.parametrize("windows", [DAYS, (1,), (1, 2, 3, 4)])
def test_a_shadow_is_swapped_only_where_it_holds_the_windows_exactly(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, windows: tuple[int, ...]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swap", dies)
        pipeline.whole = False
        pipeline.refresh(1, 2)
    made = pipeline.plan(1)
    swap = Swap(
        spark=pipeline.spark,
        plan=made,
        name="lake",
        live=made.load["lake"][1],
        shadow=str(pipeline.shadow),
        windows=[day(number) for number in windows],
        whole=False,
    )
    with pytest.raises(InfrastructureError, match="another refresh"):
        swap.commit()
    assert pipeline.rows() == [(1,), (2,), (3,)]


@pytest.mark.prove
def test_a_shadow_that_changes_while_it_is_swapped_is_not_swapped(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and ledger must be of one version of the shadow: it is taken away once its rows have been read."""
    record = Transaction.record

    def late(self: Transaction, entries: Any) -> None:
        if len(entries) > 1:  # the swap's
            shutil.rmtree(pipeline.shadow)
        record(self, entries)

    monkeypatch.setattr(Transaction, "record", late)
    assert "another refresh" in pipeline.refresh(*DAYS)["error"]["message"]
    assert pipeline.rows() == [(1,), (2,), (3,)]


@pytest.mark.prove
@pytest.mark.parametrize(
    ("days", "wholes", "fingerprint"),
    [
        pytest.param((1,), (False, False), FINGERPRINT, id="other windows"),
        pytest.param(DAYS, (False, True), FINGERPRINT, id="the whole"),
        pytest.param(DAYS, (True, True), "12345" + "0" * 59, id="another configuration"),
    ],
)
def test_an_end_between_swap_and_sweep_does_not_swallow_what_the_next_refresh_is_asked_for(
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    days: tuple[int, ...],
    wholes: tuple[bool, bool],
    fingerprint: str,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swept", dies)
        pipeline.whole = wholes[0]
        report = pipeline.refresh(*days)
    assert report["state"] == "failed"
    assert report["loads"]["lake"]["rows"] == len(days), "a swap that was done is told"
    plans = tuple(replace(pipeline.plan(number), fingerprint=fingerprint) for number in DAYS)
    order = Order(name="refresh", plans=plans, options={"whole": wholes[1]})
    again = execute(order, lambda *_: pipeline.spark.newSession(), pipeline.said.append)
    assert (again["state"], again["built"]) == ("done", 3)
    assert pipeline.rows() == [(11,), (12,), (13,)]
    assert not pipeline.shadow.exists()


@pytest.mark.prove
def test_a_snapshots_swap_is_found_again_for_its_own_window_alone(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Pipeline(spark, tmp_path)
    made.write = {"strategy": "snapshot"}
    for number in DAYS:
        made.drop(number, f"{number},2013-01-0{number} 10:00:00")
    made.load(1)
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swept", dies)
        made.refresh(2)
    assert made.refreshed(3)["built"] == 1
    assert made.rows() == [(3,)]
    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swept", dies)
        made.refresh(3)
    assert made.refreshed(3)["built"] == 0


def test_a_part_that_cuts_through_a_window_of_append_is_refused_and_no_row_is_there_twice(
    spark: Any, tmp_path: Path
) -> None:
    made = Pipeline(spark, tmp_path)
    made.write, made.whole = {"strategy": "append"}, False
    for number in (1, 2):
        made.drop(number, f"{number},2013-01-0{number} 10:00:00")
    wide = made.plan(1).to_json() | {"window": day(1, 2).to_json()}
    wide["extract"]["rows"]["path"] = str(tmp_path / "2013-01-0*.csv")
    assert run(Plan.from_json(wide), lambda *_: spark.newSession()).state == "loaded"
    report = made.refresh(2)
    assert (report["state"], report["error"]["kind"]) == ("failed", "data")
    assert "cuts through 2013-01-01" in report["error"]["message"]
    assert not made.shadow.exists(), "that is said before anything is built"
    assert made.rows() == [(1,), (2,)]


class TwoLoads(Pipeline):
    """The same rows in two tables."""

    @property
    def other(self) -> str:
        return str(self.folder / "other")

    def plan(self, number: int) -> Plan:
        made = super().plan(number).to_json()
        made["load"]["other"] = made["load"]["lake"] | {"path": self.other}
        return Plan.from_json(json.loads(json.dumps(made)))


@pytest.fixture
def two(spark: Any, tmp_path: Path) -> TwoLoads:
    made = TwoLoads(spark, tmp_path)
    for step in (0, 10):
        for number in (1, 2):
            made.drop(number, f"{step + number},2013-01-0{number} 10:00:00")
        if not step:
            made.load(1, 2)
    return made


@pytest.mark.prove
def test_where_one_of_two_loads_would_lose_rows_none_is_swapped(two: TwoLoads) -> None:
    row = two.spark.sql("SELECT 99 AS id, TIMESTAMP '2012-06-01 00:00:00' AS at")
    row.write.format("delta").mode("append").save(two.other)
    report = two.refresh(1, 2)
    assert "they would be lost" in report["error"]["message"]
    assert "loads" not in report
    assert two.rows() == [(1,), (2,)]


@pytest.mark.prove
def test_a_swap_that_was_done_before_another_failed_is_told(two: TwoLoads, monkeypatch: pytest.MonkeyPatch) -> None:
    swap = refreshing._swap

    def half(spark: Any, order: Any, item: Any, say: Any) -> Any:
        return dies() if item.name == "other" else swap(spark, order, item, say)

    with monkeypatch.context() as patched:
        patched.setattr(refreshing, "_swap", half)
        report = two.refresh(1, 2)
    assert (report["state"], report["error"]["message"], list(report["loads"])) == ("failed", "killed", ["lake"])
    assert report["loads"]["lake"]["rows"] == 2
    assert two.refreshed(1, 2)["built"] == 0, "and the next one goes on from there"
    assert two.rows() == [(11,), (12,)]


def test_spans_merge_where_windows_touch_and_newer_looks_at_every_part() -> None:
    assert merged([day(2), day(1), day(4)]) == [day(1, days=2), day(4)]
    units = {"etl:p:d:2013-01-01T06:00:00Z/2013-01-01T07:00:00Z": 9, "etl:p:d:snapshot": 99}
    assert newer(day(1), 8, units)
    assert not newer(day(1), 9, units)
    assert not newer(day(2), 8, units)
