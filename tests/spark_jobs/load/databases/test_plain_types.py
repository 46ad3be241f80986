"""What is made of a driver's word about types and names, of databases that no test can run."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import types as T  # noqa: N812, TID253 - as Spark's users call it; the cases are types

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError
from spark_jobs.load.databases import plain_catalog, plain_types
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.plain import Plain
from spark_jobs.load.databases.plain_catalog import Nature
from spark_jobs.load.databases.plain_types import Described, Type

SQLITE = {4: Type(name="INTEGER", size=0, scale=0), 12: Type(name="TEXT", size=0, scale=0)}
LIKE_ORACLE = {
    **{code: Type(name="NUMBER", size=1, scale=0) for code in (-7, -6, 5, 4, -5)},
    2: Type(name="NUMBER", size=38, scale=127),
    12: Type(name="VARCHAR2", size=4000, scale=0),
    -9: Type(name="NVARCHAR2", size=2000, scale=0),
    93: Type(name="TIMESTAMP", size=11, scale=9),
    7: Type(name="REAL", size=63, scale=0),
    -3: Type(name="RAW () HELD", size=2000, scale=0),
}


def database(types: Any, **rest: Any) -> Plain:
    made = Plain(connection=Connection(id="db", kind="jdbc"))
    told: dict[str, Any] = {"product": "A Base 1", "upper": True, "exact": True, "longest": 0} | rest
    made.__dict__["nature"] = Nature(types=types, **told)
    return made


@pytest.mark.parametrize(
    ("kind", "key", "made"),
    [
        (T.BooleanType(), False, "NUMBER(1,0)"),
        (T.ByteType(), False, "NUMBER(3,0)"),
        (T.LongType(), False, "NUMBER(19,0)"),
        (T.DecimalType(38, 3), False, "NUMBER(38,3)"),
        (T.StringType(), False, "NVARCHAR2(2000)"),
        (T.StringType(), True, "NVARCHAR2(255)"),
        (T.TimestampType(), True, "TIMESTAMP"),
        (T.BinaryType(), False, "RAW (2000) HELD"),
        (T.BinaryType(), True, None),
        (T.DoubleType(), False, None),
        (T.DateType(), False, None),
        (T.ArrayType(T.IntegerType()), False, None),
    ],
)
def test_a_new_column_has_the_first_type_that_keeps_every_value(kind: Any, key: bool, made: str | None) -> None:
    found = database(LIKE_ORACLE).new_column("c", kind, key=key)
    assert (found and found.kind) == made
    assert found is None or database(LIKE_ORACLE).fits(kind, found), "the next load finds it"


def test_a_column_that_would_cut_or_fill_up_is_not_taken() -> None:
    def fits(kind: Any, code: int, size: int = 0, scale: int = 0) -> bool:
        return plain_types.fits(kind, Described(name="c", kind="", code=code, size=size, scale=scale))

    assert fits(T.TimestampType(), plain_types.TIMESTAMP, 29, 6)
    assert not fits(T.TimestampType(), plain_types.TIMESTAMP, 23, 3)
    assert [fits(T.DoubleType(), plain_types.FLOAT, size) for size in (7, 15, 24, 53)] == [False, True, False, True]
    assert not fits(T.DecimalType(9, 3), plain_types.DECIMAL, 9, 2)
    assert fits(T.StringType(), plain_types.CLOB)
    assert not fits(T.StringType(), 1, 9), "CHAR fills up with blanks"
    assert not fits(T.TimestampType(), 2014, 35, 9), "by which zone would a driver write it?"


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("TIMESTAMP(6)", True),
        ("timestamp without time zone", True),
        ("TIMESTAMP_NTZ", True),
        ("timestamptz", False),
        ("TIMESTAMP_LTZ", False),
        ("TIMESTAMP_TZ", False),
        ("TIMESTAMP(6) WITH LOCAL TIME ZONE", False),
    ],
)
def test_a_moment_with_a_zone_is_not_taken_whatever_its_number_says(kind: str, taken: bool) -> None:
    column = Described(name="c", kind=kind, code=plain_types.TIMESTAMP, size=29, scale=6)
    assert plain_types.fits(T.TimestampType(), column) == taken


def test_a_new_moment_has_no_zone() -> None:
    """PostgreSQL's driver lists both under the same number."""
    rows = [("timestamptz", 93, 0, 6), ("timestamp", 93, 0, 6)]
    assert plain_catalog.types_of(rows)[93].name == "timestamp"


def test_digits_that_a_driver_does_not_say_are_not_none() -> None:
    unsaid = Described(name="c", kind="NUMERIC", code=plain_types.NUMERIC)
    assert list(plain_types.unheld(T.LongType(), unsaid)) == []
    told = Described(name="c", kind="NUMERIC(3,0)", code=plain_types.NUMERIC, size=3)
    assert len(list(plain_types.unheld(T.LongType(), told))) == 1
    made = database({2: Type(name="NUMERIC", size=0, scale=0)}).new_column("c", T.DecimalType(9, 2), key=False)
    assert made is not None
    assert made.kind == "NUMERIC(9,2)"


def test_the_ledger_needs_types_of_its_own() -> None:
    assert database(LIKE_ORACLE).words == {
        "key": "NVARCHAR2(512)",
        "name": "NVARCHAR2(128)",
        "text": "NVARCHAR2(2000)",
        "number": "NUMBER(19,0)",
        "moment": "TIMESTAMP",
    }
    with pytest.raises(ConfigError, match="A Base 1 has no types for a ledger"):
        _ = database(SQLITE).words


def test_names_in_small_letters_are_written_as_the_database_does() -> None:
    one = TableName(schema="sales", name="Orders")
    assert str(database(LIKE_ORACLE).placed(one)) == "SALES.Orders"
    assert str(database(LIKE_ORACLE, upper=False).placed(one)) == "sales.Orders"
    assert str(database(LIKE_ORACLE, exact=False).placed(one)) == "sales.orders", "two names of one table, one ledger"
    assert database(LIKE_ORACLE).named("größe") == "größe"
    assert database(LIKE_ORACLE, longest=3).check_name("abcd") == "it has more than 3 characters"


def test_the_ledgers_row_of_a_table_has_a_unit_that_no_database_takes_for_null() -> None:
    assert database(LIKE_ORACLE).table_unit.strip()
