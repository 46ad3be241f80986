"""Bad inputs that are seen behind the source: in a step, or where a table can't take a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.failures import classify
from tests.bad_input.running import Running, put
from tests.spark_jobs.transform.running import run

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("expression", ["a + 1", "a / b", "a * a", "CAST(a * 2L AS INT)"])
def test_b18_what_overflows_stops_the_run_and_never_becomes_null(spark: Any, expression: str) -> None:
    rows = spark.createDataFrame([(2**31 - 1, 0)], "a int, b int")
    with pytest.raises(Exception, match=r"OVERFLOW|DIVIDE_BY_ZERO|overflow") as caught:
        run(rows, {"derive": {"c": expression}})
    assert isinstance(classify(caught.value), DataError)


def test_b28_the_empty_text_never_becomes_null_in_a_partition(spark: Any, tmp_path: Path) -> None:
    running = Running(spark, tmp_path)
    put(tmp_path, {"a.csv": "id,City\n1,\n2,NA\n3,Bonn\n"})
    options = {"format": "csv", "columns": {"id": {"type": "int"}, "City": {"type": "string"}}, "null_values": ["NA"]}
    extract = {"cities": {"type": "files", "path": "${env.raw}/a.csv", "window": "all"} | options}

    def load(**write: str) -> dict[str, Any]:
        table = {"type": "delta", "path": "${env.lake}/cities", "partition_by": ["City"]}
        return {"lake": table | {"write": {"strategy": "append"} | write}}

    steps = [{"from": "cities"}]
    report = running.run(extract=extract, transform=steps, load=load())
    assert report.error is not None
    assert report.error["kind"] == "data"
    assert "1 of 3 rows have the empty text in 'City', by which the table is laid out" in report.error["message"]
    assert "`outside: quarantine`" in report.error["message"]
    report = running.run(extract=extract, transform=steps, load=load(outside="quarantine"))
    assert report.error is None, report.error
    assert sorted(tuple(row) for row in running.rows("cities").select("id", "City").collect()) == [
        (2, None),
        (3, "Bonn"),
    ]
    [refused] = [row for row in running.refused() if row["stage"] == "load"]
    assert refused["rules"] == ["empty_partition"]


def test_b28_nor_where_the_file_does_not_say_how_the_table_is_laid_out(spark: Any, tmp_path: Path) -> None:
    running = Running(spark, tmp_path)
    put(tmp_path, {"a.csv": "id,City\n1,\n", "b.csv": "id,City\n3,Bonn\n", "c.csv": "id\n4\n"})

    def verbs(file: str, **options: Any) -> dict[str, Any]:
        columns = {"id": {"type": "int"}} | ({} if file == "c" else {"City": {"type": "string"}})
        source = {"type": "files", "path": f"${{env.raw}}/{file}.csv", "window": "all", "null_values": ["NA"]}
        table = {"type": "delta", "path": "${env.lake}/cities", "write": {"strategy": "append"}} | options
        return {
            "extract": {"cities": source | {"format": "csv", "columns": columns}},
            "transform": [{"from": "cities"}],
            "load": {"lake": table},
        }

    made = running.run(**verbs("b", partition_by=["City"]))
    assert made.error is None, made.error
    for told in (verbs("a"), verbs("c", partition_by=["City"], scope={"City": ""})):
        report = running.run(**told)
        assert report.error is not None
        assert "1 of 1 rows have the empty text in 'City'" in report.error["message"], report.error
    assert [tuple(row) for row in running.rows("cities").select("id", "City").collect()] == [(3, "Bonn")]


def test_b39_a_key_that_nine_of_ten_rows_have_is_joined_and_deduplicated(spark: Any) -> None:
    rows = spark.range(300_000).selectExpr("IF(id % 10 < 9, 0L, id) AS k", "id", "repeat('x', 200) AS wide")
    names = spark.range(300_000).selectExpr("id AS k", "concat('n', id) AS name")
    done = run(
        rows,
        {"join": {"with": "names", "on": ["k"], "how": "left"}},
        {"dedupe": {"keys": ["name"], "order_by": ["id"], "keep": "last"}},
        {"filter": "k < 20"},
        {"drop": ["wide"]},
        names=names,
    )
    assert sorted(done.rows) == [(0, 299_998, "n0"), (9, 9, "n9"), (19, 19, "n19")]
