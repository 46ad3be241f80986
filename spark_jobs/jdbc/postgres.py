"""PostgreSQL."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from spark_jobs.jdbc.dialect import Dialect, Found, Nature, doubled, wall

_TEXT: Final = Nature(kind="string", value="{c}::text")
_UNENDING: Final = "CASE WHEN NOT isfinite({c}) THEN {c}::text END"
# 64 bits of microseconds end with the year 294247, PostgreSQL's years thirty later. Infinity is beyond them too.
_HELD: Final = "{c} > '-infinity' AND {c} < '294247-01-01'"
_SINCE: Final = f"CASE WHEN {_HELD} THEN (extract(epoch FROM {{c}}) * 1000000)::bigint END"
_BEYOND: Final = f"CASE WHEN NOT ({_HELD}) THEN {{c}}::text END"
_NUMBERS: Final = "('NaN'::numeric, 'Infinity'::numeric, '-Infinity'::numeric)"
_NATURES: Final = {
    "int2": Nature(kind="smallint"),
    "int4": Nature(kind="int"),
    "serial": Nature(kind="int"),
    "int8": Nature(kind="bigint"),
    "bigserial": Nature(kind="bigint"),
    "smallserial": Nature(kind="smallint"),
    "oid": Nature(kind="bigint", value="{c}::bigint"),
    "float4": Nature(kind="float"),
    "float8": Nature(kind="double"),
    "bool": Nature(kind="boolean"),
    "text": Nature(kind="string"),
    "varchar": Nature(kind="string"),
    "bpchar": Nature(kind="string"),  # no cast: that would cut its trailing blanks
    "bytea": Nature(kind="binary"),
    "bit": _TEXT,  # Spark by itself takes bit(1) alone
    "money": Nature(kind="decimal(19,2)", value="{c}::numeric::text", wire="text"),
    "date": Nature(
        kind="date",
        value="CASE WHEN isfinite({c}) THEN {c} - DATE '1970-01-01' END",
        strange=_UNENDING,
        wire="days",
    ),
    "timestamp": Nature(kind="timestamp_ntz", value=_SINCE, strange=_BEYOND, wire="micros"),
    "timestamptz": Nature(kind="timestamp", value=_SINCE, strange=_BEYOND, wire="micros", instant=True),
}
_LISTS: Final = {
    "_int2": "smallint",
    "_int4": "int",
    "_int8": "bigint",
    "_float4": "float",
    "_float8": "double",
    "_bool": "boolean",
}
_DECIMAL: Final = re.compile(r"decimal\((\d+),(-?\d+)\)")


def _nature(found: Found) -> Nature:
    native = found.native.lower()
    if native == "numeric":
        return _number(found.spark)
    if native.startswith("_"):
        # Every value as text: numbers in JSON would be rounded to doubles.
        return Nature(
            kind=f"array<{_LISTS.get(native, 'string')}>",
            value="CASE WHEN array_ndims({c}) > 1 THEN NULL ELSE array_to_json({c}::text[])::text END",
            strange="CASE WHEN array_ndims({c}) > 1 THEN {c}::text END",
            wire="list",
        )
    return _NATURES.get(native, _TEXT)


def _number(spark: str) -> Nature:
    """A numeric: with a scale as it is; without one, and above Spark's 38 digits, by its text."""
    match = _DECIMAL.fullmatch(spark)
    if match is None or int(match[1]) >= 38:
        return Nature(kind=spark if match else "decimal(38,18)", value="{c}::text", wire="text")
    return Nature(
        kind=spark,
        value=f"CASE WHEN {{c}} IN {_NUMBERS} THEN NULL ELSE {{c}} END::numeric({match[1]},{match[2]})",
        strange=f"CASE WHEN {{c}} IN {_NUMBERS} THEN {{c}}::text END",
    )


def _text(value: str) -> str:
    """A literal that means the same whatever standard_conforming_strings says."""
    doubled_quotes = value.replace("'", "''")
    return "E'" + doubled_quotes.replace("\\", "\\\\") + "'" if "\\" in value else f"'{doubled_quotes}'"


def _instant(value: datetime) -> str:
    return f"TIMESTAMPTZ '{value.isoformat(sep=' ')}'"


def _session(limit: int) -> dict[str, str]:
    """Settings of the one transaction that reads: a pool of connections keeps none of them.

    They come too late for the question which columns there are, but that one is `WHERE 1=0`: nothing of it is run.
    """
    told = [
        "SET TRANSACTION READ ONLY",
        "SET LOCAL timezone = 'UTC'",
        "SET LOCAL datestyle = 'ISO, YMD'",
        "SET LOCAL intervalstyle = 'iso_8601'",
        "SET LOCAL extra_float_digits = 1",
        ends_with_client(local=True),
    ]
    told += [f"SET LOCAL statement_timeout = {limit}"] if limit else []
    return {"sessionInitStatement": "; ".join(told)}


def ends_with_client(*, local: bool) -> str:
    """A statement after which others end within ten seconds of the death of whoever waits for them.

    Else a database computes, and holds its locks, for a driver that was killed. Servers know it from 14 on, and refuse
    it where their system tells of no closed connection.

    Args:
        local: whether it holds for the transaction alone.
    """
    able = "current_setting('server_version_num')::int >= 140000 AND version() LIKE '%linux%'"
    return f"SELECT set_config('client_connection_check_interval', '10s', {str(local).lower()}) WHERE {able}"


POSTGRES: Final = Dialect(
    name="postgres",
    quote=doubled('"'),
    text=_text,
    instant=_instant,
    wall=wall,
    nature=_nature,
    session=_session,
)
