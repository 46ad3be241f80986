"""What `quarantine replay --rows` refuses, and why; no Spark."""

from __future__ import annotations

from typing import Any

import pytest

from spark_jobs.alone.lines import unfit
from spark_jobs.alone.replay import _demand_all
from spark_jobs.errors import DataError
from spark_jobs.extract.files import Files


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


def test_records_that_stay_apart_are_none_of_them() -> None:
    assert list(unfit(['1,"a\nb"', '2,"say ""x"""'], files(multiline=True))) == []
    assert list(unfit(['1,"a', "2,b"], files())) == [], "each line is judged by itself"


def test_a_record_that_is_read_back_as_none_is_never_marked_as_loaded() -> None:
    _demand_all(2, 2)
    with pytest.raises(DataError, match="2 records wait, and the source makes 1 rows of them"):
        _demand_all(2, 1)
