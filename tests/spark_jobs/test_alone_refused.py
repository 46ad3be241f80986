"""What `quarantine replay --rows` refuses, and why; no Spark."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spark_jobs.alone.fitting import of_rows, way
from spark_jobs.alone.lines import moved, of_few, read, unfit
from spark_jobs.alone.replay import _demand_all, _of_few
from spark_jobs.check.expectation import Expectation
from spark_jobs.check.in_range import InRange
from spark_jobs.check.not_null import NotNull
from spark_jobs.check.python import Python
from spark_jobs.check.row_count import RowCount
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.files import Files
from spark_jobs.giving_up import _and_later
from spark_jobs.ledger import amending_number, first_after
from spark_jobs.load.delta import Delta
from spark_jobs.load.strategies import Append
from spark_jobs.orders import Order
from spark_jobs.tables.recount import _unseen
from tests.spark_jobs.plans import attempt, day, plan


def files(**options: Any) -> Files:
    return Files(**{"path": "a.csv", "format": "csv"} | options)


@pytest.mark.parametrize(
    ("records", "options", "reason"),
    [
        (['1,"a', "2,b"], {"multiline": True}, "the quotes of a record don't close"),
        (['1,"a\nb"'], {}, "a record holds line breaks"),
        (['{"id":\n1}'], {"format": "json", "multiline": True}, "a record holds line breaks"),
    ],
)
def test_records_that_others_would_be_swallowed_by_are_refused(
    records: list[str], options: dict[str, Any], reason: str
) -> None:
    assert reason in next(unfit(records, files(**options)), "")


def test_lines_lack_the_columns_of_folders() -> None:
    with pytest.raises(DataError, match=r"columns that the names of folders hold \(day\), and its lines don't"):
        read([], "rows", files(partitions=("day",)), "folder", SimpleNamespace(spark=None))  # type: ignore[arg-type]


def test_lines_of_two_files_that_are_alike_are_no_file_that_came_twice() -> None:
    few = of_few(files(repeated_files="skip", mostly=0.99, glob="a*"), "folder")
    assert few == files(path="folder"), "nothing is asked of a few lines that is asked of whole files"


def test_records_that_stay_apart_are_none_of_them() -> None:
    assert list(unfit(['1,"a\nb"', '2,"say ""x"""'], files(multiline=True))) == []
    assert list(unfit(['1,"a', "2,b"], files())) == [], "each line is judged by itself"


@pytest.mark.parametrize(
    ("data", "line", "joined", "whole", "is_moved"),
    [
        (b"a,b\r\n1,x\r\n", 2, False, True, False),
        (b"b,a\nx,1\n", 2, False, True, True),
        (b"a,b\n", 2, False, True, True),
        (b"a,b\n1,", 2, False, False, False),
        (b"a,b\n1,x", 2, False, True, False),
        (b"a,b\n1,x", None, False, True, False),
        (b'a,"b\r"\n1,x\n', 2, True, True, False),
    ],
)
def test_a_file_that_was_replaced_is_told_by_the_line_in_which_a_record_stood(
    data: bytes, line: int | None, joined: bool, whole: bool, is_moved: bool
) -> None:
    assert moved(data, line, "1,x", joined=joined, whole=whole) is is_moved


def test_a_record_that_is_read_back_as_none_is_never_marked_as_loaded() -> None:
    _demand_all(2, 2)
    with pytest.raises(DataError, match="2 records wait, and the source makes 1 rows of them"):
        _demand_all(2, 1)


def test_a_python_check_is_refused_for_it_sees_all_rows_of_its_window() -> None:
    load = {"lake": ("rows", Delta(path="t", write=Append(strategy="append")))}
    checks = {"rows": (("python", Python(function="company.checks:plausible")),)}
    told = SimpleNamespace(extract={"rows": files()}, transform={}, check=checks, load=load)
    with pytest.raises(
        ConfigError, match="check python of rows calls a function, which may compare rows with others of their window"
    ):
        way(told, "p", reaches_back=False)


def test_what_all_rows_say_together_is_not_asked_of_a_few() -> None:
    asked = of_rows(
        (
            ("in_range", InRange(column="a", min=0, mostly=0.99, on_fail="quarantine")),
            ("not_null", NotNull(columns=("a",), mostly=1.0)),
            ("row_count", RowCount(min=2)),
            ("expectation", Expectation(type="expect_column_max_to_be_between", kwargs={"column": "a"})),
        )
    )
    assert [(name, check.mostly) for name, check in asked] == [("in_range", 0.0), ("not_null", 1.0)]


def test_the_pages_of_a_window_stay_those_of_its_run() -> None:
    made = plan(Path("p"), day(1), attempt(1), data_docs="docs", results=True, set_aside={"rows": 0})
    few = _of_few(Order(name="rows", plans=(made,), options={"rule": "", "dataset": ""}))
    assert (few.data_docs, _unseen(made).data_docs, _unseen(made).results) == ("", "", False)
    assert (few.set_aside, _unseen(made).set_aside) == ({}, {}), "a few rows that are bad are no share"


def test_a_drop_knows_the_attempts_that_have_copied_rows_as_they_were() -> None:
    """Rows that nobody chose are copied without one more retry: they are the rows that somebody saw."""
    number = attempt(1).number
    copied = [amending_number(number), amending_number(number, [amending_number(number)])]
    assert number < copied[0] < copied[1] < first_after(number) < attempt(2).number
    said = _and_later([{"window": day(1).to_json(), "attempt": number}])
    assert f"attempt > {number} AND (retries > 0 OR attempt < {first_after(number)})" in said
