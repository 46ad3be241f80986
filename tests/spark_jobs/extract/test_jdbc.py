"""Source `jdbc` on a real PostgreSQL and a real MariaDB, whose own time zones are nobody's."""

# ruff: noqa: DTZ001, S608 - wall-clock times are wanted; no stranger writes these queries
from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError, ResourceError
from spark_jobs.failures import classify
from spark_jobs.window import Window
from tests.spark_jobs.extract.tables import Tables

pytestmark = pytest.mark.spark
BOTH = pytest.mark.parametrize("tables", ["postgres", "mariadb"], indirect=True)
NEW_YORK = "America/New_York"


@pytest.fixture
def tables(spark: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Tables:
    """The tables of the server that the test names; PostgreSQL where it names none."""
    server = request.getfixturevalue(getattr(request, "param", "postgres"))
    return Tables(spark, tmp_path, server)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A table's name of its own."""
    return "t_" + re.sub(r"\W", "_", request.node.name)[:50].lower()


# -- types ---------------------------------------------------------------------------------------------------------


def test_every_type_of_postgresql_arrives_unchanged(tables: Tables, name: str) -> None:
    columns: dict[str, tuple[str, str, Any]] = {
        "small": ("int2", "-32768", -32768),
        "whole": ("int4", "2147483647", 2147483647),
        "big": ("int8", "9223372036854775807", 9223372036854775807),
        "single": ("float4", "1.5", 1.5),
        "double": ("float8", "0.1", 0.1),
        "unending": ("float8", "'-Infinity'", float("-inf")),
        "scaled": ("numeric(10,2)", "1.10", Decimal("1.10")),
        "unscaled": (
            "numeric",
            "12345678901234567890.123456789012345678",
            Decimal("12345678901234567890.123456789012345678"),
        ),
        "wide": ("numeric(50,20)", "1.5", Decimal("1.5")),
        "money": ("money", "'-1,234.56'", Decimal("-1234.56")),
        "flag": ("bool", "true", True),
        "words": ("text", "E'ü\\'\"\\\\\\n €\U0001f600'", "ü'\"\\\n €\U0001f600"),
        "padded": ("char(4)", "'ab'", "ab  "),
        "bytes": ("bytea", "'\\x00ff'", b"\x00\xff"),
        "day": ("date", "'0001-01-01'", date(1, 1, 1)),
        "old_day": ("date", "'1582-10-10'", date(1582, 10, 10)),
        "clock": ("timestamp", "'2013-03-10 02:30:00.123456'", datetime(2013, 3, 10, 2, 30, 0, 123456)),
        "old_clock": ("timestamp", "'1500-02-28 23:59:59'", datetime(1500, 2, 28, 23, 59, 59)),
        "midnight": ("time", "'24:00:00'", "24:00:00"),
        "zoned_time": ("timetz", "'10:00:00+05:30'", "10:00:00+05:30"),
        "span": ("interval", "'1 year 2 mons 3 days 04:05:06.7'", "P1Y2M3DT4H5M6.7S"),
        "one_bit": ("bit(1)", "B'1'", "1"),
        "bits": ("varbit(9)", "B'101'", "101"),
        "json": ("json", "'{\"a\" : 1.10}'", '{"a" : 1.10}'),
        "jsonb": ("jsonb", "'{\"a\": 1.10}'", '{"a": 1.10}'),
        "uuid": ("uuid", "'123e4567-e89b-12d3-a456-426614174000'", "123e4567-e89b-12d3-a456-426614174000"),
        "mood": (f"{name}_mood", "'it''s ok'", "it's ok"),
        "numbers": ("int[]", "'{1,NULL,3}'", [1, None, 3]),
        "texts": ("text[]", '\'{"a,b",NULL,"\\"q"}\'', ["a,b", None, '"q']),
        "decimals": ("numeric[]", "'{1.10,NaN}'", ["1.10", "NaN"]),
        "flags": ("bool[]", "'{t,f,NULL}'", [True, False, None]),
        "none_of_them": ("int[]", "'{}'", []),
        "host": ("inet", "'10.0.0.1'", "10.0.0.1/32"),
        "place": ("point", "'(1,2)'", "(1,2)"),
        "object": ("oid", "4294967295", 4294967295),
        "nothing": ("int", "NULL", None),
        'odd "name".`x`': ("int", "7", 7),
    }
    quoted = {column: '"' + column.replace('"', '""') + '"' for column in columns}
    tables.server.run(
        f"CREATE TYPE {name}_mood AS ENUM ('it''s ok')",
        f"CREATE TABLE {name} ({', '.join(f'{quoted[column]} {kind}' for column, (kind, _, _) in columns.items())})",
        f"INSERT INTO {name} VALUES ({', '.join(value for _, value, _ in columns.values())})",
    )
    assert tables.one(table=name) == {column: expected for column, (_, _, expected) in columns.items()}


def test_instants_and_floats_of_postgresql(tables: Tables, name: str) -> None:
    tables.server.run(
        f"CREATE TABLE {name} (at timestamptz, nan float8, arr float8[])",
        f"INSERT INTO {name} VALUES ('2013-03-10 02:30:00-05', 'NaN', '{{NaN,Infinity}}')",
    )
    rows = tables.source(table=name).read(tables.context()).rows
    assert rows.schema["at"].dataType.simpleString() == "timestamp"
    [(micros, nan, numbers)] = [tuple(row) for row in rows.selectExpr("unix_micros(at)", "nan", "arr").collect()]
    assert micros == datetime(2013, 3, 10, 7, 30, tzinfo=UTC).timestamp() * 1_000_000
    assert isnan(nan)
    assert isnan(numbers[0])
    assert numbers[1] == float("inf")


def test_what_spark_has_no_place_for_is_set_aside_and_said(tables: Tables, name: str) -> None:
    tables.server.run(
        f"CREATE TABLE {name} (id int, n numeric, s numeric(10,2), d date, t timestamp, z timestamptz, a int[])",
        f"INSERT INTO {name} VALUES (1, 'NaN', 'NaN', 'infinity', '-infinity', 'infinity', '{{{{1,2}},{{3,4}}}}'),"
        f" (2, 0.1234567890123456789, NULL, NULL, NULL, NULL, NULL),"
        f" (3, 1, 2, '2013-01-01', '294276-12-31', NULL, NULL),"
        f" (4, 1.5, 2.25, '2013-01-01', '2013-01-01', NULL, '{{5}}')",
    )
    read = tables.read(table=name)
    assert [row[0] for row in read.rows] == [4]
    assert [row["rules"] for row in read.refused] == [
        ["type n", "type s", "type d", "type t", "type z", "type a"], ["type n"], ["type t"]
    ]  # fmt: skip
    assert "column 'd': infinity is no date; cast it in `query`" in read.refused[0]["message"]
    assert "column 'a': {{1,2},{3,4}} is no array<int>" in read.refused[0]["message"]
    assert '"n":"0.1234567890123456789"' in read.refused[1]["raw"]
    assert read.refused[0]["source_file"] == f"db: {name}"
    with pytest.raises(DataError, match=r"3 bad records, the first: .*column 'n': NaN is no decimal\(38,18\)"):
        tables.read(table=name, bad_records="fail")


@pytest.mark.parametrize("tables", ["mariadb"], indirect=True)
def test_every_type_of_mariadb_arrives_unchanged(tables: Tables, name: str) -> None:
    columns: dict[str, tuple[str, str, Any]] = {
        "tiny": ("tinyint", "-128", -128),
        "two": ("tinyint(1)", "2", 2),
        "flag": ("boolean", "true", 1),
        "tiny_u": ("tinyint unsigned", "255", 255),
        "small_u": ("smallint unsigned", "65535", 65535),
        "medium_u": ("mediumint unsigned", "16777215", 16777215),
        "int_u": ("int unsigned", "4294967295", 4294967295),
        "big_u": ("bigint unsigned", "18446744073709551615", Decimal(18446744073709551615)),
        "big": ("bigint", "-9223372036854775808", -9223372036854775808),
        "filled": ("int(5) zerofill", "42", 42),
        "single": ("float", "16777216", 16777216.0),
        "double": ("double", "0.1", 0.1),
        "scaled": ("decimal(10,2)", "1.10", Decimal("1.10")),
        "wide": ("decimal(65,30)", "1.125", Decimal("1.125")),
        "one_bit": ("bit(1)", "b'1'", Decimal(1)),
        "bits": ("bit(64)", f"b'{'1' * 64}'", Decimal(2**64 - 1)),
        "day": ("date", "'1000-01-01'", date(1000, 1, 1)),
        "clock": ("datetime", "'2013-03-10 02:30:00'", datetime(2013, 3, 10, 2, 30)),
        "late": ("datetime(6)", "'9999-12-31 23:59:59.123456'", datetime(9999, 12, 31, 23, 59, 59, 123456)),
        "hours": ("time(3)", "'-838:59:59'", "-838:59:59.000"),
        "year": ("year", "2013", 2013),
        "padded": ("char(5)", "'ab'", "ab"),
        "words": ("varchar(9)", "'ü\\'\"\\\\\\n€😀'", "ü'\"\\\n€\U0001f600"),
        "choice": ("enum('a','longer')", "'a'", "a"),
        "choices": ("set('x','y','z')", "'x,z'", "x,z"),
        "json": ("json", "'{\"a\" : 1.10}'", '{"a" : 1.10}'),
        "bytes": ("blob", "x'00ff'", b"\x00\xff"),
        "fixed": ("binary(3)", "x'01'", b"\x01\x00\x00"),
        "shape": ("geometry", "POINT(1,2)", "POINT(1 2)"),
        "nothing": ("int", "NULL", None),
        'odd "name".`x`': ("int", "7", 7),
    }
    quoted = {column: "`" + column.replace("`", "``") + "`" for column in columns}
    tables.server.run(
        f"CREATE TABLE {name} ({', '.join(f'{quoted[column]} {kind}' for column, (kind, _, _) in columns.items())})",
        f"INSERT INTO {name} VALUES ({', '.join(value for _, value, _ in columns.values())})",
    )
    assert tables.one(table=name) == {column: expected for column, (_, _, expected) in columns.items()}


@pytest.mark.parametrize("tables", ["mariadb"], indirect=True)
def test_days_of_zeros_are_set_aside_and_instants_are_in_utc(tables: Tables, name: str) -> None:
    tables.server.run(
        "SET sql_mode = ''",
        f"CREATE TABLE {name} (id int, d date NOT NULL, t datetime NOT NULL, z timestamp NOT NULL DEFAULT 0)",
        f"INSERT INTO {name} VALUES (1, 0, 0, 0), (2, '2013-00-10', '2013-01-00', '2013-01-01'),"
        f" (3, '2013-01-01', '2013-01-01 10:00', '2013-01-01 10:00')",
    )
    read = tables.read(table=name)
    clock = datetime(2013, 1, 1, 10)
    assert read.rows == [(3, clock.date(), clock, clock - timedelta(hours=5, minutes=30))]
    assert [row["rules"] for row in read.refused] == [["type d", "type t", "type z"], ["type d", "type t"]]
    assert '"d":"0000-00-00"' in read.refused[0]["raw"]


@pytest.mark.parametrize("tables", ["mariadb"], indirect=True)
def test_a_type_that_nobody_knows_is_named_with_a_way_out(tables: Tables, name: str) -> None:
    tables.server.run(f"CREATE TABLE {name} (id int, u uuid)", f"INSERT INTO {name} VALUES (1, uuid())")
    with pytest.raises(ConfigError, match=r"a column has the type uuid, .*cast it in `query`, .*`columns`"):
        tables.read(table=name)
    assert tables.read(table=name, columns={"id": "int"}).rows == [(1,)]
    assert len(tables.one(query=f"SELECT CAST(u AS CHAR) AS u FROM {name}")["u"]) == 36


@BOTH
def test_a_text_of_two_megabytes_comes_whole(tables: Tables, name: str) -> None:
    kind = "text" if tables.connection.kind == "postgres" else "longtext"
    tables.server.run(f"CREATE TABLE {name} (v {kind})", f"INSERT INTO {name} VALUES (repeat('aé', 1000000))")
    assert tables.one(table=name)["v"] == "aé" * 1_000_000


# -- the contract --------------------------------------------------------------------------------------------------


@BOTH
def test_the_contract_chooses_casts_and_requires(tables: Tables, name: str) -> None:
    tables.server.run(
        f"CREATE TABLE {name} (id int, price varchar(9), at timestamp NULL, other int)",
        f"INSERT INTO {name} VALUES (1, '1.50', '2013-01-01 10:00', 1), (2, 'x', NULL, 1), (NULL, '2', NULL, 1)",
    )
    columns = {"price": "decimal(10,2)", "id": {"type": "bigint", "required": True}}
    read = tables.read(table=name, columns=columns)
    assert (read.columns, read.rows) == (["price", "id"], [(Decimal("1.50"), 1)])
    assert sorted(read.rules) == ["required id", "type price"]
    assert "other" not in "".join(read.raw)
    with pytest.raises(ConfigError, match=r"column 'id' is .*, which can't become map<string,int>"):
        tables.read(table=name, columns={"id": "map<string,int>"})
    with pytest.raises(ConfigError, match="nope"):
        tables.read(table=name, columns={"nope": "int"})


@BOTH
def test_a_wall_clock_time_becomes_an_instant_where_its_zone_is_said(tables: Tables, name: str) -> None:
    clock = "timestamp" if tables.connection.kind == "postgres" else "datetime"
    tables.server.run(f"CREATE TABLE {name} (at {clock})", f"INSERT INTO {name} VALUES ('2013-07-01 10:00:00')")
    assert tables.one(table=name, timezone=NEW_YORK)["at"] == datetime(2013, 7, 1, 14)
    assert tables.one(table=name, columns={"at": "timestamp"}, timezone=NEW_YORK)["at"] == datetime(2013, 7, 1, 14)
    assert tables.one(table=name)["at"] == datetime(2013, 7, 1, 10)


# -- windows -------------------------------------------------------------------------------------------------------


@BOTH
def test_rows_on_the_edges_of_windows_are_in_exactly_one_of_them(tables: Tables, name: str) -> None:
    instant = "timestamptz" if tables.connection.kind == "postgres" else "timestamp(6) NULL"
    clock = "timestamp" if tables.connection.kind == "postgres" else "datetime(6)"
    tables.server.run(
        f"CREATE TABLE {name} (id int, z {instant}, t {clock}, d date)",
        *(["SET LOCAL timezone = 'UTC'"] if tables.connection.kind == "postgres" else ["SET time_zone = '+00:00'"]),
        f"INSERT INTO {name} VALUES {', '.join(_row(number, at) for number, at in enumerate(_EDGES))},"
        " (9, NULL, NULL, NULL)",
    )
    inside = {"z": [1, 2], "t": [1, 2], "d": [1, 2]}
    for column, expected in inside.items():
        read = tables.read(table=name, window={"column": column}, columns={"id": "int"})
        assert sorted(row[0] for row in read.rows) == expected, column
        assert (read.counts.read, read.counts.filtered) == (2, 0)


_EDGES = ("2012-12-31 23:59:59.999999", "2013-01-01 00:00:00", "2013-01-01 23:59:59.999999", "2013-01-02 00:00:00")


def _row(number: int, at: str) -> str:
    return f"({number}, '{at}', '{at}', '{at[:10]}')"


@BOTH
def test_wall_clock_times_at_a_change_of_the_clock(tables: Tables, name: str) -> None:
    """The hour from 1:00 on 2013-11-03 comes twice in New York, the one from 2:00 on 2013-03-10 not at all."""
    clock = "timestamp" if tables.connection.kind == "postgres" else "datetime"
    times = [f"2013-{day} 0{hour}:30:00" for day in ("11-03", "03-10") for hour in range(1, 4)]
    tables.server.run(
        f"CREATE TABLE {name} (at {clock})", f"INSERT INTO {name} VALUES {', '.join(f'({at!r})' for at in times)}"
    )
    seen: list[datetime] = []
    for start in (datetime(2013, 11, 3, 5, tzinfo=UTC), datetime(2013, 3, 10, 6, tzinfo=UTC)):
        for hour in range(5):
            begin = start + timedelta(hours=hour)
            tables.window = Window(start=begin, end=begin + timedelta(hours=1), timezone=NEW_YORK)
            read = tables.read(table=name, window={"column": "at"}, timezone=NEW_YORK)
            seen += [row[0] for row in read.rows]
            assert all(begin.replace(tzinfo=None) <= at[0] < tables.window.end.replace(tzinfo=None) for at in read.rows)
    assert len(seen) == len(times)


@BOTH
def test_a_query_gets_its_values_as_literals_of_the_database(tables: Tables, name: str) -> None:
    instant = "timestamptz" if tables.connection.kind == "postgres" else "timestamp NULL"
    backslash = "\\" if tables.connection.kind == "postgres" else "\\\\"
    tables.server.run(
        "SET LOCAL timezone = 'UTC'" if tables.connection.kind == "postgres" else "SET time_zone = '+00:00'",
        f"CREATE TABLE {name} (id int, at {instant}, who varchar(40))",
        f"INSERT INTO {name} VALUES (1, '2013-01-01', 'o''k{backslash};x'), (2, '2013-01-02', 'b')",
    )
    start, end = "${timestamp:2013-01-01T00:00:00Z}", "${timestamp:2013-01-02T00:00:00Z}"
    query = f"SELECT id FROM {name} WHERE at >= {start} AND at < {end}"
    assert tables.read(query=f"{query} -- a comment").rows == [(1,)]
    assert tables.read(query=f"{query} AND who = ${{text:o%27k%5C%3Bx}};").rows == [(1,)]
    others = "${boolean:true} AND id < ${number:1.5} AND ${date:2013-01-01} > '2012-01-01'"
    assert tables.read(query=f"{query} AND {others}").rows == [(1,)]


@BOTH
def test_only_the_columns_and_the_rows_that_are_wanted_leave_the_database(tables: Tables, name: str) -> None:
    tables.server.run(
        f"CREATE TABLE {name} (id int, at timestamp NULL, secret varchar(9))",
        f"INSERT INTO {name} VALUES (1, '2013-01-01 12:00', 'x'), (2, '2014-01-01 12:00', 'x')",
    )
    before = len(tables.server.log.read_text(errors="replace"))
    read = tables.read(table=name, window={"column": "at"}, columns={"id": "int"})
    asked = [line for line in tables.server.log.read_text(errors="replace")[before:].splitlines() if name in line]
    assert read.rows == [(1,)]
    assert read.counts.read == 1
    assert any("2013-01-01" in line and ">=" in line for line in asked)
    assert not any(
        "secret" in line or "*" in line.replace("* 1000000", "").replace("SELECT * FROM (SELECT", "") for line in asked
    )


# -- settling ------------------------------------------------------------------------------------------------------


def test_a_transaction_that_commits_late_is_waited_for(tables: Tables, name: str) -> None:
    """Its row was written inside the window, and nobody sees it until the window is over."""
    tables.server.run(f"CREATE TABLE {name} (id int, at timestamptz)")
    end = datetime.now(UTC) + timedelta(seconds=1)
    tables.window = Window(start=end - timedelta(hours=1), end=end)
    reading = {"table": name, "window": {"column": "at"}}
    with tables.server.connected() as late:
        late.execute(f"INSERT INTO {name} VALUES (1, now())")
        time.sleep(1.1)
        assert tables.read(**reading).rows == [], "without settle the row is lost: no later window has it"
        with pytest.raises(
            InfrastructureError, match=r"hasn't settled: it may be read from .*Z on.*run it again in [1-6] s"
        ):
            tables.read(**reading, settle="6s")
        late.commit()
    time.sleep(max(0.0, (end + timedelta(seconds=6) - datetime.now(UTC)).total_seconds()))
    assert [row[0] for row in tables.read(**reading, settle="6s").rows] == [1]


# -- parts ---------------------------------------------------------------------------------------------------------


PARTITIONS: list[dict[str, Any]] = [
    {"column": "id", "parts": 3},
    {"column": "id", "parts": 4, "lower": 10, "upper": 20},
    {"column": "at", "parts": 3, "lower": "2013-01-01", "upper": "2013-01-01T12:00"},
    {"column": "amount", "parts": 7},
    {"column": "day", "parts": 2},
    {"column": "empty", "parts": 2},
]


@BOTH
def test_every_row_is_read_by_exactly_one_part(tables: Tables) -> None:
    rows = ", ".join(
        f"({n}, '2013-01-01 {n % 24:02}:30', {n}.25, '2013-01-0{1 + n % 9}', NULL)" for n in range(-20, 60)
    )
    tables.server.run(
        "SET LOCAL timezone = 'UTC'" if tables.connection.kind == "postgres" else "SET time_zone = '+00:00'",
        "CREATE TABLE parts (id int, at timestamp NULL, amount numeric(20,5), day date, empty int)",
        f"INSERT INTO parts VALUES {rows}, (NULL, NULL, NULL, NULL, NULL),"
        " (1000000, '2013-01-01 00:00', 99999, '9999-12-31', NULL)",
    )
    expected = [*((False, n) for n in [*range(-20, 60), 1_000_000]), (True, 0)]
    for partition in PARTITIONS:
        flow = tables.source(table="parts", partition=partition, columns={"id": "int"}).read(tables.context())
        parts = 1 if partition["column"] == "empty" else partition["parts"]
        assert flow.rows.rdd.getNumPartitions() == parts, partition
        assert sorted((row[0] is None, row[0] or 0) for row in flow.rows.collect()) == expected, partition
    by_window = {"column": "at", "parts": 5}
    read = tables.read(table="parts", partition=by_window, window={"column": "at"}, columns={"id": "int"})
    assert read.counts.read == 81


def test_numbers_that_are_none_are_in_one_part(tables: Tables, name: str) -> None:
    tables.server.run(f"CREATE TABLE {name} (n numeric)", f"INSERT INTO {name} VALUES (1), (50), ('NaN'), (100)")
    partition = {"column": "n", "parts": 3, "lower": 0, "upper": 100}
    read = tables.read(table=name, partition=partition, columns={"n": "double"})
    assert sorted(str(row[0]) for row in read.rows) == ["1.0", "100.0", "50.0", "nan"]


def test_a_column_that_can_not_be_cut_is_refused(tables: Tables, name: str) -> None:
    tables.server.run(f"CREATE TABLE {name} (id int, who text)")
    with pytest.raises(ConfigError, match="column 'who' is text; expected a number, date or timestamp"):
        tables.read(table=name, partition={"column": "who", "parts": 2})
    with pytest.raises(ConfigError, match="column 'id' can't be cut from '2013-01-01' to '2013-01-02'"):
        tables.read(table=name, partition={"column": "id", "parts": 2, "lower": "2013-01-01", "upper": "2013-01-02"})
    assert tables.read(table=name, partition={"column": "id", "parts": 2}).rows == []


# -- what may go wrong ---------------------------------------------------------------------------------------------


def error_of(work: Callable[[], Any]) -> EtlError:
    """The error as the report would have it."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its class is what is asked for
        work()
    return classify(caught.value, "extract.rows")


@BOTH
def test_nothing_is_written_even_where_the_query_tries(tables: Tables, name: str) -> None:
    tables.server.run(f"CREATE TABLE {name} (id int)", f"INSERT INTO {name} VALUES (1)")
    if tables.connection.kind == "postgres":
        tables.server.run(
            f"CREATE FUNCTION {name}_f() RETURNS int AS 'INSERT INTO {name} VALUES (2) RETURNING 1' LANGUAGE sql"
        )
    else:
        tables.server.run(
            f"CREATE FUNCTION {name}_f() RETURNS int MODIFIES SQL DATA"
            f" BEGIN INSERT INTO {name} VALUES (2); RETURN 1; END"
        )
    error = error_of(lambda: tables.read(query=f"SELECT {name}_f() AS v FROM {name}"))
    assert isinstance(error, ConfigError)
    assert "read-only" in str(error) or "READ ONLY" in str(error)
    with suppress(Exception):  # with no table MariaDB calls it while it says which columns there are
        tables.read(query=f"SELECT {name}_f() AS v")
    assert tables.server.rows(f"SELECT count(*) FROM {name}")[0][0] == 1


@BOTH
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM t", "is no SELECT"),
        ("SELECT 1; DROP TABLE t", "a semicolon stands in the query"),
        ("SELECT '\\''; DROP TABLE t -- '", "a semicolon"),
        ("SELECT 1 AS a) x; DROP TABLE t; SELECT * FROM (SELECT 1", "a semicolon"),
        ("", "give a table or a query"),
        ("SELECT id FROM no_such_table", "no_such_table"),
        ('SELECT 1 AS a, 2 AS "A"', "differ by letter case|Duplicate column"),
    ],
)  # fmt: skip
def test_what_is_no_query_is_told(tables: Tables, query: str, told: str) -> None:
    if tables.connection.kind != "postgres":
        query = query.replace('"', "`")
    with pytest.raises(ConfigError, match=told):
        tables.read(query=query)


@BOTH
def test_a_table_s_name_is_only_a_name(tables: Tables) -> None:
    odd = 'we"ird.na`me; DROP'
    ours = '"' + odd.replace('"', '""') + '"'
    theirs = ours if tables.connection.kind == "postgres" else "`" + odd.replace("`", "``") + "`"
    tables.server.run(f"DROP TABLE IF EXISTS {theirs}", f"CREATE TABLE {theirs} (id int)")
    assert tables.read(table=ours).rows == []
    for table in ("t; DROP TABLE x", "(SELECT 1) x", "a b", "a..b", ".", '"', "a.b.c.d"):
        with pytest.raises(ConfigError, match=r"is no table's name|does(n't| not) exist"):
            tables.read(table=table)


@BOTH
def test_a_statement_that_takes_too_long_is_ended_by_the_database(tables: Tables) -> None:
    slow = "pg_sleep(30)::text" if tables.connection.kind == "postgres" else "sleep(30)"
    begin = time.monotonic()
    error = error_of(lambda: tables.read(query=f"SELECT {slow} AS v", statement_timeout="1s"))
    assert time.monotonic() - begin < 15
    assert isinstance(error, ResourceError), error
    assert "raise statement_timeout" in str(error)


@BOTH
def test_a_server_that_comes_late_is_waited_for(tables: Tables, name: str) -> None:
    tables.server.run(f"CREATE TABLE {name} (id int)")
    real = tables.connection
    tables.connection = replace(real, port=1)
    begin = time.monotonic()
    error = error_of(lambda: tables.read(table=name))
    assert isinstance(error, InfrastructureError), error
    assert time.monotonic() - begin > 4.5, "three tries"
    tables.connection = replace(real, password="wrong")
    error = error_of(lambda: tables.read(table=name))
    assert isinstance(error, ConfigError)
    assert "wrong" not in str(error)


def test_a_connection_that_is_lost_while_rows_come_may_be_tried_again(tables: Tables) -> None:
    def cut() -> None:
        time.sleep(2)
        tables.server.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"
        )

    cutting = threading.Thread(target=cut)
    cutting.start()
    slow = "SELECT g::int AS g, pg_sleep(0.001)::text AS s FROM generate_series(1, 20000) g"
    error = error_of(lambda: tables.read(query=slow, fetch_size=100))
    cutting.join()
    assert isinstance(error, InfrastructureError), error


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "http"}, "connections of type 'http' are no database's"),
        ({"host": "h/db?x=1#"}, "its host can't be part of a URL"),
        ({"host": "jdbc:postgresql://h/db?password=s3cret"}, "its host can't be part of a URL"),
        ({"extra": {"socketFactory": "x"}}, "'socketFactory' in its extra isn't allowed"),
        ({"extra": {"loggerFile": "x.log"}}, "'loggerFile' in its extra isn't allowed"),
        ({"kind": "mysql", "extra": {"allowLocalInfile": True}}, "'allowLocalInfile' in its extra isn't allowed"),
        ({"kind": "mysql", "schema": "db?allowMultiQueries=true"}, "its schema can't be part of a URL"),
        ({"kind": "jdbc"}, "its extra says no driver"),
        (
            {"kind": "jdbc", "extra": {"driver": "org.x.Y", "subprotocol": "h2:mem:x;INIT=RUNSCRIPT"}},
            "is no subprotocol",
        ),
    ],
)
def test_a_connection_is_made_of_parts_that_are_allowed(tables: Tables, changed: dict[str, Any], told: str) -> None:
    tables.connection = replace(tables.connection, **changed)
    with pytest.raises(ConfigError, match=told) as caught:
        tables.read(table="t")
    assert "s3cret" not in str(caught.value)


def test_a_missing_connection_is_named(tables: Tables) -> None:
    tables.connection = Connection(id="other")
    with pytest.raises(ConfigError, match="no connection 'db'; known here: other"):
        tables.read(table="t")


def test_another_database_by_its_driver(tables: Tables, name: str) -> None:
    """No other server is here: PostgreSQL's driver, told by hand, and standard SQL."""
    extra = {"driver": "org.postgresql.Driver", "subprotocol": "postgresql"}
    tables.connection = replace(tables.connection, kind="jdbc", extra=extra)
    tables.server.run(
        f"CREATE TABLE {name} (id int, v text, n numeric(10,2), d date, t timestamp, b bytea)",
        f"INSERT INTO {name} VALUES (1, 'a''ü', 1.5, '1500-01-01', '2013-01-01 02:30:00.123456', '\\x00'),"
        " (2, NULL, NULL, NULL, '2013-01-02', NULL)",
    )
    read = tables.read(table=name, window={"column": "t"}, partition={"column": "id", "parts": 2})
    assert read.rows == [
        (1, "a'ü", Decimal("1.50"), date(1500, 1, 1), datetime(2013, 1, 1, 2, 30, 0, 123456), bytearray(b"\x00"))
    ]
    with pytest.raises(ConfigError, match=r"column 'z' is timestamptz, which this driver may change.*CAST\(z AS"):
        tables.read(query="SELECT now() AS z")
    tables.connection = replace(tables.connection, extra=extra | {"driver": "com.nobody.Driver"})
    with pytest.raises(ConfigError, match=r"the driver com\.nobody\.Driver isn't there"):
        tables.read(table=name)
