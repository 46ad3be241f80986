"""What lint says of loads into databases."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec.strategies import kept_by
from tests.spec.conftest import PIPELINE, Project

LOAD = "type: jdbc\n    connection: warehouse\n    table: sales.orders\n    write: {strategy: append}"
MART = PIPELINE.replace("type: delta\n    path: ${env.lake}/orders\n    write: {strategy: append}", LOAD)


def test_a_load_into_a_database_lints_and_its_plan_names_the_connection_alone(project: Project) -> None:
    assert project.told(MART) == []
    (_, kind) = project.pipeline(MART).load["lake"]
    assert (kind.type, kind.connection, kind.table, kind.place) == (
        *("jdbc", "warehouse", "sales.orders"),
        "warehouse:sales.orders",
    )


@pytest.mark.parametrize("strategy", ["scd2", "cdc"])
def test_a_strategy_that_databases_cannot_keep_is_refused_with_the_nearest(project: Project, strategy: str) -> None:
    assert kept_by("jdbc") == ("replace_window", "append", "snapshot", "merge")
    (told,) = project.told(MART.replace("strategy: append", f"strategy: {strategy}, keys: [id]"))
    assert told.startswith("19:23 strategy-unsupported load.lake.write.strategy")
    assert "the nearest one is merge" in told


def test_a_merge_orders_rows_by_its_sequence_or_by_windows_and_not_by_its_keys(project: Project) -> None:
    merge = MART.replace("strategy: append", "strategy: merge, keys: [id]")
    assert project.told(merge) == [], "the window's end orders its rows"
    assert project.told(merge.replace("keys: [id]", "keys: [id], sequence: at")) == []
    (told,) = project.told(merge.replace("keys: [id]", "keys: [id], sequence: id"))
    assert "'id' is a key too" in told or "id is a key too" in told


def test_two_loads_of_one_table_need_scopes_and_so_do_two_files(project: Project) -> None:
    second = LOAD.replace("\n", "\n")
    twice = f"{MART}  again:\n    {second}\n"
    (told,) = project.told(twice)
    assert "destination-shared" in told
    assert "writes the same table" in told
    scoped = twice.replace("append}", "append}\n    scope: {country: de}", 1)
    assert project.told(scoped.replace("append}\n\n", "append}\n") + "    scope: {country: at}\n") == []
    (alike,) = project.told(scoped.replace("append}\n\n", "append}\n") + "    scope: {country: DE}\n")
    assert "destination-shared" in alike, "many a collation takes de and DE for equal"
    other = twice.replace("table: sales.orders", "table: sales.others", 1)
    assert project.told(other) == []


def test_a_merge_by_standard_sql_alone_is_refused_where_the_file_says_that_it_is_one(project: Project) -> None:
    merge = MART.replace("strategy: append", "strategy: merge, keys: [id], sequence: at")
    assert project.told(merge.replace("table: sales", "database: postgres\n    table: sales")) == []
    other = merge.replace("table: sales", "database: other\n    table: sales")
    (told,) = project.told(other)
    assert "strategy-unsupported load.lake.write.strategy" in told
    assert "jdbc can't keep strategy merge: merge compares rows by SQL that databases don't share" in told
    assert "the nearest one is snapshot" in told
    assert project.told(other.replace("merge, keys: [id], sequence: at", "append")) == []
