"""Given the flights of 2013, when they are laid out, then each local day is one file, dirt and all."""

from __future__ import annotations

from pathlib import Path

from demo.prepare import by_day, lines, prepare, write

HEADER = "origin,time_hour,note\n"


def day_of(hour: str) -> str:
    """The day under which one row lands."""
    (day,) = by_day([HEADER, f"EWR,{hour},x\n"])
    return day


def test_a_row_belongs_to_the_day_in_new_york_not_in_utc() -> None:
    assert day_of("2013-01-02T04:59:00Z") == "2013-01-01"
    assert day_of("2013-01-02T05:00:00Z") == "2013-01-02"


def test_the_day_begins_an_hour_earlier_in_utc_while_clocks_are_ahead() -> None:
    assert day_of("2013-03-11T03:59:00Z") == "2013-03-10"
    assert day_of("2013-03-11T04:00:00Z") == "2013-03-11"


def test_every_day_has_the_header_and_its_rows_as_they_came() -> None:
    rows = ["EWR,2013-01-01T10:00:00Z,NA\n", 'JFK,2013-01-01T11:00:00Z," a,b"\n', "EWR,2013-01-01T10:00:00Z,NA\n"]
    assert by_day([HEADER, *rows]) == {"2013-01-01": [HEADER, *rows]}


def test_nothing_of_the_year_is_lost_and_nothing_is_cleaned(tmp_path: Path) -> None:
    prepare(tmp_path)
    drops = sorted((tmp_path / "flights").iterdir())
    header = next(iter(lines("flights")))
    laid = [line for drop in drops for line in drop.read_text().splitlines(keepends=True)[1:]]
    assert (len(drops), len(laid)) == (365, 336_776)
    assert sorted(laid) == sorted(list(lines("flights"))[1:])
    assert all(drop.read_text().startswith(header) for drop in drops)
    assert sum(",NA," in line for line in laid) > 9_000


def test_laying_out_again_writes_nothing_and_mends_what_was_broken(tmp_path: Path) -> None:
    assert prepare(tmp_path) > 700
    broken = tmp_path / "flights" / "2013-01-01.csv"
    whole = broken.read_text()
    broken.write_text(whole[:100])
    assert prepare(tmp_path) == 1
    assert broken.read_text() == whole


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    assert write(tmp_path / "a" / "b.csv", "x\n")
    assert not write(tmp_path / "a" / "b.csv", "x\n")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.csv"]
