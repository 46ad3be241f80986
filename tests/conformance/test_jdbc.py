"""The promise of every strategy on real databases, by the random schedules that Delta stands too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from spark_jobs.connections import Connections
from spark_jobs.load.jdbc import Jdbc
from tests.conformance.drawing import HOW_OFTEN
from tests.conformance.harness import Subject
from tests.conformance.promise import CASES, prove
from tests.conformance.test_delta import STRATEGIES

pytestmark = pytest.mark.spark

KEPT = ("replace_window", "append", "snapshot", "merge", "merge by window")
PLAIN = ("replace_window", "append", "snapshot")
QUICK = ("replace_window", "merge")  # the other statements of the second server are for `make prove`
COLUMNS = ("id", "seq", "at", "name", "op")


def subject(server: Any) -> Subject:
    is_postgres, is_plain = server.kind == "postgres", server.kind == "jdbc"

    def make(folder: Path, write: Any) -> Jdbc:
        return Jdbc(connection="db", table=f"t_{folder.name.lower()}", write=write)

    def plain(value: Any) -> Any:
        """Instants as Spark gives them back: without a zone, in UTC."""
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value

    def read(destination: Any) -> list[dict[str, Any]]:
        mark = '"' if is_postgres or is_plain else "`"
        spelled = str.upper if is_plain else str  # as both of these databases write names in small letters
        names = ", ".join(f"{mark}{spelled(name)}{mark}" for name in COLUMNS)
        found = server.rows(f"SELECT {names} FROM {mark}{spelled(destination.table)}{mark}")  # noqa: S608
        return [dict(zip(COLUMNS, map(plain, row), strict=True)) for row in found]

    return Subject(make=make, read=read, connections=Connections(server.connection("db")))


@pytest.mark.parametrize("rounds", HOW_OFTEN)
@pytest.mark.parametrize(
    ("database", "name"),
    [
        *(("postgres", name) for name in KEPT),
        *(pytest.param("mariadb", name, marks=() if name in QUICK else pytest.mark.prove) for name in KEPT),
        *(pytest.param("h2", name, marks=() if name == "replace_window" else pytest.mark.prove) for name in PLAIN),
        *(pytest.param("derby", name, marks=pytest.mark.prove) for name in PLAIN),
    ],
)
def test_any_schedule_ends_as_a_plain_run_in_order(  # noqa: PLR0917 - what it is proven for
    spark: Any, tmp_path: Path, request: pytest.FixtureRequest, database: str, name: str, rounds: int
) -> None:
    server = request.getfixturevalue(database)
    prove(spark, subject(server), STRATEGIES[name], CASES[name], lambda: Path(mkdtemp(dir=tmp_path)), rounds)
