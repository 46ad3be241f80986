"""Given others at work on a database's table, then an entity that is purged is gone, and nobody else's rows are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.load.by_key import Merge
from spark_jobs.load.strategies import ReplaceWindow
from spark_jobs.tables.databases.purge import DatabasePlace, places_of
from spark_jobs.tables.entity import Entity
from tests.spark_jobs.plans import day
from tests.spark_jobs.tables.databases import Part

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def purged(part: Part, spark: Any, **keys: str) -> Iterator[tuple[str, str, int]]:
    """Purge an entity place by place: what each is, its state, its rows."""
    for place in places_of(part.held(spark=spark)):
        told = place.purge(spark, Entity(keys=keys), dry=False, say=lambda _: None)
        yield told["name"].removeprefix("load mart").removeprefix(", ") or "load", told["state"], told["rows"]


def test_a_refresh_that_swaps_meanwhile_brings_nobody_back(
    spark: Any, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = Part(server, tmp_path, BY_TIME)
    facts.load(day(1), second=1)
    rebuild = facts.refresh(day(1), second=7)
    rebuild.begin()
    facts.build(rebuild, second=7)
    steps = purged(facts, spark, id="7")
    found = [next(steps)]
    rebuild.swap()
    found += steps
    assert facts.rows() == []
    assert sum(rows for _, _, rows in found) == 1

    rows = DatabasePlace.rows

    def ended(place: DatabasePlace, session: Any) -> Any:
        seen = rows(place, session)
        rebuild.drop()
        return seen

    monkeypatch.setattr(DatabasePlace, "rows", ended)
    assert [step[:2] for step in purged(facts, spark, id="7")] == [
        ("refresh under way", "absent"),
        ("load", "clean"),
        ("tombstones", "absent"),
    ]


def test_tombstones_of_pipelines_that_share_a_table_by_scope_stay(spark: Any, server: Any, tmp_path: Path) -> None:
    part = Part(server, tmp_path, Merge(strategy="merge", keys=("who",)), Country="de")
    graves = "('alice', 'de'), ('alice', 'fr'), ('bob', 'de'), ('alice', NULL)"
    server.run(
        "CREATE TABLE facts (who VARCHAR(9), country VARCHAR(2))",
        "CREATE TABLE _etl_gone_facts (who VARCHAR(9), country VARCHAR(2))",
        f"INSERT INTO _etl_gone_facts VALUES {graves}",  # noqa: S608
    )
    assert ("tombstones", "purged", 2) in list(purged(part, spark, who="alice"))
    left = server.rows("SELECT who, country FROM _etl_gone_facts ORDER BY who")
    assert left == [("alice", "fr"), ("bob", "de")]
    # A table that was made before there was a scope.
    server.run("ALTER TABLE _etl_gone_facts DROP COLUMN country")
    assert ("tombstones", "purged", 1) in list(purged(part, spark, who="alice"))
    assert server.rows("SELECT who FROM _etl_gone_facts") == [("bob",)]


def test_a_uuid_is_the_same_however_it_is_spelled(spark: Any, server: Any, tmp_path: Path) -> None:
    part = Part(server, tmp_path, Merge(strategy="merge", keys=("who",)))
    here, there = "0e37df36-f698-11e6-8dd4-cb9ced3df976", "0e37df36-f698-11e6-8dd4-cb9ced3df977"
    for asked in (here, here.upper(), f"{{{here.upper()}}}", here.replace("-", "")):
        server.run(
            "DROP TABLE IF EXISTS facts",
            "CREATE TABLE facts (who UUID)",
            f"INSERT INTO facts VALUES ('{here}'), ('{there}'), (NULL)",  # noqa: S608
        )
        assert ("load", "purged", 1) in list(purged(part, spark, who=asked)), asked
        assert [str(who) for (who,) in server.rows("SELECT who FROM facts WHERE who IS NOT NULL")] == [there]
    assert ("load", "clean", 0) in list(purged(part, spark, who="nobody's"))
