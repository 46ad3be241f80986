"""The promise, for one folder of files: any window, any order, any number of times, by several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.flow import Context
from spark_jobs.load.files import Files
from spark_jobs.load.filesets.catalog import Catalog
from spark_jobs.load.filesets.layout import read
from spark_jobs.load.filesets.manifest import Manifest
from spark_jobs.load.strategies import ReplaceWindow, Snapshot
from spark_jobs.report import LoadReceipt
from spark_jobs.window import Window
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
WHOLE = Snapshot(strategy="snapshot")
SCHEMA = "id INT, at TIMESTAMP"


class Folder:
    """One folder of files under test, loaded window by window."""

    def __init__(self, spark: Any, folder: Path, write: Any = BY_TIME, **options: Any) -> None:
        self.spark, self.folder = spark, folder
        self.path = str(folder / "table")
        self.destination = Files(path=self.path, **({"format": "parquet"} | options), write=write)

    def load(
        self, window: Window, rows: list[tuple[Any, ...]], second: float, schema: str = SCHEMA, **more: Any
    ) -> LoadReceipt:
        made = plan(self.folder, window, attempt(second, more.pop("token", None)), **more)
        context = Context(spark=self.spark, plan=made, where="load.out", dataset="result")
        return self.destination.publish("out", frame(self.spark, rows, schema), len(rows), context)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        held = self.held
        found = read(self.spark, self.path, held.layout, held.slices).select(*(columns or ("id", "at")))
        return sorted((tuple(row) for row in found.collect()), key=repr)

    @property
    def held(self) -> Manifest:
        held = Catalog(self.spark, self.path).newest()
        assert held is not None
        return held

    @property
    def listed(self) -> list[str]:
        """What `current.txt` tells plain readers."""
        return (Path(self.path) / "_etl" / "current.txt").read_text().splitlines()


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2013, 1, number, hour)  # noqa: DTZ001 - Spark's session is in UTC


@pytest.fixture
def facts(spark: Any, tmp_path: Path) -> Folder:
    return Folder(spark, tmp_path)


def test_a_window_replaces_its_rows_and_no_others(facts: Folder) -> None:
    facts.load(day(1), [(1, at(1)), (2, at(1, 23))], 1)
    facts.load(day(2), [(3, at(2, 0))], 2)
    receipt = facts.load(day(1), [(9, at(1))], 3)
    assert facts.rows() == [(3, at(2, 0)), (9, at(1))]
    assert (receipt.state, receipt.rows_inserted, receipt.rows_deleted, receipt.version) == ("loaded", 1, 2, 3)
    empty = facts.load(day(1), [], 4)
    assert (facts.rows(), empty.rows_deleted) == ([(3, at(2, 0))], 1), "an empty window clears it"
    plain = facts.spark.read.parquet(*(f"{facts.path}/{name}" for name in facts.listed))
    assert [tuple(row) for row in plain.select("id", "at").collect()] == [(3, at(2, 0))], "what plain readers are told"


def test_windows_of_other_lengths_cut_and_cover_what_was_loaded(facts: Folder) -> None:
    facts.load(day(1, days=4), [(1, at(1)), (2, at(2)), (3, at(3)), (4, at(4))], 1)
    cut = facts.load(day(2), [(22, at(2))], 2)
    assert facts.rows() == [(1, at(1)), (22, at(2)), (3, at(3)), (4, at(4))]
    assert (cut.rows_inserted, cut.rows_deleted) == (1, 1)
    facts.load(day(4, days=3), [(44, at(4)), (66, at(6))], 3)
    assert facts.rows() == [(1, at(1)), (22, at(2)), (3, at(3)), (44, at(4)), (66, at(6))]
    covering = facts.load(day(1, days=9), [(7, at(7))], 4)
    assert (facts.rows(), covering.rows_deleted) == ([(7, at(7))], 5)


def test_a_zombie_is_superseded_and_an_own_commit_found_again(facts: Folder) -> None:
    facts.load(day(1), [(1, at(1))], 10)
    late = facts.load(day(1), [(2, at(1))], 5)
    assert (late.state, late.rows_inserted, facts.rows()) == ("superseded", 0, [(1, at(1))])
    again = facts.load(day(1), [(1, at(1))], 10)
    assert (again.state, again.rows_inserted, again.version, facts.held.number) == ("already_done", 1, 1, 1)
    assert len(list(Path(facts.path).glob("data/*/*"))) == 1, "what counts for nothing is removed at once"


def test_four_windows_that_commit_at_once_are_all_there(facts: Folder) -> None:
    def once(number: int) -> LoadReceipt:
        return facts.load(day(number), [(number, at(number))], number)

    with ThreadPoolExecutor(4) as pool:
        states = [receipt.state for receipt in pool.map(once, range(1, 5))]
    assert states == ["loaded"] * 4
    assert [row[0] for row in facts.rows()] == [1, 2, 3, 4]
    assert sorted(facts.listed) == sorted(facts.held.paths)


def test_the_newest_snapshot_wins_whatever_its_columns(spark: Any, tmp_path: Path) -> None:
    whole = Folder(spark, tmp_path, WHOLE, format="json")
    whole.load(day(2), [(1, "b")], 1, "id INT, name STRING")
    assert whole.load(day(1), [(9, "a")], 2, "id INT, name STRING").state == "superseded"
    assert whole.rows("id", "name") == [(1, "b")]
    whole.load(day(3), [(2.5,)], 3, "share DOUBLE")
    assert whole.rows("share") == [(2.5,)]


def test_dates_are_days_of_the_windows_zone(spark: Any, tmp_path: Path) -> None:
    """The day on which clocks change has 23 hours; its date is one date all the same."""
    dated = Folder(spark, tmp_path, ReplaceWindow(strategy="replace_window", column="on"))
    zone = "America/New_York"
    start = datetime(2013, 3, 10, 5, tzinfo=UTC)
    change = Window(start=start, end=start + timedelta(hours=23), timezone=zone)
    after = Window(start=change.end, end=change.end + timedelta(days=1), timezone=zone)
    both = Window(start=change.start, end=after.end, timezone=zone)
    first, second = date(2013, 3, 10), date(2013, 3, 11)
    dated.load(both, [(1, first), (2, second)], 1, "id INT, on DATE")
    dated.load(change, [(11, first)], 2, "id INT, on DATE")
    assert dated.rows("id", "on") == [(11, first), (2, second)]
    dated.load(after, [(22, second)], 3, "id INT, on DATE")
    assert dated.rows("id", "on") == [(11, first), (22, second)]


NASTY: list[str | None] = [
    *(None, "", " ", "a,b", 'q"q', '"', '""', "new\nline", "cr\rcr", "crlf\r\nx", "\\", 'a\\"b', "#c", "\x00z"),
    *("üñî☃", "\t", "NULL", "\\N", "\n", " lead", "trail ", "x\u2028y", "\ufeffbom", "'", "=1+1"),
]
TYPES = """id INT, at TIMESTAMP, s STRING, `a.b "c", d` STRING, n TIMESTAMP_NTZ, d DATE, x DOUBLE, f FLOAT, b BOOLEAN,
l LONG, m DECIMAL(38,18)"""


@pytest.mark.parametrize(
    "options",
    [
        {"format": "csv"},
        {"format": "csv", "separator": ";", "quote": "'", "header": False},
        {"format": "json"},
        {"format": "orc"},
        {"format": "parquet", "partition_by": ("s",)},
    ],
)
def test_values_come_back_as_they_were(spark: Any, tmp_path: Path, options: dict[str, Any]) -> None:
    """Nulls beside empty texts, quotes, line breaks, names with anything in them, the ends of what types can hold."""
    from decimal import Decimal

    table, big = Folder(spark, tmp_path, **options), Decimal("12345678901234567890.123456789012345678")
    doubles = [None, float("nan"), float("-inf"), 0.1, 5e-324]
    rows = [
        (i, at(1), text, text, at(1) if text else None, date(1, 1, 1 + i), doubles[i % 5], doubles[i % 5],
         [True, False, None][i % 3], [2**63 - 1, -(2**63)][i % 2], big if text else None)
        for i, text in enumerate(NASTY) if "partition_by" not in options or (text and "\x00" not in text)
    ]  # fmt: skip
    table.load(day(1), rows, 1, TYPES)
    table.load(day(2), [(99, at(2), "z", *[None] * 8)], 2, TYPES)
    table.load(
        Window(start=day(1).start, end=day(1).start + timedelta(hours=6)), [], 3, TYPES
    )  # cuts, so it is rewritten
    want = [*rows, (99, at(2), "z", *[None] * 8)]
    given = frame(spark, want, TYPES)
    columns = [f"CAST(`{name}` AS STRING)" for name in given.columns]
    held = table.held
    found = read(spark, table.path, held.layout, held.slices).selectExpr(*columns)
    assert sorted(map(repr, found.collect())) == sorted(map(repr, given.selectExpr(*columns).collect()))
    assert held.rows == len(want)


@pytest.mark.parametrize(
    ("options", "schema", "row", "told"),
    [
        ({"format": "csv"}, "at TIMESTAMP, tags ARRAY<INT>", (at(1), [1]), "'tags' is array<int>, which csv"),
        ({"format": "csv", "null_text": "NA"}, "at TIMESTAMP, s STRING", (at(1), "NA"), "'s' has in 1 rows the text"),
        ({"partition_by": ("s",)}, "at TIMESTAMP, s STRING", (at(1), ""), "'s' has in 1 rows the empty text"),
        ({"partition_by": ("x",)}, "at TIMESTAMP, x DOUBLE", (at(1), 1.0), "'x' is double, which names of folders"),
        ({"format": "json"}, "at TIMESTAMP, m MAP<INT,INT>", (at(1), {1: 1}), "'m' is map<int,int>, which json"),
        ({"format": "parquet"}, "at TIMESTAMP, etl_window INT", (at(1), 1), "called as the folders are"),
    ],
)  # fmt: skip
def test_what_files_cannot_give_back_is_refused_and_leaves_nothing(  # noqa: PLR0917 - a table of cases
    spark: Any, tmp_path: Path, options: dict[str, Any], schema: str, row: tuple[Any, ...], told: str
) -> None:
    table = Folder(spark, tmp_path, **options)
    with pytest.raises((ConfigError, DataError)) as refused:
        table.load(day(1), [row], 1, schema)
    assert told in str(refused.value)
    assert not list(Path(table.path).glob("data/*/*"))
    assert Catalog(spark, table.path).newest() is None


def test_columns_may_come_and_go_but_not_change(facts: Folder) -> None:
    facts.load(day(1), [(1, at(1))], 1)
    facts.load(day(2), [(at(2), "b", 2)], 2, "AT TIMESTAMP, name STRING, ID INT")
    facts.load(day(3), [(at(3),)], 3, "at TIMESTAMP")
    assert facts.rows("id", "name") == [(1, None), (2, "b"), (None, None)]
    with pytest.raises(DataError, match="column 'id' is string, in the files that are there int"):
        facts.load(day(4), [("x", at(4))], 4, "id STRING, at TIMESTAMP")
    other = replace(facts.destination, format="orc")
    facts.destination = other
    with pytest.raises(ConfigError, match="format is 'orc', of the files that are there 'parquet'"):
        facts.load(day(4), [(4, at(4))], 5)
    with pytest.raises(ConfigError, match="the folder is loaded by flights"):
        facts.load(day(4), [(4, at(4))], 6, pipeline="trains")


@pytest.mark.parametrize("options", [{"format": "csv"}, {"format": "csv", "header": False, "partition_by": ("k",)}])
def test_files_of_text_that_lack_newer_columns_are_read(spark: Any, tmp_path: Path, options: dict[str, Any]) -> None:
    table = Folder(spark, tmp_path, **options)
    table.load(day(1, days=2), [(1, at(1), "x"), (2, at(2), None)], 1, f"{SCHEMA}, k STRING")
    table.load(day(3), [(3, at(3), "y", "new", 1.5)], 2, f"{SCHEMA}, k STRING, `a.b,` STRING, x DOUBLE")
    old = [(1, "x", None, None), (2, None, None, None)]
    assert table.rows("id", "k", "`a.b,`", "x") == [*old, (3, "y", "new", 1.5)]
    table.load(day(2), [(22, at(2), "z")], 3, f"{SCHEMA}, k STRING")  # the rest of the first is written anew
    table.load(day(4), [(4, at(4), "y", "b", None, True)], 4, f"{SCHEMA}, k STRING, `a.b,` STRING, x DOUBLE, z BOOLEAN")
    found = table.rows("id", "k", "`a.b,`", "x", "z")
    assert found == [
        (1, "x", None, None, None),
        (22, "z", None, None, None),
        (3, "y", "new", 1.5, None),
        (4, "y", "b", None, True),
    ]


def test_a_folder_that_holds_something_else_is_left_alone(facts: Folder) -> None:
    (Path(facts.path)).mkdir()
    (Path(facts.path) / "somebodys.parquet").write_text("x")
    with pytest.raises(ConfigError, match=r"somebodys\.parquet"):
        facts.load(day(1), [(1, at(1))], 1)
    (Path(facts.path) / "data").mkdir()
    (Path(facts.path) / "somebodys.parquet").rename(Path(facts.path) / "data/theirs.parquet")
    with pytest.raises(ConfigError, match=r"'data/theirs\.parquet'"):
        facts.load(day(1), [(1, at(1))], 1)


def test_a_process_that_slept_while_manifests_went_makes_none_of_an_old_number(spark: Any, tmp_path: Path) -> None:
    from spark_jobs.load.filesets.manifest import KEPT

    catalog = Catalog(spark, str(tmp_path / "table"))
    first = made = Manifest(number=1, at="2013-01-01T00:00:00Z", pipeline="p", layout={})
    assert catalog.commit(first)
    for _ in range(KEPT + 2):
        made = made.follow(made.at)
        assert catalog.commit(made)
        catalog.tidy(made)
    assert [manifest.number for manifest in catalog.history()][-2:] == [4, 1], "the second and third are gone"
    assert catalog.commit(replace(first, number=2)) is False, "the one before is there, as it always is"
    assert catalog.commit(replace(first, number=3)) is False
    assert catalog.commit(replace(first, number=made.number + 5)) is False, "the one before isn't there"
    assert catalog.newest() == made


def test_an_error_after_the_commit_takes_nothing_away(facts: Folder) -> None:
    def fail(*_: Any) -> None:
        raise ConfigError("manifest version 2")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Catalog, "tidy", fail)
        with pytest.raises(ConfigError, match="manifest version 2"):
            facts.load(day(1), [(1, at(1))], 1)
    assert facts.rows() == [(1, at(1))]
    assert facts.load(day(1), [(1, at(1))], 1).state == "already_done"


def test_files_may_be_few_and_folders_named_by_columns(spark: Any, tmp_path: Path) -> None:
    table = Folder(spark, tmp_path, files_per_window=1, rows_per_file=2, partition_by=("k",))
    rows = [(i, at(1), ["x/y", "ü=1", None][i % 3]) for i in range(9)]
    table.load(day(1), rows, 1, f"{SCHEMA}, k STRING")
    assert [name.count(".parquet") for name in table.listed] == [1] * 6
    assert table.rows("id", "k") == sorted(((i, k) for i, _, k in rows), key=repr)
    assert {name.split("/")[3] for name in table.listed} == {"k=x%2Fy", "k=ü%3D1", "k=__HIVE_DEFAULT_PARTITION__"}


@pytest.mark.prove
def test_manifests_that_many_make_at_once_are_one_row(spark: Any, tmp_path: Path) -> None:
    """Eight that commit thirty times each: no number is made twice, and nobody's entry is lost."""
    from spark_jobs.load.filesets.manifest import KEPT, numbers

    path = str(tmp_path / "table")
    first = Manifest(number=1, at="2013-01-01T00:00:00Z", pipeline="p", layout={})
    assert Catalog(spark, path).commit(first)

    def commits(who: int) -> int:
        catalog, tries = Catalog(spark, path), 0
        for turn in range(30):
            while True:
                tries += 1
                held = catalog.newest()
                assert held is not None
                made = held.follow(held.at, units={**held.units, f"{who}/{turn}": {"number": turn}})
                if catalog.commit(made):
                    catalog.tidy(made)
                    break
        return tries

    with ThreadPoolExecutor(8) as pool:
        tries = sum(pool.map(commits, range(8)))
    held = Catalog(spark, path).newest()
    assert held is not None
    assert (held.number, len(held.units)) == (241, 240), f"{tries} tries"
    names = [file.name for file in (tmp_path / "table" / "_etl").iterdir()]
    assert len(numbers(names)) <= KEPT + 1
    assert not [name for name in names if name.startswith(".manifest")], "nothing half-written stays"


