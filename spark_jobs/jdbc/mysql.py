"""MariaDB and MySQL, both by MariaDB's driver. MySQL itself was never run: what is for it alone says so."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from spark_jobs.jdbc.dialect import Dialect, Found, Nature, doubled, wall

_SINCE: Final = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {c})"
_DAYS: Final = "DATEDIFF({c}, '1970-01-01')"
# CHAR, ENUM and SET too: as what they are Spark would fill them with blanks.
_TEXT: Final = Nature(kind="string", value="CAST({c} AS CHAR)")
_NATURES: Final = {
    "BOOLEAN": Nature(kind="tinyint", value="CAST({c} AS SIGNED)"),
    "TINYINT": Nature(kind="tinyint", value="CAST({c} AS SIGNED)"),
    "SMALLINT": Nature(kind="smallint", value="CAST({c} AS SIGNED)"),
    "MEDIUMINT": Nature(kind="int", value="CAST({c} AS SIGNED)"),
    "INTEGER": Nature(kind="int", value="CAST({c} AS SIGNED)"),
    "INT": Nature(kind="int", value="CAST({c} AS SIGNED)"),
    "BIGINT": Nature(kind="bigint", value="CAST({c} AS SIGNED)"),
    "YEAR": Nature(kind="int", value="CAST({c} AS SIGNED)"),
    # The text protocol would show six digits of a float.
    "FLOAT": Nature(kind="float", value="CAST({c} AS DOUBLE)"),
    "DOUBLE": Nature(kind="double"),
    "BIT": Nature(kind="decimal(20,0)", value="CAST(CAST({c} AS UNSIGNED) AS DECIMAL(20,0))"),
    # A day of zeros gives no difference, and neither does null: the text tells them apart.
    "DATE": Nature(
        kind="date", value=_DAYS, strange=f"CASE WHEN {_DAYS} IS NULL THEN CAST({{c}} AS CHAR) END", wire="days"
    ),
    "DATETIME": Nature(
        kind="timestamp_ntz",
        value=_SINCE,
        strange=f"CASE WHEN {_SINCE} IS NULL THEN CAST({{c}} AS CHAR) END",
        wire="micros",
    ),
    "TIMESTAMP": Nature(
        kind="timestamp",
        value=_SINCE,
        strange=f"CASE WHEN {_SINCE} IS NULL THEN CAST({{c}} AS CHAR) END",
        wire="micros",
        instant=True,
    ),
    **dict.fromkeys(("VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "JSON"), Nature(kind="string")),
    "BINARY": Nature(kind="binary"),
    "VARBINARY": Nature(kind="binary"),
    "TINYBLOB": Nature(kind="binary"),
    "BLOB": Nature(kind="binary"),
    "MEDIUMBLOB": Nature(kind="binary"),
    "LONGBLOB": Nature(kind="binary"),
}
_UNSIGNED: Final = {
    "TINYINT": Nature(kind="smallint", value="CAST({c} AS SIGNED)"),
    "SMALLINT": Nature(kind="int", value="CAST({c} AS SIGNED)"),
    "MEDIUMINT": Nature(kind="int", value="CAST({c} AS SIGNED)"),
    "INTEGER": Nature(kind="bigint", value="CAST({c} AS SIGNED)"),
    "INT": Nature(kind="bigint", value="CAST({c} AS SIGNED)"),
    "BIGINT": Nature(kind="decimal(20,0)", value="CAST({c} AS DECIMAL(20,0))"),
}
_SHAPES: Final = ("GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTI")
_DECIMAL: Final = re.compile(r"decimal\((\d+),(-?\d+)\)")


def _nature(found: Found) -> Nature:
    word = found.native.upper().removesuffix(" UNSIGNED").removesuffix(" ZEROFILL").strip()
    if word in _UNSIGNED and (not found.signed or "UNSIGNED" in found.native.upper()):
        return _UNSIGNED[word]
    if word in ("DECIMAL", "OLDDECIMAL", "NUMERIC"):
        match = _DECIMAL.fullmatch(found.spark)
        if match and int(match[1]) < 38:
            return Nature(kind=found.spark)
        return Nature(kind=found.spark if match else "decimal(38,18)", value="CAST({c} AS CHAR)", wire="text")
    if word.startswith(_SHAPES):
        return Nature(kind="string", value="ST_AsText({c})")
    return _NATURES.get(word, _TEXT)


def _text(value: str) -> str:
    """A literal that means the same whatever sql_mode says of backslashes and quotes."""
    if "\\" in value or "'" in value:
        return f"CONVERT(x'{value.encode().hex()}' USING utf8mb4)"
    return f"'{value}'"


def _instant(value: datetime) -> str:
    """The session's zone is UTC."""
    return wall(value.astimezone(UTC))


def _session(limit: int) -> dict[str, str]:
    """Settings from the first moment on: even for `WHERE 1=0` MariaDB runs what a query calls outside of any table.

    One statement, since the driver sends one alone: MariaDB reads what is in /*M!, MySQL what is in /*!80000.
    """
    mariadb, mysql = ["tx_read_only = 1"], ["transaction_read_only = 1"]
    if limit:
        mariadb.append(f"max_statement_time = {limit / 1000:.3f}")
        mysql.append(f"max_execution_time = {limit}")
    told = f"SET SESSION time_zone = '+00:00' /*M! , {', '.join(mariadb)} */ /*!80000 , {', '.join(mysql)} */"
    return {"initSql": told}


MYSQL: Final = Dialect(
    name="mysql",
    quote=doubled("`"),
    text=_text,
    instant=_instant,
    wall=wall,
    nature=_nature,
    session=_session,
)
