"""Lines as rows: plain text, and fields of fixed width."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

FIXED: dict[str, Any] = {
    "format": "fixed",
    "fields": {
        "id": {"start": 1, "length": 4},
        "name": {"start": 5, "length": 6},
        "amount": {"start": 11, "length": 7},
        "day": {"start": 18, "length": 10},
    },
    "columns": {
        "id": {"type": "int", "required": True},
        "name": "string",
        "amount": "decimal(6,2)",
        "day": "date",
    },
}


def test_fields_are_cut_by_character_and_typed_exactly(drops: Drops) -> None:
    lines = [
        "0001Änne    12.502013-01-31",
        "  2 Bo           2013-02-01   ",
        "0003Cy       x  2013-02-30",
        "0004short",
        "0005too long 1.002013-01-01x",
        "",
        "    nobody   1.002013-01-01",
        "0007\u0661\u0662      1.0052013-02-30",
    ]
    drops.put("a.txt", "\r\n".join(lines))
    read = drops.read("a.txt", **FIXED)
    assert read.rows == [(1, "Änne", Decimal("12.50"), date(2013, 1, 31)), (2, "Bo", None, date(2013, 2, 1))]
    assert [row["source_line"] for row in read.refused] == [3, 4, 5, 7, 8]
    assert [row["rules"] for row in read.refused] == [
        ["ragged"],
        ["ragged"],
        ["ragged"],
        ["required id"],
        ["type amount", "type day"],
    ]
    assert read.raw == [lines[2], lines[3], lines[4], lines[6], lines[7]]
    assert "26 characters and not 27; if blanks at its end were taken off" in read.refused[0]["message"]


def test_lines_that_lost_their_blanks_may_be_filled_up(drops: Drops) -> None:
    drops.put("a.txt", "0001Ann      1.002013-01-01\n0002Bo\n0003Cy  2013-01-01 and more\n")
    read = drops.read("a.txt", short_lines="pad", **FIXED)
    assert read.rows == [(1, "Ann", Decimal("1.00"), date(2013, 1, 1)), (2, "Bo", None, None)]
    assert read.rules == ["type amount", "type day"]


def test_fields_outside_the_contract_are_new_columns(drops: Drops) -> None:
    drops.put("a.txt", "1a \n2 b\n")
    given: dict[str, Any] = {
        "format": "fixed",
        "fields": {"id": {"start": 1, "length": 1}, "x": {"start": 2, "length": 1}, "y": {"start": 3, "length": 1}},
    }
    read = drops.read("a.txt", columns={"id": "int"}, **given)
    assert (read.columns, read.rows) == (["id", "x", "y"], [(1, "a", None), (2, None, "b")])
    read = drops.read("a.txt", columns={"id": "int", "x": "string"}, new_columns="quarantine", **given)
    assert (read.rows, read.rules) == ([(1, "a")], ["new column y"])
    with pytest.raises(DataError, match="new columns: 'x', 'y'"):
        drops.read("a.txt", columns={"id": "int"}, new_columns="freeze", **given)
    with pytest.raises(ConfigError, match="nothing gives 'z'; there are id, x, y"):
        drops.read("a.txt", columns={"z": "int"}, **given)


def test_every_line_of_a_text_is_a_row_whatever_is_in_it(drops: Drops) -> None:
    drops.put("day/a.txt", b'first\r\n\n  "x",\t\0y\n\xff\xfe\nlast \xe2\x80\xa8 line')
    read = drops.read("day", format="text")
    assert read.columns == ["line"]
    assert read.rows == [("first",), ("",), ('  "x",\t\0y',), ("last \u2028 line",)]
    assert (read.rules, read.raw) == (["utf8"], ["ÿþ"])
    drops.put("b.txt", "x".encode("utf-16"))
    with pytest.raises(DataError, match=r"b\.txt: the file is UTF-16; expected UTF-8"):
        drops.read("b.txt", format="text")


def test_a_record_that_is_too_long_is_refused_and_told_by_its_place(drops: Drops) -> None:
    drops.put("a.csv", "id,name\n1,Ann\n2," + "x" * 20_000_000 + "\n3,Cy\n")
    for options in ({"format": "csv"}, {"format": "text"}):
        read = drops.read("a.csv", **options)
        assert len(read.rows) == (2 if options["format"] == "csv" else 3)
        assert (read.rules, read.refused[0]["source_line"]) == (["too_long"], 3)
        assert "a record of 20,000,002 bytes, at most 16,777,216 are read" in read.refused[0]["message"]
        assert len(read.raw[0]) == 1000


def test_an_empty_file_is_an_empty_window(drops: Drops) -> None:
    drops.put("a.txt", "")
    assert drops.read("a.txt", **FIXED).rows == []
    assert drops.read("a.txt", format="text").columns == ["line"]


@pytest.mark.parametrize("wide", [1500, pytest.param(10_000, marks=pytest.mark.prove)])
def test_thousands_of_columns_are_read(drops: Drops, wide: int) -> None:
    names = [f"c{place}" for place in range(wide)]
    drops.put("a.tsv", "\t".join(names) + "\n" + "\t".join(map(str, range(wide))) + "\n")
    read = drops.read("a.tsv", format="tsv", columns=dict.fromkeys(names[:200], "int"))
    assert read.rows == [(*range(200), *map(str, range(200, wide)))]


def test_tsv_is_csv_with_tabs(drops: Drops) -> None:
    drops.put("a.tsv", 'id\tname\r\n1\t"A\tB"\r\n2\tx,y\r\n3\n')
    read = drops.read("a.tsv", format="tsv", columns={"id": "int"})
    assert (read.rows, read.raw) == ([(1, "A\tB"), (2, "x,y")], ["3"])