def test_another_pipeline_reads_it_as_a_table_and_the_ledger_is_read_without_spark(facts: Folder) -> None:
    from airflow_provider_etl.hooks.tables import ledger_of
    from spark_jobs.extract.contract import WindowColumn
    from spark_jobs.extract.table import Table
    from tests.spark_jobs.plans import FINGERPRINT

    made = plan(facts.folder, day(2), attempt(9))
    context = Context(spark=facts.spark, plan=made, where="extract.t", dataset="t")
    source = Table(format="files", path=facts.path, window=WindowColumn(column="at"))
    with pytest.raises(DataError, match="no folder that destination files loads"):
        source.read(context)
    hook = ledger_of({"type": "files", "path": facts.path})
    unit = facts.destination.unit("out", made)
    assert (hook.number(unit), hook.windows("flights", "out")) == (None, [])
    facts.load(day(1), [(1, at(1))], 1)
    facts.load(day(2), [(2, at(2))], 2)
    rows = source.read(context).rows
    assert [row["id"] for row in rows.collect()] == [2]
    assert len(rows.inputFiles()) == 1, "files of other windows stay closed"
    hook = ledger_of({"type": "files", "path": facts.path})
    assert hook.number(unit) == hook.last_attempt(unit) == hook.newest_attempt("flights", "out") == attempt(2).number
    assert (hook.holds(unit, FINGERPRINT), hook.holds(unit, "other")) == (True, False)
    assert sorted(hook.windows("flights", "out")) == [(day(1).start, day(1).end), (day(2).start, day(2).end)]


