"""Every value arrives as it is, or is refused in words; none is changed on its way."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load.strategies import Snapshot
from tests.servers.mariadb import MariaDB
from tests.servers.postgres import PostgreSQL
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

WHOLE = Snapshot(strategy="snapshot")
TEXTS = [
    *[
        "",
        " ",
        "a",
        "NULL",
        r"\N",
        "\\",
        '"',
        "'",
        '""',
        ",",
        "a,b",
        "line\nbreak",
        "\r\n",
        "\t",
        r"\.",
        "{}",
        "%s",
        "%",
    ],
    *["ü", "日本", "🙂", "\u202e", "e\u0301", "\x01", "x" * 100_000, None],
]
SCHEMA = """id INT, yes BOOLEAN, tiny BYTE, small SHORT, big LONG, single FLOAT, twice DOUBLE, exact DECIMAL(38,18),
    word STRING, short STRING, day DATE, moment TIMESTAMP, wall TIMESTAMP_NTZ, raw BINARY,
    words ARRAY<STRING>, both STRUCT<a: INT, b: STRING>, counts MAP<STRING, INT>"""
WALL = datetime(2013, 3, 10, 2, 30)  # noqa: DTZ001 - a wall clock's time, which New York's skips
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
COLUMNS = "yes, tiny, small, big, single, twice, exact, word, short, day, moment, wall, raw"
FIRST = (
    *[1, True, -128, 32767, -(2**63), 0.1, 0.1, Decimal("12345678901234567890.123456789012345678")],
    *["a", "ten", date(1, 1, 1), datetime(2013, 3, 10, 7, 30, 0, 1, UTC), WALL, b"\x00\xff'\\"],
    *[['q"', "b\\", "", None, "NULL", "x,y}"], (1, 'b"\\\n'), {"k": 1}],
)
NOTHING = (2, *[None] * 16)
LAST = (
    *[3, False, 127, -32768, 2**63 - 1, -3.4e38, 1.7e308, Decimal("-0.000000000000000001")],
    *["", "", date(9999, 12, 31), datetime(9999, 12, 30, 23, 59, 59, 999999, UTC), EPOCH, b""],
    *[[], (None, None), {}],
)


def test_texts_arrive_byte_by_byte_and_null_is_not_empty(
    spark: Any, postgres: PostgreSQL, mariadb: MariaDB, tmp_path: Path
) -> None:
    rows = list(enumerate(TEXTS))
    slow = mariadb.connection("db", local_infile=False)
    for server, connection in ((postgres, None), (mariadb, None), (mariadb, slow)):
        server.run("DROP TABLE IF EXISTS texts")
        table = DatabaseTable(spark, server, tmp_path, "texts", WHOLE, "id INT, word STRING")
        table.connection = connection or table.connection
        table.load(day(1, 9 - len(table.stages())), *rows, second=connection is not None and 9)
        assert table.rows("id, word", "id") == rows


def test_every_type_of_postgresql(spark: Any, postgres: PostgreSQL, tmp_path: Path) -> None:
    postgres.run("DROP TABLE IF EXISTS kinds")
    table = DatabaseTable(spark, postgres, tmp_path, "kinds", WHOLE, SCHEMA)
    odd = (*LAST[:5], math.nan, math.inf, *LAST[7:])
    table.load(day(1), FIRST, NOTHING, LAST, (4, *odd[1:]))
    first, nothing, last, strange = table.rows(f'{COLUMNS}, words, "both", counts', "id")
    assert first == (*FIRST[1:14], FIRST[14], {"a": 1, "b": 'b"\\\n'}, {"k": 1})
    assert nothing == (None,) * 16
    assert last[:4] == LAST[1:5]
    assert last[5:] == (*LAST[6:14], [], {"a": None, "b": None}, {})
    assert math.isnan(strange[4])
    assert strange[5] == math.inf
    flat = DatabaseTable(spark, postgres, tmp_path, "flat", WHOLE, SCHEMA.replace("words ARRAY<STRING>, ", ""))
    postgres.run("DROP TABLE IF EXISTS flat")  # its rows come in COPY's binary form, which has no arrays here
    flat.load(day(1), *[(*row[:14], *row[15:]) for row in (FIRST, NOTHING, LAST, (4, *odd[1:]))])
    others = f'id, {COLUMNS}, "both", counts'
    assert repr(flat.rows(others, "id")) == repr(table.rows(others, "id"))
    kinds = postgres.rows(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'kinds'::regclass AND attnum > 0 ORDER BY attnum"
    )
    assert [kind for _, kind in kinds] == [
        *["integer", "boolean", "smallint", "smallint", "bigint", "real", "double precision", "numeric(38,18)"],
        *["text", "text", "date", "timestamp with time zone", "timestamp without time zone", "bytea"],
        *["text[]", "jsonb", "jsonb"],
    ]


def test_every_type_of_mariadb(spark: Any, mariadb: MariaDB, tmp_path: Path) -> None:
    mariadb.run("DROP TABLE IF EXISTS kinds")
    for extra in ({}, {"local_infile": False}):
        table = DatabaseTable(spark, mariadb, tmp_path, "kinds", WHOLE, SCHEMA)
        table.connection = mariadb.connection("db", **extra)
        table.load(day(1 + len(extra)), FIRST, NOTHING, LAST)
        first, nothing, last = table.rows(f"{COLUMNS}, words, `both`, counts", "id")
        assert first[:4] == FIRST[1:5]
        assert first[5:10] == FIRST[6:11]
        assert first[10:13] == (FIRST[11].replace(tzinfo=None), *FIRST[12:14])
        assert [json.loads(text) for text in first[13:]] == [FIRST[14], {"a": 1, "b": 'b"\\\n'}, {"k": 1}]
        assert nothing == (None,) * 16
        assert last[5:13] == (*LAST[6:11], LAST[11].replace(tzinfo=None), *LAST[12:14])
        assert mariadb.rows("SELECT single = CAST(0.1 AS FLOAT) FROM kinds WHERE id = 1") == [(1,)]


def test_what_a_database_cannot_hold_is_refused_in_words(
    spark: Any, postgres: PostgreSQL, mariadb: MariaDB, tmp_path: Path
) -> None:
    odd = datetime(9999, 12, 31, tzinfo=UTC)
    cases: list[tuple[Any, str, str, Any, str]] = [
        (postgres, "word TEXT", "word STRING", "a\0b", r"column 'word': invalid byte sequence"),
        (postgres, "word VARCHAR(3)", "word STRING", "abcd", r"too long"),
        (postgres, "word UUID", "word STRING", "no", r"column 'word': invalid input syntax for type uuid"),
        (postgres, "n SMALLINT", "n LONG", 40_000, r"column 'n': .*40000 not in range"),
        (postgres, "n NUMERIC(4,2)", "n DECIMAL(9,2)", Decimal("123.45"), r"numeric field overflow"),
        (postgres, "doc JSONB", "doc STRUCT<a: STRING>", ("\0",), r"Unicode escape sequence"),
        (mariadb, "x DOUBLE", "x DOUBLE", math.nan, r"column 'x' holds nan"),
        (mariadb, "x DOUBLE", "x DOUBLE", -math.inf, r"column 'x' holds -inf"),
        (mariadb, "word VARCHAR(3)", "word STRING", "abcd", r"word"),
        (mariadb, "n SMALLINT", "n LONG", 40_000, r"column 'n'"),
        (mariadb, "n INT UNSIGNED", "n INT", -1, r"column 'n'"),
        (mariadb, "word ENUM('a')", "word STRING", "b", r"column 'word'"),
        (mariadb, "at TIMESTAMP(6) NULL", "at TIMESTAMP", odd, r"for column .at\W"),
    ]
    for server, column, schema, value, words in cases:
        server.run("DROP TABLE IF EXISTS narrow", f"CREATE TABLE narrow ({column})")
        table = DatabaseTable(spark, server, tmp_path, "narrow", WHOLE, schema)
        inserts = column in {"x DOUBLE", "n SMALLINT", "word ENUM('a')"} and server is mariadb
        for extra in ({}, {"local_infile": False}) if inserts else ({},):
            table.connection = server.connection("db", **extra)
            with pytest.raises(DataError, match=words):
                table.load(day(1), (value,), (None,))
            assert table.rows("count(*)") == [(0,)]
            assert table.stages() == []


def test_columns_that_would_change_a_value_are_refused_before_anything_is_sent(
    spark: Any, postgres: PostgreSQL, mariadb: MariaDB, tmp_path: Path
) -> None:
    cases = [
        (postgres, "x REAL", "x DOUBLE"),
        (postgres, "x NUMERIC(10,1)", "x DECIMAL(10,2)"),
        (postgres, "x TIMESTAMP", "x TIMESTAMP"),
        (postgres, "x TIMESTAMPTZ(3)", "x TIMESTAMP"),
        (postgres, "x INTEGER", "x STRING"),
        (postgres, "x TEXT[]", "x STRING"),
        (postgres, "x INTEGER", "x DECIMAL(5,2)"),
        (mariadb, "x FLOAT", "x DOUBLE"),
        (mariadb, "x DATETIME", "x TIMESTAMP"),
        (mariadb, "x INT", "x STRING"),
        (mariadb, "x DECIMAL(10,1)", "x DECIMAL(10,2)"),
    ]
    for server, column, schema in cases:
        server.run("DROP TABLE IF EXISTS held", f"CREATE TABLE held ({column})")
        with pytest.raises(DataError, match="column 'x' comes as"):
            DatabaseTable(spark, server, tmp_path, "held", WHOLE, schema).load(day(1))
    postgres.run("DROP VIEW IF EXISTS seen", "CREATE VIEW seen AS SELECT 1 AS x")
    with pytest.raises(ConfigError, match="no table"):
        DatabaseTable(spark, postgres, tmp_path, "seen", WHOLE, "x INT").load(day(1))
    mariadb.run("DROP TABLE IF EXISTS old", "CREATE TABLE old (x INT) ENGINE=MyISAM")
    with pytest.raises(ConfigError, match="engine MyISAM"):
        DatabaseTable(spark, mariadb, tmp_path, "old", WHOLE, "x INT").load(day(1))


def test_columns_that_are_there_keep_their_types(spark: Any, postgres: PostgreSQL, tmp_path: Path) -> None:
    postgres.run(
        "DROP SCHEMA IF EXISTS mart CASCADE",
        "CREATE SCHEMA mart",
        'CREATE TABLE mart."Odd ""%"" name" (n NUMERIC, "Code" UUID, doc JSON, tags VARCHAR(9)[], "order" BIGINT,'
        " made TIMESTAMPTZ DEFAULT now(), no INT GENERATED ALWAYS AS IDENTITY)",
    )
    schema = "n DECIMAL(5,2), code STRING, doc MAP<STRING, INT>, tags ARRAY<STRING>, `order` INT"
    table = DatabaseTable(spark, postgres, tmp_path, 'mart.Odd "%" name', WHOLE, schema)
    code = "0e37df36-f698-11e6-8dd4-cb9ced3df976"
    table.load(day(1), (Decimal("1.50"), code, {"a": 1}, ["x"], 7))
    found = postgres.rows('SELECT n, "Code"::text, doc, tags, "order", made IS NOT NULL, no FROM mart."Odd ""%"" name"')
    assert found == [(Decimal("1.50"), code, {"a": 1}, ["x"], 7, True, 1)]
    assert postgres.rows("SELECT table_name, rows_staged FROM mart._etl_loads WHERE unit <> ''") == [
        ('Odd "%" name', 1)
    ]
    with pytest.raises(ConfigError, match=r'schema "nosuch" does not exist'):
        DatabaseTable(spark, postgres, tmp_path, "nosuch.t", WHOLE, "id INT").load(day(1))
