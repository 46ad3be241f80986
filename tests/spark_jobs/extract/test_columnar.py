"""ORC and Avro files: as Parquet, with the traps of each (test_parquet.py has what they share)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.failures import classify
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

TEN = datetime(2013, 1, 1, 10)  # noqa: DTZ001


def put(drops: Drops, name: str, query: str) -> Path:
    """One file of a query's rows, in the format that its name says."""
    form = name.rpartition(".")[2]
    folder = drops.folder / "written"
    drops.spark.sql(query).coalesce(1).write.mode("overwrite").format(form).save(str(folder))
    made = next(folder.glob(f"*.{form}"))
    return drops.put(name, made.read_bytes())


def orc(drops: Drops, name: str, columns: dict[str, Any]) -> None:
    import pyarrow as pa
    from pyarrow import orc as writer

    writer.write_table(pa.table(columns), drops.put(name, ""))


@pytest.mark.parametrize("form", ["orc", "avro"])
def test_types_are_held_against_the_contract_and_clashes_are_set_aside(drops: Drops, form: str) -> None:
    query = (
        "SELECT * FROM VALUES (1L, 1.50D, '7', DATE'2013-01-01', 1.1BD, array(1), X'00ff'), "
        "(5000000000L, double('NaN'), 'x', NULL, NULL, NULL, NULL), (NULL, 2D, '8', NULL, NULL, NULL, NULL) "
        "AS t(id, price, text, day, d, list, bytes)"
    )
    put(drops, f"a.{form}", query)
    columns = {"id": {"type": "int", "required": True}, "price": "double", "text": "int", "day": "date"}
    read = drops.read(f"a.{form}", format=form, columns=columns)
    assert read.columns == ["id", "price", "text", "day", "d", "list", "bytes"]
    assert read.rows == [(1, 1.5, 7, date(2013, 1, 1), Decimal("1.1"), [1], bytearray(b"\x00\xff"))]
    assert sorted(map(str, (row["rules"] for row in read.refused))) == ["['required id']", "['type id', 'type text']"]
    assert '{"id":5000000000,"price":"NaN","text":"x"}' in read.raw
    assert read.refused[0]["source_line"] is None


@pytest.mark.parametrize("form", ["parquet", "orc", "avro"])
def test_columns_of_all_files_are_read_unless_they_must_be_the_same(drops: Drops, form: str) -> None:
    put(drops, f"day/a.{form}", "SELECT 1 id, 'x' name")
    put(drops, f"day/b.{form}", "SELECT 1.5D z, 2 id")
    read = drops.read("day", format=form, columns={"id": "int"})
    assert read.columns == ["id", "name", "z"]
    assert sorted(read.rows, key=str) == [(1, "x", None), (2, None, 1.5)]
    with pytest.raises(DataError, match=rf"b\.{form}: column 'name' is in this file or in .*, and not in both"):
        drops.read("day", format=form, merge_schema=False)
    put(drops, f"day/b.{form}", "SELECT '2' id")
    with pytest.raises(DataError, match=rf"b\.{form}: column 'id' is string, but int in .*a\.{form}"):
        drops.read("day", format=form)


@pytest.mark.parametrize("form", ["orc", "avro"])
@pytest.mark.parametrize("content", [b"", b"id,name\n1,x\n", None])
def test_a_file_that_is_not_whole_stops_and_is_named(drops: Drops, form: str, content: bytes | None) -> None:
    whole = put(drops, f"day/a.{form}", "SELECT id, uuid() u FROM range(5000)").read_bytes()
    drops.put(f"day/b.{form}", whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(Exception, match=rf"b\.{form}") as caught:
        drops.read("day", format=form)
    assert isinstance(classify(caught.value), DataError), caught.value


def test_orc_keeps_wall_clock_times_which_are_in_the_sources_zone(drops: Drops) -> None:
    import pyarrow as pa

    orc(drops, "a.orc", {"at": pa.array([TEN, None], pa.timestamp("us")), "id": pa.array([1, 2])})
    for columns in ({"at": "timestamp"}, {"id": "int"}):
        read = drops.read("a.orc", format="orc", columns=columns, timezone="America/New_York")
        places = {name: place for place, name in enumerate(read.columns)}
        assert [row[places["at"]] for row in read.rows] == [datetime(2013, 1, 1, 15), None]  # noqa: DTZ001
    assert drops.read("a.orc", format="orc").rows[0] == (TEN, 1)
    orc(drops, "b.orc", {"at": pa.array([TEN.replace(tzinfo=UTC)], pa.timestamp("us", tz="UTC"))})
    with pytest.raises(DataError, match=r"b\.orc: a column is 'timestamp with local time zone', which Spark"):
        drops.read("b.orc", format="orc")


def test_avro_keeps_instants_and_is_read_whatever_the_files_are_called(drops: Drops) -> None:
    path = put(drops, "a.avro", "SELECT TIMESTAMP'2013-01-01 10:00:00' at, timestamp_ntz'2013-01-01 10:00:00' l")
    path.rename(path.with_name("delivery"))
    read = drops.read("delivery", format="avro", columns={"at": "timestamp", "l": "timestamp"}, timezone="Asia/Tokyo")
    assert read.rows == [(TEN, datetime(2013, 1, 1, 1))]  # noqa: DTZ001


def test_a_field_that_is_too_long_is_refused(drops: Drops) -> None:
    put(drops, "a.parquet", "SELECT id, repeat('x', int(id) * 20000000) t FROM range(2)")
    read = drops.read("a.parquet", format="parquet", columns={"id": "int"})
    assert (read.rows, read.rules) == ([(0, "")], ["too_long"])
    assert "a field of 20,000,000 bytes" in read.refused[0]["message"]
    assert len(read.raw[0]) == 1000