def test_all_reads_of_a_run_see_one_manifest_of_days_in_any_zone(spark: Any, tmp_path: Path) -> None:
    from spark_jobs.extract.contract import WindowColumn
    from spark_jobs.extract.table import Table

    dated = Folder(spark, tmp_path, ReplaceWindow(strategy="replace_window", column="on"))
    zone, start = "Asia/Tokyo", datetime(2013, 1, 1, 15, tzinfo=UTC)
    second = Window(start=start, end=start + timedelta(days=1), timezone=zone)
    for number in (1, 2, 3):
        dated.load(day(number), [(number, date(2013, 1, number))], number, "id INT, on DATE")
    context = Context(spark=spark, plan=plan(tmp_path, second, attempt(9)), where="extract.t", dataset="t")
    source = Table(format="files", path=f"{dated.path}/", window=WindowColumn(column="on"))
    rows = source.read(context).rows
    assert ([row["id"] for row in rows.collect()], len(rows.inputFiles())) == ([2], 1)
    dated.load(day(2), [(22, date(2013, 1, 2))], 10, "id INT, on DATE")
    again = source.read(context)
    assert ([row["id"] for row in again.rows.collect()], again.told) == ([2], {"version": 3})


def test_with_lookback_a_window_replaces_its_reach_and_never_newer_rows_by_older_ones(facts: Folder) -> None:
    from spark_jobs.errors import InfrastructureError
    from spark_jobs.extract.contract import WindowColumn
    from spark_jobs.extract.table import Table
    from spark_jobs.plan import Dataset

    source = Table(format="files", path="unused", window=WindowColumn(column="at"))
    more = {"extract": {"rows": source}, "transform": {"result": Dataset(source="rows")}}

    def load(number: int, ids: list[int], second: float, since: float | None = None) -> LoadReceipt:
        window, days = day(number), range(max(number - 1, 1), number + 1)
        who = replace(attempt(second), since=attempt(second if since is None else since).number)
        reach, out = replace(window, start=day(days[0]).start), {"out": ("result", facts.destination)}
        made = plan(facts.folder, window, who, reach=reach, load=out, **more)
        rows = [(item, at(date)) for item, date in zip(ids, days, strict=True)]
        context = Context(spark=facts.spark, plan=made, where="load.out", dataset="result")
        return facts.destination.publish("out", frame(facts.spark, rows, SCHEMA), len(rows), context)

    load(1, [1], 1)
    load(2, [11, 2], 2)
    load(3, [22, 3], 3)
    assert [row[0] for row in facts.rows()] == [11, 22, 3]
    with pytest.raises(InfrastructureError, match="from a source that was read later"):
        load(2, [1, 2], 9, since=2.5)
    assert [row[0] for row in facts.rows()] == [11, 22, 3]


def test_without_links_a_rename_decides_who_makes_a_file(spark: Any, tmp_path: Path) -> None:
    """As on HDFS and ADLS; the file system here is Hadoop's view of a local folder."""
    from spark_jobs.atomic import Atomic

    own = spark.newSession()
    own.conf.set("fs.viewfs.mounttable.here.link./d", tmp_path.as_uri())
    storage = Atomic(own, "viewfs://here/d")
    made = [storage.create("viewfs://here/d/t/m.json", text) for text in ("first", "second")]
    assert made == [True, False]
    storage.replace("viewfs://here/d/t/now.txt", "one")
    storage.replace("viewfs://here/d/t/now.txt", "two")
    assert (storage.read("viewfs://here/d/t/m.json"), storage.read("viewfs://here/d/t/now.txt")) == ("first", "two")
    there = {file.name for file in (tmp_path / "t").iterdir() if file.suffix != ".crc"}
    assert there == {"m.json", "now.txt"}, "nothing half-written stays"
