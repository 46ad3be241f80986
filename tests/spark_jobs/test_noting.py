"""Given rows that are written under a Delta table, then its statistics say what Delta's own collector would say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.settings import changed
from spark_jobs.transaction import Transaction

pytestmark = pytest.mark.spark

PLAIN = """
    id, CAST(id - 5 AS TINYINT) tiny, CAST(id * -300 AS SMALLINT) small, CAST(id * 70000 AS INT) number,
    CAST(id / 7 AS FLOAT) single, id / 3 double, CAST(id * 1.25 AS DECIMAL(8, 2)) few,
    CAST(id * -1234567890123.4567 AS DECIMAL(30, 4)) many, CAST(id / 8 AS DECIMAL(18, 3)) eighteen,
    concat('row ', id) text, id % 2 = 0 flag, DATE'2024-02-28' + CAST(id AS INT) date,
    timestamp_micros(1709251200000000 + id * 1234567) at,
    TIMESTAMP_NTZ'2024-03-31 02:30:00.123456' + make_dt_interval(CAST(id AS INT)) local,
    timestamp_micros(-id * 1234567) long_ago, encode(CAST(id AS STRING), 'UTF-8') bytes
"""
NULLED = ", ".join(f"if(n % 3 = 0, NULL, {name}) {name}" for name in ("id", "text", "at", "few"))
MANY = ", ".join(f"id + {number} c{number}" for number in range(40))
FRAMES = {
    "of every type": (PLAIN, "range(0, 9)"),
    "with nulls among them": (NULLED, f"(SELECT id n, {PLAIN} FROM range(0, 9))"),  # noqa: S608 - no user's words
    "of nulls alone": ("CAST(NULL AS INT) a, CAST(NULL AS STRING) b, CAST(NULL AS TIMESTAMP) c", "range(0, 4)"),
    "without a row": (PLAIN, "range(0, 9) WHERE id < 0"),
    "in structs": (
        "if(id = 2, NULL, struct(id a, struct(CAST(id AS STRING) b, DATE'2024-01-01' c) d)) s",
        "range(0, 5)",
    ),
    "of long texts": (
        """repeat('a', 40) a, repeat('é', CAST(id + 30 AS INT)) b, concat(repeat('😀', 15), id) c, repeat('😀', 40) d,
        concat(repeat('z', 31), '😀😀') e, '' f""",
        "range(0, 5)",
    ),
    "of more than 32 columns": (MANY, "range(0, 3)"),
    "with zeros of either sign": ("IF(id = 0, 0.0D, -0.0D) zero, IF(id = 0, -1.5F, 2.5F) f", "range(0, 2)"),
    "quoted": ("'a\"b\\\\c\n' text, id `ünï`", "range(0, 2)"),
}
# What a footer doesn't tell for certain: column -> what Delta's own collector says of it.
UNTOLD = {
    "a dot in the name of a later column": ("struct(id b) a, id + 1000 `a.b`", "minValues", {"a"}),
    "a dot in the name of an earlier column": ("id + 1000 `a.b`, struct(id b) a", "minValues", {"a"}),
    "lists and maps": ("array(id) many, map('k', id) named, id", "nullCount", {"id"}),
    "no numbers": ("double('NaN') nan, double('Infinity') endless, id", "maxValues", {"id"}),
    "other calendars": ("DATE'1582-10-04' julian, TIMESTAMP'0001-01-01 00:00:00' first, id", "minValues", {"id"}),
}


def noted(spark: Any, folder: Path, query: tuple[str, str], *, ours: bool, **properties: str) -> list[dict[str, Any]]:
    """The statistics of the files of a write, in the files' order; in properties `_` stands for a dot."""
    path = str(folder / f"ours-{ours}")
    rows = spark.sql(f"SELECT {query[0]} FROM {query[1]}").repartition(2)  # noqa: S608 - no user's words
    given = {name.replace("_", "."): value for name, value in properties.items()}
    spark.createDataFrame([], rows.schema).write.format("delta").options(**given).save(path)
    transaction = Transaction(spark, path)
    if ours:
        files, count = transaction.write(rows)
        assert count == rows.count()
        return [json.loads(text) for text in transaction.statistics(files)]
    made = transaction._as_java(transaction._transaction.writeFiles(rows._jdf))
    return [json.loads(str(item.stats())) for item in made]


@pytest.mark.parametrize("query", FRAMES.values(), ids=FRAMES)
def test_they_are_those_of_deltas_own_collector(spark: Any, tmp_path: Path, query: tuple[str, str]) -> None:
    mine, deltas = (noted(spark, tmp_path, query, ours=ours) for ours in (True, False))
    assert mine == deltas
    assert bool(mine) is ("id < 0" not in query[1]), "a file without a row isn't named"


@pytest.mark.parametrize(("select", "part", "left"), UNTOLD.values(), ids=UNTOLD)
def test_what_is_uncertain_is_left_out_and_the_rest_is_theirs(
    spark: Any, tmp_path: Path, select: str, part: str, left: set[str]
) -> None:
    mine, deltas = (noted(spark, tmp_path, (select, "range(0, 4)"), ours=ours) for ours in (True, False))
    assert all(set(file[part]) == left for file in mine)
    for own, delta in zip(mine, deltas, strict=True):
        assert own["numRecords"] == delta["numRecords"]
        assert all(delta[name].items() >= own[name].items() for name in ("minValues", "maxValues", "nullCount"))


@pytest.mark.parametrize("kept", ["0", "8", "64"])
def test_no_more_of_a_text_is_in_the_log_than_the_table_allows(spark: Any, tmp_path: Path, kept: str) -> None:
    query, allowed = (
        ("concat(repeat('abc', 20), id) text", "range(0, 4)"),
        {"delta_dataSkippingStringPrefixLength": kept},
    )
    mine, deltas = (noted(spark, tmp_path, query, ours=ours, **allowed) for ours in (True, False))
    assert mine == deltas


def test_row_groups_of_a_file_are_told_together(spark: Any, tmp_path: Path) -> None:
    """The first of them hold nulls alone, the last ones all values but the least."""
    query = ("if(id < 4000, NULL, sha2(CAST(id AS STRING), 256)) hash, nullif(id, 0) id", "range(0, 20000)")
    with changed(spark, "parquet.block.size", "65536"), changed(spark, "parquet.page.size", "4096"):
        mine, deltas = (noted(spark, tmp_path, query, ours=ours) for ours in (True, False))
    from pyarrow.parquet import ParquetFile

    assert max(ParquetFile(file).num_row_groups for file in (tmp_path / "ours-True").glob("*.parquet")) > 1
    assert mine == deltas


def test_a_reader_finds_each_row_by_its_value(spark: Any, tmp_path: Path) -> None:
    """What a file says of itself must never leave it out: the least and the greatest are asked for alone."""
    path = str(tmp_path / "table")
    rows = spark.sql(f"SELECT {PLAIN} FROM range(0, 9)")  # noqa: S608 - no user's words
    spark.createDataFrame([], rows.schema).write.format("delta").save(path)
    transaction = Transaction(spark, path)
    transaction.replace(rows.repartition(9), {}, [])
    transaction.commit({})
    table, some = spark.read.format("delta").load(path), rows.where("id IN (0, 8)").collect()
    for name in ("single", "few", "many", "text", "date", "at", "local", "long_ago"):
        for row in some:
            assert table.where(table[name] == row[name]).select("id").collect() == [(row["id"],)], name
