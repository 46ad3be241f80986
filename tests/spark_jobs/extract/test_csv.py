"""CSV files: whatever a supplier sends, every record is a row or set aside with a reason."""

from __future__ import annotations

import gzip
import itertools
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.delimited import options, unclosed
from spark_jobs.extract.header import Dialect
from spark_jobs.failures import classify
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark


def moment(*parts: int) -> datetime:
    """A timestamp as Spark hands it to Python: the session's zone is UTC."""
    return datetime(*parts)  # type: ignore[arg-type,misc]  # noqa: DTZ001


COLUMNS: dict[str, Any] = {"id": {"type": "int", "required": True}, "name": "string", "price": "double"}


def test_good_rows_come_typed_and_nothing_is_set_aside(drops: Drops) -> None:
    drops.put("a.csv", 'id,name,price\n1,Ann,1.5\n2,"Bo, Jr.",\n')
    read = drops.read("a.csv", columns=COLUMNS)
    assert read.columns == ["id", "name", "price"]
    assert read.rows == [(1, "Ann", 1.5), (2, "Bo, Jr.", None)]
    assert (read.counts.read, read.counts.quarantined) == (2, 0)


def test_rows_that_are_too_long_or_too_short_are_set_aside_whole(drops: Drops) -> None:
    path = drops.put("a.csv", "id,name,price\n1,Ann\n2,Bo,2.0\n3,Cy,3.0,extra\n")
    read = drops.read("a.csv", columns=COLUMNS)
    assert read.rows == [(2, "Bo", 2.0)]
    assert read.raw == ["1,Ann", "3,Cy,3.0,extra"]
    assert read.rules == ["ragged", "ragged"]
    assert "3 of the header" in read.refused[0]["message"]
    assert [row["source_line"] for row in read.refused] == [2, 4]
    assert read.refused[0]["source_file"] == f"file:{path}"
    assert (read.refused[0]["dataset"], read.refused[0]["stage"]) == ("rows", "extract")


def test_a_value_that_does_not_fit_its_type_is_named_with_its_column(drops: Drops) -> None:
    drops.put("a.csv", "id,name,price\nseven,Ann,x\n8,Bo,2.0\n,Cy,3\n")
    read = drops.read("a.csv", columns=COLUMNS)
    assert read.rows == [(8, "Bo", 2.0)]
    assert read.refused[0]["rules"] == ["type id", "type price"]
    assert read.refused[0]["message"] == "column 'id': seven is no int; column 'price': x is no double"
    assert read.refused[1]["message"] == "column 'id' is required and has no value"


def test_the_headers_names_decide_and_not_the_positions(drops: Drops) -> None:
    drops.put("day/a.csv", "id,name,price\n1,Ann,1.5\n")
    drops.put("day/b.csv", "price,id,name\n2.5,2,Bo\n")
    drops.put("day/c.csv", "name,id\nCy,3\n")
    read = drops.read("day", columns=COLUMNS)
    assert sorted(read.rows) == [(1, "Ann", 1.5), (2, "Bo", 2.5), (3, "Cy", None)]


@pytest.mark.parametrize("header", ["id,name,id", "id,name,ID", 'id,name,"id"'])
def test_a_column_that_is_there_twice_stops_and_names_file_and_column(drops: Drops, header: str) -> None:
    drops.put("a.csv", f"{header}\n1,Ann,2\n")
    with pytest.raises(DataError, match=r"a\.csv: the file has column 'id'"):
        drops.read("a.csv", columns=COLUMNS)


@pytest.mark.parametrize("content", ["", "\n\n", "id,name,price", "\ufeff", "\ufeffid,name,price\r\n"])
def test_a_file_without_rows_is_an_empty_window(drops: Drops, content: str) -> None:
    drops.put("a.csv", content)
    read = drops.read("a.csv", columns=COLUMNS)
    assert (read.rows, read.counts.read, read.columns) == ([], 0, ["id", "name", "price"])


def test_a_byte_order_mark_belongs_to_no_column(drops: Drops) -> None:
    drops.put("a.csv", "\ufeffid,name,price\n1,Ann,1\n\ufeffid,name,price\n")
    read = drops.read("a.csv", columns=COLUMNS)
    assert read.rows == [(1, "Ann", 1.0)]
    assert read.rules == ["repeated_header"]


