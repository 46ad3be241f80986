"""Parquet files: the types in the files are held against the contract."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import DataError
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark


def put(drops: Drops, name: str, columns: dict[str, Any]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    path = drops.folder / name
    path.parent.mkdir(exist_ok=True)
    parquet.write_table(pa.table(columns), path)
    return path


def arrow(values: list[Any], kind: str) -> Any:
    import pyarrow as pa

    kinds = {"decimal": pa.decimal128(10, 3), "instant": pa.timestamp("us", tz="UTC"), "local": pa.timestamp("us")}
    return pa.array(values, kinds.get(kind) or kind)


def test_types_of_the_contract_hold_and_what_does_not_fit_is_set_aside(drops: Drops) -> None:
    put(
        drops,
        "a.parquet",
        {
            "id": arrow([1, 2, 2**40, None], "int64"),
            "price": arrow([1.5, 2.0, 3.0, 4.0], "float64"),
            "text": arrow(["1", "2", "3", "x"], "string"),
        },
    )
    columns = {"id": {"type": "int", "required": True}, "price": "double", "text": "int"}
    read = drops.read("a.parquet", format="parquet", columns=columns)
    assert read.rows == [(1, 1.5, 1), (2, 2.0, 2)]
    assert [row["rules"] for row in read.refused] == [["type id"], ["required id", "type text"]]
    assert read.raw[0] == f'{{"id":{2**40},"price":3.0,"text":"3"}}'
    assert [row["source_line"] for row in read.refused] == [3, 4]
    assert read.refused[0]["source_file"].endswith("a.parquet")


def test_a_value_is_never_rounded_into_its_type(drops: Drops) -> None:
    put(drops, "a.parquet", {"n": arrow([1.0, 1.5], "float64"), "d": arrow([Decimal("1.120"), Decimal(1)], "decimal")})
    read = drops.read("a.parquet", format="parquet", columns={"n": "int", "d": "decimal(5,2)"})
    assert read.rows == [(1, Decimal("1.12"))]
    assert read.rules == ["type n"]


def test_a_wall_clock_time_is_in_the_sources_zone(drops: Drops) -> None:
    ten = datetime(2013, 1, 1, 10)  # noqa: DTZ001
    put(drops, "a.parquet", {"i": arrow([ten], "instant"), "l": arrow([ten], "local")})
    columns = {"i": "timestamp", "l": "timestamp"}
    read = drops.read("a.parquet", format="parquet", columns=columns, timezone="America/New_York")
    assert read.rows == [(ten, datetime(2013, 1, 1, 15))]  # noqa: DTZ001


def test_columns_evolve_with_their_types_over_several_files(drops: Drops) -> None:
    put(drops, "day/a.parquet", {"id": arrow([1], "int32"), "z": arrow([1.5], "float64")})
    put(drops, "day/b.parquet", {"y": arrow([True], "bool"), "id": arrow([2], "int32")})
    read = drops.read("day", format="parquet", columns={"id": "int", "name": "string"})
    assert read.columns == ["id", "name", "z", "y"]
    assert sorted(read.rows) == [(1, None, 1.5, None), (2, None, None, True)]
    read = drops.read("day", format="parquet", columns={"id": "int"}, new_columns="quarantine")
    assert (read.rows, read.rules) == ([], ["new column z", "new column y"])


def test_files_that_disagree_about_a_type_stop(drops: Drops) -> None:
    put(drops, "day/a.parquet", {"id": arrow([1], "int32")})
    put(drops, "day/b.parquet", {"id": arrow(["x"], "string")})
    with pytest.raises(DataError, match=r"b\.parquet: column 'id' is string, but int in .*a\.parquet"):
        drops.read("day", format="parquet")


def test_a_type_that_can_never_become_the_contracts_stops_and_names_the_column(drops: Drops) -> None:
    put(drops, "a.parquet", {"id": arrow([True], "bool")})
    with pytest.raises(DataError, match=r"a\.parquet: column 'id' is boolean, which can't become date"):
        drops.read("a.parquet", format="parquet", columns={"id": "date"})


@pytest.mark.parametrize("content", [b"", b"PAR1", b"id,name\n1,x\n", None])
def test_a_file_that_is_not_whole_stops_and_is_named(drops: Drops, content: bytes | None) -> None:
    put(drops, "day/a.parquet", {"id": arrow([1], "int32")})
    whole = put(drops, "day/b.parquet", {"id": arrow(list(range(5000)), "int32")}).read_bytes()
    drops.put("day/b.parquet", whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(DataError, match=r"b\.parquet: no Parquet file, or not a whole one"):
        drops.read("day", format="parquet")


def test_missing_and_twice_named_columns_stop(drops: Drops) -> None:
    put(drops, "a.parquet", {"ID": arrow([1], "int32")})
    with pytest.raises(DataError, match="did you mean 'ID'"):
        drops.read("a.parquet", format="parquet", columns={"id": {"type": "int", "required": True}})
    put(drops, "b.parquet", {"id": arrow([1], "int32"), "ID": arrow([1], "int32")})
    with pytest.raises(DataError, match=r"b\.parquet"):
        drops.read("b.parquet", format="parquet")


def test_where_a_row_stood_is_copied_with_it_only_where_that_is_asked(drops: Drops) -> None:
    put(drops, "a.parquet", {"id": arrow([1], "int32")})
    plan = drops.flow("a.parquet", format="parquet").rows._jdf.queryExecution().executedPlan().toString()
    assert "file_path" not in plan
    assert "row_index" not in plan
    read = drops.read("a.parquet", format="parquet", audit_columns=True)
    assert read.rows[0][1].endswith("a.parquet")
