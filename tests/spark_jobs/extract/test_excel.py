"""Workbooks: numbers, dates and texts come as they were meant, or are refused."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import DataError
from tests.spark_jobs.extract.drops import Drops
from tests.spark_jobs.extract.workbooks import rows, workbook

pytestmark = pytest.mark.spark

COLUMNS: dict[str, Any] = {
    "id": {"type": "bigint", "required": True},
    "name": "string",
    "price": "decimal(20,2)",
    "day": "date",
    "at": "timestamp",
    "ok": "boolean",
}
HEADER = ["id", "name", "price", "day", "at", "ok"]


def test_cells_are_typed_and_what_floats_or_errors_hide_is_refused(drops: Drops) -> None:
    sheet = rows(
        HEADER,
        [1, "Änne", 0.1, (1, 41275), (2, 41275.4166666667), True],
        [2.0, "007", 1234567.89, "2013-01-02", None, False],
        [],
        [12345678901234567890, None, 1, None, None, None],
        [4, ("e", "#N/A"), ("e", "#DIV/0!"), None, None, None],
        [5, "x", 0.1 + 0.2, None, (2, 41275.4166666667), "maybe"],
        [6, None, (4, 1.5), (2, 41275.5), None, None],
        [None, "no id", None, None, None, None],
    )
    drops.put("a.xlsx", workbook({"Data": sheet}))
    read = drops.read("a.xlsx", format="excel", columns=COLUMNS)
    ten = datetime(2013, 1, 1, 10)  # noqa: DTZ001
    assert read.rows == [
        (1, "Änne", Decimal("0.10"), date(2013, 1, 1), ten, True),
        (2, "007", Decimal("1234567.89"), date(2013, 1, 2), None, False),
    ]
    assert [row["source_line"] for row in read.refused] == [5, 6, 7, 8, 9]
    assert [row["rules"] for row in read.refused] == [
        ["type id"],
        ["type price"],
        ["type price", "type ok"],
        ["type price", "type day"],
        ["required id"],
    ]
    assert '"name": "#N/A", "price": "#DIV/0!"' in read.raw[1]
    assert '"id": "1.2345678901234567e+19"' in read.raw[0]
    assert '"price": "36:00:00", "day": "2013-01-01 12:00:00"' in read.raw[3]


def test_the_sheet_and_the_row_of_the_header_are_options(drops: Drops) -> None:
    second = rows(["Report", None, None], [], ["id", None, "z"], [1, "x", None], [2, None, None])
    merged = '|<mergeCells count="1"><mergeCell ref="A1:C1"/></mergeCells>'
    drops.put("day/a.xlsx", workbook({"First": rows(["id"], [9]), "Zweites & Blatt": second + merged}))
    drops.put("day/b.xlsx", workbook({"x": "", "Zweites & Blatt": rows([], [], ["z", "id"], ["q", 3])}))
    for sheet in (2, "Zweites & Blatt"):
        read = drops.read("day", format="excel", sheet=sheet, header=3, columns={"id": "int"})
        assert read.columns == ["id", "_c1", "z"]
        assert sorted(read.rows) == [(1, "x", None), (2, None, None), (3, None, "q")]
    assert drops.read("day/b.xlsx", format="excel", columns={"id": "int"}).rows == []
    with pytest.raises(DataError, match=r"b\.xlsx: there is no sheet 'First'; there are 'x', 'Zweites & Blatt'"):
        drops.read("day", format="excel", sheet="First")
    with pytest.raises(DataError, match=r"xlsx: there is no sheet 3"):
        drops.read("day", format="excel", sheet=3)


def test_columns_of_the_header_are_held_against_the_contract(drops: Drops) -> None:
    drops.put("a.xlsx", workbook({"x": rows(["ID", "name"], [1, "x"])}))
    with pytest.raises(DataError, match="did you mean 'ID'"):
        drops.read("a.xlsx", format="excel", columns=COLUMNS)
    drops.put("a.xlsx", workbook({"x": rows(["id", "id"], [1, "x"])}))
    with pytest.raises(DataError, match="column 'id' twice"):
        drops.read("a.xlsx", format="excel", columns=COLUMNS)
    drops.put("a.xlsx", workbook({"x": rows(["id", "z"], [1, "x"], [2, None])}))
    read = drops.read("a.xlsx", format="excel", columns={"id": "int"}, new_columns="quarantine")
    assert (read.rows, read.rules) == ([(2,)], ["new column z"])


@pytest.mark.parametrize("content", [b"id,name\n1,x\n", b"PK\x03\x04 not a zip", None])
def test_a_file_that_is_no_whole_workbook_stops(drops: Drops, content: bytes | None) -> None:
    whole = workbook({"x": rows(["id"], *[[number] for number in range(1000)])})
    drops.put("day/a.xlsx", whole)
    drops.put("day/b.xlsx", whole[:-30] if content is None else content)
    with pytest.raises(DataError, match=r"b\.xlsx: no workbook, or not a whole one"):
        drops.read("day", format="excel", columns={"id": "int"})
