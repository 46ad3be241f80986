"""Rows with values that a column can't hold are found before anything is sent; values at the edges pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.accounts import Accounts
from spark_jobs.errors import DataError
from spark_jobs.load.accept import accept
from spark_jobs.load.databases import mariadb_types
from spark_jobs.load.strategies import Snapshot
from spark_jobs.report import DatasetCounts, Report
from spark_jobs.staging import Staging
from tests.servers.mariadb import MariaDB
from tests.servers.postgres import PostgreSQL
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

TIMES = {
    "day": "DATE '9999-12-31'",
    "moment": "TIMESTAMP '9999-12-31 23:59:59.999999'",
    "wall": "TIMESTAMP_NTZ '0001-01-01 00:00:00'",
}
LATE = {
    "day": "DATE '+10000-01-01'",
    "moment": "TIMESTAMP '+10000-01-01 00:00:00'",
    "wall": "TIMESTAMP_NTZ '0000-12-31 23:59:59.999999'",
}


class Rows:
    """Rows of SQL: one that is held, and others that differ from it in a column each."""

    def __init__(self, good: Mapping[str, str], bad: Mapping[str, tuple[str, ...]]) -> None:
        self.good, self.bad = good, [(name, value) for name, values in bad.items() for value in values]

    def frame(self, spark: Any) -> Any:
        """The row that is held is 0, one of nulls alone is -1, the others count from 1."""
        kinds = spark.sql(self._select(0, self.good)).schema
        nothing = {name: f"CAST(NULL AS {kinds[name].dataType.simpleString()})" for name in self.good}
        told = [self._select(0, self.good), self._select(-1, nothing)]
        told += [self._select(at, {**self.good, name: value}) for at, (name, value) in enumerate(self.bad, 1)]
        return spark.sql(" UNION ALL ".join(told))

    def _select(self, number: int, values: Mapping[str, str]) -> str:
        return f"SELECT {number} AS id, " + ", ".join(f"{value} AS `{name}`" for name, value in values.items())


def accepted(table: DatabaseTable, frame: Any, outside: str) -> tuple[Report, Any, int]:
    context, count = table.context(day(1)), frame.count()
    counts = {"result": DatasetCounts(read=count, rows=count)}
    report = Report(pipeline="flights", window={}, fingerprint="", attempt={}, datasets=counts)
    accounts = Accounts(report=report, staging=Staging(spark=table.spark, plan=context.plan), say=lambda _: None)
    accounts.keep("result", accounts.staging.write(frame, "check", "result"))
    destination = replace(table.destination, write=Snapshot(strategy="snapshot", outside=outside))  # type: ignore[arg-type]
    kept, rows = accept("result", {"lake": destination}, accounts, context)
    return report, kept, rows


def prove(table: DatabaseTable, rows: Rows) -> dict[str, int]:
    """Set aside what isn't held, load the rest; reason -> rows."""
    frame = rows.frame(table.spark)
    with pytest.raises(DataError, match=r"\d of \d+ rows .*outside: quarantine"):
        accepted(table, frame, "fail")
    report, kept, count = accepted(table, frame, "quarantine")
    assert sorted(row["id"] for row in kept.select("id").collect()) == [-1, 0], "each of the others breaks a rule"
    table.destination.publish("mart", kept, count, table.context(day(1)))
    assert table.rows() == [(-1,), (0,)]
    return {reason.removeprefix("result.load "): number for reason, number in report.quarantined.items()}


def test_postgresql(spark: Any, postgres: PostgreSQL, tmp_path: Path) -> None:
    good = {
        "word": "'\\\\u0000'",
        "short": "'äö🙂'",
        "Codes, 2": "array('ab', NULL, '')",
        "doc": "named_struct('a', '\\\\u0000')",
        "n": "-32768L",
        "d": "-99.99BD",
        "w": "999",
        "free": "12345678901234567890BD",
        **TIMES,
    }
    bad = {
        "word": ("'a\\u0000b'", "'\\u0000'"),
        "short": ("'abcd'", "'abc '", "'a\\u0000'"),
        "Codes, 2": ("array('ab', 'abc')", "array('\\u0000')"),
        "doc": ("named_struct('a', '\\u0000')", "named_struct('a', '\\\\\\\\\\u0000')"),
        "n": ("32768L", "-32769L", "-9223372036854775808L"),
        "d": ("100.00BD", "-100.00BD"),
        "w": ("1000", "-2147483648"),
        **{name: (value,) for name, value in LATE.items()},
    }
    postgres.run(
        "DROP TABLE IF EXISTS tight",
        'CREATE TABLE tight (id INT, word TEXT, short VARCHAR(3), "Codes, 2" VARCHAR(2)[], doc JSONB, n SMALLINT,'
        " d NUMERIC(4,2), w NUMERIC(3), free NUMERIC, day DATE, moment TIMESTAMPTZ, wall TIMESTAMP)",
    )
    table = DatabaseTable(spark, postgres, tmp_path, "tight", Snapshot(strategy="snapshot"), "id INT")
    assert prove(table, Rows(good, bad)) == {"nul_character": 6, "too_long": 3, "out_of_range": 10}
    # A new table has columns that hold more, but texts of PostgreSQL never hold a NUL.
    fresh = DatabaseTable(spark, postgres, tmp_path, "roomy", Snapshot(strategy="snapshot"), "id INT")
    postgres.run("DROP TABLE IF EXISTS roomy")
    assert prove(fresh, Rows({"word": "'a'"}, {"word": ("'\\u0000'",)})) == {"nul_character": 1}


