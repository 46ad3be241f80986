"""What is made of a driver's word about types and names, of databases that no test can run."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import types as T  # noqa: N812, TID253 - as Spark's users call it; the cases are types

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError
from spark_jobs.load.databases import plain_types
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.plain import Plain
from spark_jobs.load.databases.plain_catalog import Nature
from spark_jobs.load.databases.plain_types import Described, Type

SQLITE = {4: Type(name="INTEGER", size=0, scale=0), 12: Type(name="TEXT", size=0, scale=0)}
LIKE_ORACLE = {
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
    assert database(LIKE_ORACLE).kind_of(kind, key=key) == made


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
