"""Which files of a folder are read, and what the names of folders tell."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from spark_jobs.errors import DataError
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

COLUMNS: dict[str, Any] = {"day": {"type": "date", "required": True}, "id": "int", "city": "string"}


def test_folders_become_typed_columns_in_every_kind_of_format(drops: Drops) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    places = ["day=2013-01-01/city=New York%2FNY+1", "day=2013-01-02/city=__HIVE_DEFAULT_PARTITION__", "day=x/city=50%"]
    for number, place in enumerate(places):
        drops.put(f"csv/{place}/a.csv", f"id\n{number}\n")
        drops.put(f"json/{place}/a.json", f'{{"id":{number}}}\n')
        path = drops.put(f"parquet/{place}/a.parquet", "")
        parquet.write_table(pa.table({"id": pa.array([number], "int32")}), path)
    for form in ("csv", "json", "parquet"):
        read = drops.read(form, format=form, columns=COLUMNS, partitions=["day", "city"])
        assert read.columns == ["day", "id", "city"]
        assert sorted(read.rows) == [(date(2013, 1, 1), 0, "New York/NY+1"), (date(2013, 1, 2), 1, None)]
        assert read.rules == ["type day"]
        assert "day=x/city=50%/" in read.refused[0]["source_file"]


def test_a_window_is_cut_by_a_folder(drops: Drops) -> None:
    for day in (1, 2):
        drops.put(f"day=2013-01-0{day}/a.csv", f"id\n{day}\n")
    read = drops.read(columns=COLUMNS, partitions=["day"], window={"column": "day"})
    assert (read.rows, read.counts.filtered) == ([(date(2013, 1, 1), 1, None)], 1)


def test_files_outside_the_folders_and_columns_in_both_stop(drops: Drops, caplog: Any) -> None:
    drops.put("a/day=2013-01-01/a.csv", "id\n1\n")
    assert drops.read("a", columns={"id": "int"}).rows == [(1,)]
    assert "folders hold columns that partitions doesn't name: day" in caplog.text
    drops.put("a/b.csv", "id\n1\n")
    with pytest.raises(DataError, match=r"b\.csv: no folder on the way to the file is called day=…"):
        drops.read("a", columns=COLUMNS, partitions=["day"])
    drops.put("b/day=2013-01-01/a.csv", "id,day\n1,x\n")
    with pytest.raises(DataError, match=r"column 'day' is in the file, and in the names of its folders"):
        drops.read("b", columns=COLUMNS, partitions=["day"])
    drops.put("c/day=2013-01-01/a.json", '{"id":1,"day":"x"}\n')
    with pytest.raises(DataError, match="column 'day' is in the file, and in"):
        drops.read("c", format="json", columns=COLUMNS, partitions=["day"])


def test_a_file_that_came_twice_is_another_one_in_another_folder_however_the_path_leads_there(drops: Drops) -> None:
    for day in (1, 2):
        for name in ("a", "again"):
            drops.put(f"in/day=2013-01-0{day}/{name}.csv", "id\n7\n")
    options: dict[str, Any] = {"columns": COLUMNS, "partitions": ["day"], "repeated_files": "skip"}
    wanted = [(date(2013, 1, 1), 7), (date(2013, 1, 2), 7)]
    for path in ("in", "in/day=*", "in/day=*/*.csv", "in/*/*"):
        assert sorted(row[:2] for row in drops.read(path, **options).rows) == wanted, path


def test_a_glob_chooses_files_by_their_names(drops: Drops) -> None:
    drops.put("day/a.csv", "id\n1\n")
    drops.put("day/deep/b.csv", "id\n2\n")
    drops.put("day/c.CSV", "nonsense")
    drops.put("day/README", "nonsense")
    assert sorted(drops.read("day", glob="[ab].csv").rows) == [("1",), ("2",)]
    with pytest.raises(DataError, match=r"expected at least one; 4 are called otherwise than \*\.tsv"):
        drops.read("day", glob="*.tsv")
