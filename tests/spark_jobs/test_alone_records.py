"""Which records of rows behind their source may be read back, by what the source gives today; no Spark."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from spark_jobs.alone.records import Today

SOUND: Final = {
    "id": 1,
    "at": "2013-01-01T03:00:00.123456Z",
    "wall": "2013-01-01T03:00:00.123456",
    "day": "2013-01-01",
    "paid": 1.25,
    "spans": [{"begin": "2013-01-01T03:00:00.000000+01:00", "by": "12:00:00.000"}],
}


def today() -> Today:
    from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

    span = T.StructType([T.StructField("begin", T.TimestampType()), T.StructField("by", T.StringType())])
    types = {
        "id": T.IntegerType(),
        "at": T.TimestampType(),
        "wall": T.TimestampNTZType(),
        "day": T.DateType(),
        "paid": T.DecimalType(10, 2),
        "spans": T.ArrayType(span),
    }
    return Today(types=types, required=frozenset({"id"}), added=frozenset({"twice"}))


def unlike(record: dict[str, Any]) -> list[str]:
    row: Any = {"dataset": "result", "raw": json.dumps(record)}
    return list(today().unlike([row]))


@pytest.mark.parametrize(
    "change",
    [{}, {"Twice": 2}, dict.fromkeys(("at", "wall", "day", "paid", "spans")), {"paid": 3}, {"paid": 1.5000}],
)
def test_records_as_the_source_gives_them_today_are_read_back(change: dict[str, Any]) -> None:
    assert unlike(SOUND | change) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"new": 1}, "has new, which no source gives today"),
        ({"at": "2013-01-01T03:00:00.123Z"}, "'2013-01-01T03:00:00.123Z', which isn't a time to the microsecond"),
        ({"at": "2013-01-01 03:00"}, "which isn't a time to the microsecond with its offset"),
        ({"at": "2013-01-01T03:00:00.123456"}, "which isn't a time to the microsecond with its offset"),
        ({"at": 1357009200}, "1357009200, which isn't a time"),
        ({"wall": SOUND["at"]}, "which isn't a time to the microsecond without an offset"),
        ({"day": SOUND["at"]}, "which isn't a date as records have them"),
        ({"spans": [{"begin": "2013-01-01T03:00:00.000+01:00", "by": ""}]}, "has kept it, in spans"),
        ({"spans": [{"Begin": None, "by": ""}]}, "fields Begin, by instead of begin, by in spans"),
        ({"id": None}, "has nothing in id, which is required"),
        ({"paid": 1.255}, "1.255, which has more digits behind the point than decimal(10,2) in paid"),
        ({"paid": "1.255"}, "1.255, which has more digits"),
    ],
)
def test_records_that_today_would_be_read_as_others_than_they_were_are_refused(
    change: dict[str, Any], reason: str
) -> None:
    found = unlike(SOUND | change)
    assert found, "it is read as it is"
    assert reason in found[0]


def test_a_column_is_found_by_its_very_name() -> None:
    """JSON's names match exactly: a column in another case would come back null."""
    renamed = {name.upper() if name == "id" else name: value for name, value in SOUND.items()}
    assert unlike(renamed)[:2] == [
        "a record of result has ID, which no source gives today",
        "a record of result has no id, which the source gives today",
    ]
