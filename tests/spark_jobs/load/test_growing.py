"""Columns that come and go: what a load does to its table's columns is said, or refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.load.by_key import Cdc, Merge, Scd2
from spark_jobs.load.growing import growth
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.report import LoadReceipt
from tests.spark_jobs.load.by_key import KeyedTable
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.load.test_iceberg import Table as IcebergTable
from tests.spark_jobs.plans import day

FIRST, SECOND = "id INT, day DATE, note STRING", "id INT, day DATE, coupon STRING"
WRITES = {
    "replace_window": ReplaceWindow(strategy="replace_window", column="day"),
    "append": Append(strategy="append"),
    "snapshot": Snapshot(strategy="snapshot"),
    "merge": Merge(strategy="merge", keys=("id",), sequence="day"),
    "scd2": Scd2(strategy="scd2", keys=("id",), valid_from="day"),
    "cdc": Cdc(strategy="cdc", keys=("id",), sequence="day", operation="op"),
}
Load = Callable[..., LoadReceipt]


@pytest.mark.spark
def test_fields_of_structs_are_told_by_their_path_and_letter_case_makes_no_difference(spark: Any) -> None:
    def schema(text: str) -> Any:
        return spark.createDataFrame([], text).schema

    held = schema("ID INT, a STRUCT<b: INT, list: ARRAY<STRUCT<x: INT>>>, m MAP<STRING, STRUCT<k: INT>>, gone INT")
    rows = schema(
        "id INT, A STRUCT<B: INT, c: DATE, list: ARRAY<STRUCT<x: INT, y: INT>>>, m MAP<STRING, STRUCT<k: INT, l: INT>>"
    )
    found = growth(rows, held)
    assert found.added == ("A.c date", "A.list.element.y int", "m.value.l int")
    assert found.missing == ("gone",)
    assert growth(rows, rows) == growth(rows, None), "nothing"


def loading(spark: Any, request: pytest.FixtureRequest, folder: Path, kind: str, name: str) -> Load:
    """Loads a day's one row into a table of a kind, with `new_columns` as it is said."""
    server = None if kind in {"delta", "iceberg"} else request.getfixturevalue(kind)
    place, seconds = f"grown_{name}", iter(range(1, 100))
    if server is not None:
        server.run(*[f"DROP TABLE IF EXISTS {known}" for known in (place, "_etl_loads", "_etl_owners")])

    def load(number: int, schema: str, new_columns: str, extra: str) -> LoadReceipt:
        options = {"new_columns": new_columns}
        op = ("c",) if name == "cdc" else ()
        row, schema = (number, date(2013, 1, number), extra, *op), schema + (", op STRING" if op else "")
        write = WRITES[name]
        if kind == "delta":
            return KeyedTable(spark, folder, write, schema, **options).load(day(number), row, second=next(seconds))
        if kind == "iceberg":
            table = IcebergTable(spark, folder, write, **options)
            return table.load(day(number), [row], next(seconds), schema=schema)
        table = DatabaseTable(spark, server, folder, place, write, schema, **options)
        return table.load(day(number), row, second=next(seconds))

    return load


SUBJECTS = [
    *(("delta", name) for name in ("append", "snapshot", "scd2", "cdc")),
    ("iceberg", "append"),
    ("postgres", "replace_window"),
    ("mariadb", "merge"),
]


@pytest.mark.spark
@pytest.mark.parametrize(("kind", "name"), SUBJECTS)
def test_a_frozen_table_takes_no_new_column_and_another_says_which_it_got(
    spark: Any, request: pytest.FixtureRequest, tmp_path: Path, kind: str, name: str
) -> None:
    load = loading(spark, request, tmp_path, kind, name)
    first = load(1, FIRST, "freeze", "a")
    assert (first.columns_added, first.columns_missing) == ([], []), "a new table is no change of one"
    with pytest.raises(DataError, match="the table hasn't got 'coupon ") as caught:
        load(2, SECOND, "freeze", "b")
    assert caught.value.where.endswith(".new_columns")
    grown = load(3, SECOND, "evolve", "d")
    assert [told.partition(" ")[0] for told in grown.columns_added] == ["coupon"]
    assert grown.columns_missing == ["note"]
    assert grown.changes.startswith("; new columns: coupon ")