def test_a_line_break_in_quotes_is_refused_with_the_option_that_allows_it(drops: Drops) -> None:
    drops.put("a.csv", 'id,name,price\n1,"An\nn",1\n2,Bo,2\n')
    read = drops.read("a.csv", columns=COLUMNS)
    assert read.rows == [(2, "Bo", 2.0)]
    assert read.raw == ['1,"An', 'n",1']
    assert all("multiline: true" in row["message"] for row in read.refused)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_multiline_keeps_line_breaks_in_quotes_as_they_are(drops: Drops, end: str) -> None:
    rows = ["id,name,price", f'1,"An{end}n",1', '2,"B""o\nx\r\ny",2', "", "3,Cy,x", "4,Di", "5,\ufeffEd,5"]
    drops.put("a.csv", end.join(rows))
    read = drops.read("a.csv", columns=COLUMNS, multiline=True)
    assert sorted(read.rows) == [(1, f"An{end}n", 1.0), (2, 'B"o\nx\r\ny', 2.0), (5, "\ufeffEd", 5.0)]
    assert read.raw == ["3,Cy,x", "4,Di"]
    assert read.rules == ["type price", "ragged"]


def test_multiline_copes_with_mixed_line_ends_and_repeated_headers_of_several_lines(drops: Drops) -> None:
    drops.put("a.csv", '"id",name,"pri\nce"\n1,Ann,1\r\n"id",name,"pri\nce"\n2,Bo,2\r\n')
    read = drops.read("a.csv", columns={"id": "int", "name": "string", "pri\nce": "int"}, multiline=True)
    assert sorted(read.rows) == [(1, "Ann", 1), (2, "Bo", 2)]
    assert [(row["rules"], row["source_line"]) for row in read.refused] == [(["repeated_header"], 4)]


@pytest.mark.parametrize(("separator", "multiline"), [(",", False), (",", True), ("||", False)])
def test_quotes_that_never_close_are_seen_in_every_short_record(spark: Any, separator: str, multiline: bool) -> None:
    """The parser's own fields answer for most records: held against counting, for all texts of a few characters."""
    import pandas as pd
    from pyspark.sql import functions as F  # noqa: N812

    dialect = Dialect(separator=separator, quote='"', multiline=multiline)
    letters = ["a", " ", '"', separator, *(["\n"] if multiline else [])]
    texts = ["".join(found) for size in range(1, 7) for found in itertools.product(letters, repeat=size)]
    records = spark.createDataFrame(pd.DataFrame({"value": texts}))
    odd = {text for text in texts if text.count('"') % 2}
    for width in (1, 2, 3):
        schema = ", ".join([*[f"c{place} STRING" for place in range(width)], "bad STRING"])
        frame = records.select("value", F.from_csv("value", schema, options(dialect)).alias("p"))
        whole = F.col("p").isNotNull() & F.col("p.bad").isNull()
        asked = unclosed(F.col("value"), F.col("p"), f"c{width - 1}", dialect, whole)
        assert {row[0] for row in frame.where(asked).select("value").collect()} == odd


def test_multiline_sets_a_record_aside_whose_quotes_never_close(drops: Drops) -> None:
    drops.put("a.csv", 'id,name,price\n1,Ann,1\n2,Bo,"2\n3,Cy,3\n')
    read = drops.read("a.csv", columns=COLUMNS, multiline=True)
    assert read.rows == [(1, "Ann", 1.0)]
    assert read.raw == ['2,Bo,"2\n3,Cy,3']
    assert read.rules == ["quotes"]


@pytest.mark.parametrize("multiline", [False, True])
def test_bytes_that_are_no_utf8_are_a_bad_record_and_none_of_them_is_lost(drops: Drops, multiline: bool) -> None:
    drops.put("a.csv", "id,name,price\n1,Änn,1\n".encode() + "2,Bö,2\r\n".encode("latin-1") + b"3,\xff\xfe\xe2\r,3\r\n")
    read = drops.read("a.csv", columns=COLUMNS, multiline=multiline)
    assert (1, "Änn", 1.0) in read.rows
    assert read.raw[0].rstrip("\r") == "2,Bö,2"
    assert "utf8" in read.rules
    assert "\xff\xfe\xe2" in "".join(read.raw)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_stops_and_says_how_to_convert(drops: Drops, encoding: str) -> None:
    drops.put("a.csv", "id,name,price\n1,Ann,1\n".encode(encoding))
    with pytest.raises(DataError, match=r"a\.csv: the file is UTF-16; expected UTF-8; convert it: iconv"):
        drops.read("a.csv", columns=COLUMNS)


