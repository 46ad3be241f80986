"""Given rows on the edges of windows, then each is in exactly one, and a window read again gives the same rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import kinds
from spark_jobs.connections import Connections
from spark_jobs.extract import SOURCES
from spark_jobs.flow import Context
from spark_jobs.window import Window
from tests.spark_jobs.extract.drops import Read
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, plan

pytestmark = pytest.mark.spark

ZONE = "America/New_York"
# Days of New York: before, of and after the hour that the clock skips; the second has 23 hours.
EDGES = [datetime(2013, 3, 9, 5, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 24, 47, 71)]
WINDOWS = [Window(start=a, end=b, timezone=ZONE) for a, b in pairwise(EDGES)]
TICK = timedelta(microseconds=1)
TIMES = sorted(
    {edge + shift for edge in EDGES for shift in (-TICK, timedelta(), TICK)} | {EDGES[1] + timedelta(hours=2)}
)
INSIDE = [sum(window.start <= time < window.end for time in TIMES) for window in WINDOWS]
COLUMNS = {"id": {"type": "int"}, "at": {"type": "timestamp"}}
BY_TIME: dict[str, Any] = {"window": {"column": "at"}, "columns": COLUMNS}

Scene = tuple[str, dict[str, Any], dict[str, Any]]


def _files(folder: Path, form: str, text: str) -> Scene:
    (folder / f"rows.{form}").write_text(text)
    return "files", {"path": str(folder / f"rows.{form}"), "format": form, **BY_TIME}, {}


def csv(_spark: Any, folder: Path, _request: Any) -> Scene:
    return _files(folder, "csv", "id,at\n" + "".join(f"{n},{time.isoformat()}\n" for n, time in enumerate(TIMES)))


def json_lines(_spark: Any, folder: Path, _request: Any) -> Scene:
    lines = [json.dumps({"id": n, "at": time.isoformat()}) for n, time in enumerate(TIMES)]
    return _files(folder, "json", "\n".join(lines) + "\n")


def _rows(spark: Any) -> Any:
    return frame(spark, list(enumerate(TIMES)), "id INT, at TIMESTAMP")


def parquet(spark: Any, folder: Path, _request: Any) -> Scene:
    _rows(spark).write.parquet(str(folder / "rows"))
    return "files", {"path": str(folder / "rows"), "format": "parquet", **BY_TIME}, {}


def table(spark: Any, folder: Path, _request: Any) -> Scene:
    _rows(spark).write.format("delta").save(str(folder / "rows"))
    return "table", {"path": str(folder / "rows"), **BY_TIME}, {}


def sql(spark: Any, _folder: Path, _request: Any) -> Scene:
    return "sql", {"query": "SELECT * FROM given", "window": {"column": "at"}}, {"datasets": {"given": _rows(spark)}}


def jdbc(_spark: Any, _folder: Path, request: Any) -> Scene:
    server = request.getfixturevalue("postgres")
    values = ", ".join(f"({n}, '{time.isoformat()}')" for n, time in enumerate(TIMES))
    made = "CREATE TABLE edges (id int, at timestamptz)"
    server.run("DROP TABLE IF EXISTS edges", made, f"INSERT INTO edges VALUES {values}")  # noqa: S608 - a test's own
    return "jdbc", {"connection": "db", "table": "edges", **BY_TIME}, {"connections": [server.connection("db")]}


def modified(_spark: Any, folder: Path, _request: Any) -> Scene:
    """Modification times have milliseconds; a file has a row."""
    (folder / "in").mkdir()
    for number, time in enumerate(TIMES):
        path = folder / "in" / f"{number}.csv"
        path.write_text(f"id\n{number}\n")
        os.utime(path, ns=(0, (time - datetime(1970, 1, 1, tzinfo=UTC)) // TICK * 1000))
    return (
        "files",
        {"path": str(folder / "in"), "format": "csv", "window": "modified", "columns": {"id": {"type": "int"}}},
        {},
    )


@pytest.mark.parametrize(
    "given", [csv, json_lines, parquet, table, sql, jdbc, modified], ids=lambda given: given.__name__
)
def test_an_edge_is_in_one_window_and_windows_read_again_are_the_same(
    spark: Any, tmp_path: Path, request: Any, given: Callable[..., Scene]
) -> None:
    name, options, more = given(spark, tmp_path, request)
    source = kinds.build(kinds.find(SOURCES, name, "extract"), options)
    context = Context(
        spark=spark,
        plan=plan(tmp_path, WINDOWS[0], attempt(1)),
        where="extract.rows",
        dataset="rows",
        datasets=more.get("datasets", {}),
        connections=Connections(*more.get("connections", [])),
    )

    def ids(window: Window) -> list[int]:
        made = replace(context, plan=plan(tmp_path, window, attempt(1)), versions={})
        return sorted(row[0] for row in Read(source.read(made)).rows)

    found = [ids(window) for window in WINDOWS]
    assert [len(rows) for rows in found] == INSIDE
    assert [row for rows in found for row in rows] == list(range(1, len(TIMES) - 2))
    assert [ids(window) for window in reversed(WINDOWS)] == found[::-1]


def test_rows_of_a_database_say_its_connection_and_table(spark: Any, tmp_path: Path, request: Any) -> None:
    name, options, more = jdbc(spark, tmp_path, request)
    source = kinds.build(kinds.find(SOURCES, name, "extract"), {**options, "audit_columns": True})
    made, known = plan(tmp_path, WINDOWS[0], attempt(1)), Connections(*more["connections"])
    context = Context(spark=spark, plan=made, where="extract.rows", dataset="rows", connections=known)
    assert {row["_source"] for row in source.read(context).rows.collect()} == {"db:edges"}
