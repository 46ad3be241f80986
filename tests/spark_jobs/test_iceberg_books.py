"""The ledger in an Iceberg table's properties, layouts and turns: without Spark."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from spark_jobs.errors import ConfigError
from spark_jobs.iceberg.books import Booked, Books, commit_of
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.layout import Part, parsed
from spark_jobs.iceberg.locks import turn
from spark_jobs.iceberg.names import branch_of, branches_of, checked
from spark_jobs.ledger import short
from spark_jobs.load.iceberg import Iceberg
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot

UNIT = "etl:flights:lake:2013-01-01T00:00:00Z/2013-01-02T00:00:00Z"


def booked(number: int, **rest: object) -> Booked:
    options = {"attempt": number, "token": short("t"), "run": short("r"), "fingerprint": "f" * 16} | rest
    return Booked(number=number, **options)  # type: ignore[arg-type]


def test_each_load_has_its_own_page_and_each_unit_its_last_commit() -> None:
    properties: dict[str, str] = {"etl.load.flights.lake": "{}"}
    for unit, number in ((UNIT, 1), ("etl:flights:lake:snapshot", 2), ("etl:flights:lak:snapshot", 3), (UNIT, 4)):
        properties |= Books(properties).with_booked(unit, booked(number, staged=number))
    books = Books(properties)
    assert books.units("flights", "lake") == {UNIT: 4, "etl:flights:lake:snapshot": 2}
    assert books.units("flights", "la") == {}
    assert books.pipelines() == {"flights"}
    assert [item.number for _, item in books.commits()] == [4, 3, 2]
    found = books.find(UNIT)
    assert found == booked(4, staged=4)


def test_a_commit_is_known_by_its_token_though_that_is_shortened() -> None:
    reach = {"reach": "2012-12-31T00:00:00Z/2013-01-02T00:00:00Z", "since": 3}
    properties = Books({}).with_booked(UNIT, booked(4, inserted=5, version=2**62, **reach))
    found = Books(properties).find(UNIT)
    assert found is not None
    commit = commit_of(UNIT, found)
    assert commit.by("t")
    assert commit.of_run("r")
    assert not commit.by("u")
    assert (commit.version, commit.metrics["numTargetRowsInserted"], commit.entry["since"]) == (2**62, "5", 3)
    assert commit.entry["reach"] == {"start": "2012-12-31T00:00:00Z", "end": "2013-01-02T00:00:00Z"}
    assert commit.entry["window"]["start"] == "2013-01-01T00:00:00Z"


def test_a_commit_that_looked_back_on_nothing_has_read_when_it_was_numbered() -> None:
    """`refuse_overtaken` takes what stands there for the attempt that read: 0 would be before all others."""
    assert "since" not in commit_of(UNIT, booked(4)).entry


@pytest.mark.parametrize(
    ("write", "columns"),
    [
        (Snapshot(strategy="snapshot"), ("shop",)),
        (Append(strategy="append"), ("shop", "_pipeline", "_window_start", "_window_end")),
        (ReplaceWindow(strategy="replace_window", column="at"), ("shop", "at")),
    ],
)
def test_files_say_exactly_what_they_hold_of_the_scope_whatever_the_strategy(
    write: Snapshot | Append | ReplaceWindow, columns: tuple[str, ...]
) -> None:
    destination = Iceberg(catalog="lake", table="a.b", write=write, scope={"shop": "x"})
    assert destination._found_by == columns


def test_a_layout_is_told_as_iceberg_prints_it() -> None:
    assert [parsed(text).told for text in ("days(at)", "bucket( 8 , a b )", "truncate(4, n)", "Grün")] == [
        "day(at)",
        "bucket[8](a b)",
        "truncate[4](n)",
        "identity(Grün)",
    ]
    assert parsed("days(at)", ["days(at)"]) == Part("identity", "days(at)")
    with pytest.raises(ConfigError, match="bucket takes a size"):
        parsed("bucket(id)")


@pytest.mark.parametrize("name", ["orders", "a..b", "a.b/../c", "a.b c", ".a", "a.b`", "a.ü", ""])
def test_a_table_is_no_path(name: str) -> None:
    with pytest.raises(ConfigError, match="no table's name"):
        checked(name)


def test_branches_of_a_unit_are_told_from_those_of_others() -> None:
    assert branch_of(UNIT, 7).startswith(branches_of(UNIT))
    assert not branch_of(UNIT + "x", 7).startswith(branches_of(UNIT))


def test_turns_are_taken_one_by_one(tmp_path: Path) -> None:
    catalog, inside, most = Catalog(name="c", type="hadoop", warehouse=f"file:{tmp_path}"), [0], [0]

    def take() -> None:
        with turn(catalog, "a.b"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.005)
            inside[0] -= 1

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert (tmp_path / "a/.b.lock").exists()