def test_a_header_that_is_no_utf8_stops(drops: Drops) -> None:
    drops.put("a.csv", "id,Größe\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"the header is no UTF-8: byte 0xf6 at 5"):
        drops.read("a.csv")


@pytest.mark.parametrize("size", [200_000, 3])
@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_a_truncated_gzip_is_an_error_that_names_the_file_and_never_a_partial_read(
    drops: Drops, size: int, keep: float
) -> None:
    whole = gzip.compress("".join(["id,name,price\n", *(f"{n},n{n * 7919},{n}\n" for n in range(size))]).encode())
    drops.put("a.csv.gz", whole[: int(len(whole) * keep)])
    with pytest.raises(Exception, match=r"a\.csv\.gz") as caught:
        drops.read("a.csv.gz", columns=COLUMNS)
    assert isinstance(classify(caught.value), DataError)
    assert "a.csv.gz" in str(classify(caught.value))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv.gz", b"id,name,price\n", "can't be decompressed"),
        ("a.csv", gzip.compress(b"id,name,price\n", mtime=0), "gzip, but its name doesn't say so"),
        ("a.csv.bz2", b"BZh not really", "can't be decompressed"),
        ("a.csv", b"PK\x03\x04rest", "zip archive"),
        ("a.csv.zst", b"(\xb5/\xfd", "can't be decompressed"),
        ("a.csv.zst", b"id,name,price\n", "can't be decompressed"),
        ("a.csv.lz4", b"id,name,price\n", "this compression isn't read"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_stops(drops: Drops, name: str, content: bytes, message: str) -> None:
    drops.put(name, content)
    with pytest.raises(DataError, match=rf"{name}.*{message}"):
        drops.read(name, columns=COLUMNS)


def test_compressed_files_are_read_with_those_that_are_not(drops: Drops) -> None:
    import bz2

    drops.put("day/a.csv.gz", gzip.compress(b"id,name,price\n1,Ann,1\n"))
    drops.put("day/b.csv.bz2", bz2.compress(b"price,name,id\n2,Bo,2\n"))
    drops.put("day/c.csv", "id,name,price\n3,Cy,\n")
    assert sorted(drops.read("day", columns=COLUMNS).rows) == [(1, "Ann", 1.0), (2, "Bo", 2.0), (3, "Cy", None)]


@pytest.mark.parametrize("path", ["missing.csv", "none/*.csv", "hidden"])
def test_a_missing_file_names_path_and_window_unless_that_is_allowed(drops: Drops, path: str) -> None:
    drops.put("hidden/_half.csv", "id,name,price\n1,Ann,1\n")
    with pytest.raises(DataError, match=rf"{path.replace('*', '.')}: no file for the window 2013-01-01T00:00:00Z/"):
        drops.read(path, columns=COLUMNS)
    assert drops.read(path, columns=COLUMNS, empty="allow").rows == []
    with pytest.raises(DataError, match="name the columns"):
        drops.read(path, empty="allow")


def test_names_that_start_with_an_underscore_or_a_dot_are_left_out_and_told(drops: Drops, caplog: Any) -> None:
    drops.put("day/a.csv", "id,name,price\n1,Ann,1\n")
    drops.put("day/_b.csv", "id,name,price\n2,Bo,2\n")
    drops.put("day/_temporary/0/c.csv", "id,name,price\n3,Cy,3\n")
    drops.put("day/deep/.d.csv", "broken")
    assert drops.read("day", columns=COLUMNS).rows == [(1, "Ann", 1.0)]
    assert "_temporary/0/c.csv" in caplog.text


def test_names_with_the_letters_of_globs_are_just_names(drops: Drops) -> None:
    for place, name in enumerate(["a b", "q[1]", "s*", "{x}", "ü%20", "w\\n", "p+q", "x'y"]):
        drops.put(f"day/{name}.csv", f"id,name,price\n{place},{name},bad\n")
    read = drops.read("day/*.csv", columns=COLUMNS)
    assert read.rows == []
    found = {(row["source_file"].rsplit("/", 1)[1], row["raw"].split(",")[1] + ".csv") for row in read.refused}
    assert len(found) == 8
    assert all(file == name for file, name in found)
    assert drops.read("day/q[1].csv", columns={"id": "int"}, new_columns="discard").rows == [(1,)]


def test_every_further_header_in_a_file_is_set_aside(drops: Drops) -> None:
    drops.put("day/a.csv", "\n\nid,name,price\n1,Ann,1\nid,name,price\nid,name,price\n2,Bo,2\n")
    drops.put("day/b.csv", "id,name,price\n3,Cy,3\n")
    read = drops.read("day", columns=COLUMNS)
    assert sorted(read.rows) == [(1, "Ann", 1.0), (2, "Bo", 2.0), (3, "Cy", 3.0)]
    assert read.rules == ["repeated_header"] * 2
    assert [row["source_line"] for row in read.refused] == [5, 6]


def test_lines_are_numbered_through_files_that_are_read_in_blocks(drops: Drops) -> None:
    drops.spark.conf.set("spark.sql.files.maxPartitionBytes", "20000")
    try:
        drops.put("a.csv", "".join(["id,name,price\n", *(f"{'x' if n % 997 == 0 else n},n,1\n" for n in range(9000))]))
        read = drops.read("a.csv", columns=COLUMNS)
    finally:
        drops.spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert [row["source_line"] for row in read.refused] == [n + 2 for n in range(0, 9000, 997)]


def test_a_required_column_that_the_header_lacks_stops_and_an_optional_one_is_null(drops: Drops) -> None:
    drops.put("a.csv", "name\nAnn\n")
    with pytest.raises(DataError, match=r"a\.csv: required column 'id' is missing; there are 'name'"):
        drops.read("a.csv", columns=COLUMNS)
    assert drops.read("a.csv", columns={"id": "int", "name": "string"}).rows == [(None, "Ann")]


@pytest.mark.parametrize("header", ["ID,name", " id,name", "Id ,name"])
def test_a_name_that_differs_by_case_or_blanks_is_an_error_with_a_hint(drops: Drops, header: str) -> None:
    drops.put("a.csv", f"{header}\n1,Ann\n")
    with pytest.raises(DataError, match="did you mean"):
        drops.read("a.csv", columns={"id": "int", "name": "string"})


def test_new_columns_evolve_as_strings_in_all_files(drops: Drops) -> None:
    drops.put("day/a.csv", "id,z\n1,007\n")
    drops.put("day/b.csv", "y,id\n,2\n")
    read = drops.read("day", columns={"id": "int"})
    assert read.columns == ["id", "z", "y"]
    assert sorted(read.rows) == [(1, "007", None), (2, None, None)]


def test_new_columns_that_differ_only_by_case_between_files_stop(drops: Drops) -> None:
    drops.put("day/a.csv", "id,z\n1,1\n")
    drops.put("day/b.csv", "id,Z\n1,1\n")
    with pytest.raises(DataError, match=r"b\.csv: column 'Z' differs only by case from 'z', which .*a\.csv has"):
        drops.read("day", columns={"id": "int"})


def test_new_columns_may_stop_be_left_out_or_refuse_the_rows_that_use_them(drops: Drops) -> None:
    drops.put("a.csv", "id,z\n1,x\n2,\n")
    with pytest.raises(DataError, match=r"a\.csv: new columns: 'z'"):
        drops.read("a.csv", columns={"id": "int"}, new_columns="freeze")
    assert drops.read("a.csv", columns={"id": "int"}, new_columns="discard").rows == [(1,), (2,)]
    read = drops.read("a.csv", columns={"id": "int"}, new_columns="quarantine")
    assert (read.rows, read.raw, read.rules) == ([(2,)], ["1,x"], ["new column z"])


def test_without_a_contract_every_column_is_a_string(drops: Drops) -> None:
    drops.put("a.csv", 'id,,"a.b `c`"\n007,1,\n')
    read = drops.read("a.csv")
    assert (read.columns, read.rows) == (["id", "_c1", "a.b `c`"], [("007", "1", None)])


def test_null_values_become_null_before_the_types(drops: Drops) -> None:
    drops.put("a.csv", 'id,name,price\n1,NA,NA\n2,,\n3,"","NA"\n')
    read = drops.read("a.csv", columns=COLUMNS, null_values=["", "NA"])
    assert read.rows == [(1, None, None), (2, None, None), (3, None, None)]
    read = drops.read("a.csv", columns={"id": "int", "name": "string", "price": "string"}, null_values=["NA"])
    assert read.rows == [(1, None, None), (2, "", ""), (3, "", None)]


def test_bad_records_fail_stops_with_the_first_of_them(drops: Drops) -> None:
    drops.put("a.csv", "id,name,price\n1,Ann,1\nx,Bo,2\n")
    flow = drops.flow("a.csv", columns=COLUMNS, bad_records="fail")
    assert len(flow.rows.collect()) == 2 - 1
    with pytest.raises(DataError, match=r"1 bad records, the first: .*a\.csv line 3: column 'id': x is no int"):
        flow.counts()


def test_separator_and_quote_are_options(drops: Drops) -> None:
    drops.put("a.csv", "id||name||price\n1||'a||b'||1\n2||\"q||2\n")
    read = drops.read("a.csv", columns=COLUMNS, separator="||", quote="'")
    assert read.rows == [(1, "a||b", 1.0), (2, '"q', 2.0)]
    drops.put("b.csv", 'id\tname\tprice\n1\t5" pipe\t1\n')
    assert drops.read("b.csv", columns=COLUMNS, separator="\t", quote="").rows == [(1, '5" pipe', 1.0)]


def test_a_line_of_a_million_fields_is_one_bad_record(drops: Drops) -> None:
    drops.put("a.csv", "id,name,price\n" + "," * 1_000_000 + "\n1,Ann,1\n" + f"2,{'x' * 1_000_000},2\n")
    read = drops.read("a.csv", columns=COLUMNS)
    assert [row[0] for row in read.rows] == [1, 2]
    assert read.rules == ["ragged"]


TYPES: list[tuple[str, str, Any]] = [
    ("int", "007", 7),
    ("int", "1.5", None),
    ("int", "1.0", None),
    ("int", "2147483648", None),
    ("tinyint", "-128", -128),
    ("bigint", " 9223372036854775807 ", 9223372036854775807),
    ("double", "12D", None),
    ("double", "0x1p3", None),
    ("double", "1e400", None),
    ("double", "-1.5e3", -1500.0),
    ("double", "Infinity", float("inf")),
    ("float", "1f", None),
    ("decimal(5,2)", "1.235", None),
    ("decimal(5,2)", "1.2300", Decimal("1.23")),
    ("decimal(5,2)", "1e-5", None),
    ("decimal(5,2)", "1.2e1", Decimal("12.00")),
    ("decimal(5,2)", "1000", None),
    ("decimal(38,10)", "1234567890123456789012345678.0123456789", Decimal("1234567890123456789012345678.0123456789")),
    ("decimal(38,10)", "0.00000000001", None),
    ("boolean", "true", True),
    ("boolean", "maybe", None),
    ("date", "2013-01-31", date(2013, 1, 31)),
    ("date", "2013-1-31", date(2013, 1, 31)),
    ("date", "2013-01-31 00:00:00", date(2013, 1, 31)),
    ("date", "2013-01-31 10:00:00", None),
    ("date", "2013-01-31 foo", None),
    ("date", "2013-1-1 x", None),
    ("date", "2013-02-30", None),
    ("date", "2013", None),
    ("date", "now", None),
    ("timestamp", "2013-01-31", moment(2013, 1, 31)),
    ("timestamp", "2013-01-31 10:00", moment(2013, 1, 31, 10)),
    ("timestamp", "2013-01-31T10:00:00.123456Z", moment(2013, 1, 31, 10, 0, 0, 123456)),
    ("timestamp", "2013-01-31 10:00:00+05:30", moment(2013, 1, 31, 4, 30)),
    ("timestamp", "10:00:00", None),
    ("timestamp", "T10:00", None),
    ("timestamp", "now", None),
    ("timestamp", "2013", None),
    ("timestamp", "2013-01-31 25:00:00", None),
    ("timestamp_ntz", "2013-01-31 10:00:00", moment(2013, 1, 31, 10)),
    ("timestamp_ntz", "2013-01-31 10:00:00Z", None),
]


def test_every_type_takes_exactly_what_was_written_or_nothing(drops: Drops) -> None:
    names = [f"c{place}" for place in range(len(TYPES))]
    drops.put(
        "a.csv",
        ",".join(names)
        + "\n"
        + "\n".join(
            ",".join(text if row == place else "" for place, (_, text, _) in enumerate(TYPES))
            for row in range(len(TYPES))
        )
        + "\n",
    )
    read = drops.read("a.csv", columns={name: kind for name, (kind, _, _) in zip(names, TYPES, strict=True)})
    good = {(place, value) for row in read.rows for place, value in enumerate(row) if value is not None}
    assert good == {(place, value) for place, (_, _, value) in enumerate(TYPES) if value is not None}
    refused = {row["rules"][0] for row in read.refused}
    assert refused == {f"type c{place}" for place, (_, _, value) in enumerate(TYPES) if value is None}


ZONED: list[tuple[str, datetime]] = [
    ("2013-01-01 10:00:00", moment(2013, 1, 1, 15)),
    ("2013-07-01T10:00", moment(2013, 7, 1, 14)),
    ("2013-01-01 10:00:00Z", moment(2013, 1, 1, 10)),
    ("2013-1-1 1:02:03Z", moment(2013, 1, 1, 1, 2, 3)),
    ("2013-01-01 10:00:00-08:00", moment(2013, 1, 1, 18)),
    ("2013-01-01 10:00:00 Europe/Berlin", moment(2013, 1, 1, 9)),
    ("2013-01-01", moment(2013, 1, 1, 5)),
    ("2013-11-03 01:30:00", moment(2013, 11, 3, 5, 30)),  # twice that day: the first
    ("2013-03-10 02:30:00", moment(2013, 3, 10, 7, 30)),  # never that day: an hour on
]


def test_timestamps_without_an_offset_are_in_the_sources_zone(drops: Drops) -> None:
    drops.put("a.csv", "text,at\n" + "".join(f"{text},{text}\n" for text, _ in ZONED))
    read = drops.read("a.csv", columns={"text": "string", "at": "timestamp"}, timezone="America/New_York")
    assert dict(read.rows) == dict(ZONED)


def test_the_pipelines_zone_is_the_default_and_a_format_may_be_given(drops: Drops) -> None:
    from tests.spark_jobs.plans import day

    drops.window = day(1, zone="Europe/Berlin")
    drops.put("a.csv", "at\n31.12.2013 10:00\nx\n")
    read = drops.read("a.csv", columns={"at": "timestamp"}, timestamp_format="dd.MM.yyyy HH:mm")
    assert (read.rows, read.raw) == ([(moment(2013, 12, 31, 9),)], ["x"])
    with pytest.raises(ConfigError, match="no datetime pattern"):
        drops.read("a.csv", columns={"at": "timestamp"}, timestamp_format="jj.MM")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"a": "strng"}}, r"extract\.rows\.columns\.a\.type: unknown type 'strng'"),
        ({"columns": {"a": "b int"}}, "no type of a column"),
        ({"columns": {"a": "array<int>"}}, "CSV can't hold"),
        ({"columns": {"a": "varchar(5)"}}, "isn't enforced"),
        ({"columns": {"a": "int", "A": "int"}}, "differ only by case"),
        ({"timezone": "Mars/Base"}, "unknown timezone"),
        ({"separator": ""}, "separator can't be"),
        ({"quote": "''"}, "quote can't be"),
        ({"multiline": True, "quote": ""}, "multiline can't be"),
        ({"new_columns": "freeze"}, "freeze needs columns"),
        ({"format": "json", "separator": ";"}, "only csv"),
        ({"mostly": 0.5, "bad_records": "fail"}, "mostly can't be 0.5: bad_records: fail lets no bad record pass"),
        ({"format": "parquet", "null_values": ["NA"]}, "null_values can't be"),
    ],
)
def test_options_that_make_no_sense_are_config_errors(drops: Drops, options: dict[str, Any], message: str) -> None:
    drops.put("a.csv", "a\n1\n")
    with pytest.raises(ConfigError, match=message):
        drops.read("a.csv", **options)