def test_mariadb(spark: Any, mariadb: MariaDB, tmp_path: Path) -> None:
    good = {
        "short": "'äö🙂'",
        "old": "'äöü'",
        "few": "repeat('ä', 127)",
        "latin": "repeat('ä', 255)",
        "raw": "X'0001'",
        "x": "-1.7976931348623157E308D",
        "y": "CAST(0.5 AS FLOAT)",
        "n": "255",
        "m": "-8388608L",
        "big": "9223372036854775807L",
        "d": "99.99BD",
        "w": "0BD",
        **TIMES,
    }
    bad = {
        "short": ("'abcd'",),
        "old": ("'🙂'",),
        "few": ("repeat('ä', 128)",),
        "latin": ("repeat('ä', 256)",),
        "raw": ("X'000102'",),
        "x": ("double('NaN')", "double('-Infinity')"),
        "y": ("float('Infinity')",),
        "n": ("256", "-1"),
        "m": ("8388608L", "-8388609L"),
        "big": ("-1L",),
        "d": ("100.00BD",),
        "w": ("-1BD", "100BD"),
        **{name: (value,) for name, value in LATE.items()},
    }
    mariadb.run(
        "DROP TABLE IF EXISTS tight",
        "CREATE TABLE tight (id INT, short VARCHAR(3) CHARACTER SET utf8mb4, old VARCHAR(9) CHARACTER SET utf8mb3,"
        " few TINYTEXT CHARACTER SET utf8mb4, latin TINYTEXT CHARACTER SET latin1, raw VARBINARY(2),"
        " x DOUBLE, y FLOAT, n TINYINT UNSIGNED, m MEDIUMINT,"
        " big BIGINT UNSIGNED, d DECIMAL(4,2), w DECIMAL(2,0) UNSIGNED, day DATE, moment DATETIME(6),"
        " wall DATETIME(6))",
    )
    table = DatabaseTable(spark, mariadb, tmp_path, "tight", Snapshot(strategy="snapshot"), "id INT")
    found = prove(table, Rows(good, bad))
    assert found == {"too_long": 4, "not_in_charset": 1, "not_finite": 3, "out_of_range": 11}


@pytest.mark.parametrize("product", ["h2", pytest.param("derby", marks=pytest.mark.prove)])
def test_plain_jdbc(spark: Any, request: pytest.FixtureRequest, tmp_path: Path, product: str) -> None:
    server = request.getfixturevalue(product)
    server.clear()
    server.run(
        "CREATE TABLE tight (id INT, short VARCHAR(3), x DOUBLE PRECISION, y REAL, n SMALLINT, d DECIMAL(4,2),"
        ' w DECIMAL(3), "DAY" DATE, moment TIMESTAMP, wall TIMESTAMP)'
    )
    good = {
        "short": "'ä🙂'",
        "x": "-1.5D",
        "y": "CAST(0.5 AS FLOAT)",
        "n": "-32768L",
        "d": "-99.99BD",
        "w": "999",
        **TIMES,
    }
    bad = {
        "short": ("'abcd'", "'abc '", "'🙂🙂'"),
        "x": ("double('NaN')", "double('-Infinity')"),
        "y": ("float('Infinity')",),
        "n": ("32768L",),
        "d": ("100.00BD",),
        "w": ("1000",),
        **{name: (value,) for name, value in LATE.items()},
    }
    table = DatabaseTable(spark, server, tmp_path, "tight", Snapshot(strategy="snapshot"), "id INT")
    assert prove(table, Rows(good, bad)) == {"too_long": 3, "not_finite": 3, "out_of_range": 6}
    fresh = DatabaseTable(spark, server, tmp_path, "roomy", Snapshot(strategy="snapshot"), "id INT")
    rows = Rows({"word": "repeat('x', 4000)"}, {"word": ("repeat('x', 4001)",)})
    assert prove(fresh, rows) == {"too_long": 1}


@pytest.mark.parametrize(("charset", "rules"), [("utf8", 1), ("utf8mb3", 1), ("utf8mb4", 0), ("latin1", 0)])
def test_the_narrow_utf_8_is_known_by_both_of_its_names(charset: str, rules: int) -> None:
    """MariaDB 10.5 calls it utf8, later ones utf8mb3."""
    from pyspark.sql.types import StringType

    held = f"longtext CHARACTER SET {charset} COLLATE {charset}_general_ci"
    found = [item.rule for item in mariadb_types.unheld(StringType(), held)]
    assert found == ["not_in_charset"] * rules
