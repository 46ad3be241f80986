"""What a Delta table says of itself beside its rows: set once, mended where it differs, never in a load's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger
from spark_jobs.load.by_key import Merge
from spark_jobs.load.delta import Delta
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from tests.spark_jobs.load.by_key import KeyedTable
from tests.spark_jobs.plans import day

WRITES = {
    "append": Append(strategy="append"),
    "snapshot": Snapshot(strategy="snapshot"),
    "merge": Merge(strategy="merge", keys=("id",), sequence="seq"),
}
SCHEMA = "id INT, seq INT, `it's_a.b` STRING"
SAID = {
    "properties": {"delta.dataSkippingNumIndexedCols": "2", "team": "it's ours"},
    "comments": {"ID": "the order's number", "it's_a.b": "nobody knows"},
    "cluster_by": ("seq", "id"),
}


def told(table: KeyedTable) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """The table's own words: properties that were asked for, comments, clustering columns."""
    from delta import DeltaTable

    held = table.spark.read.format("delta").load(table.path).schema
    properties = Ledger(table.spark, table.path).properties()
    comments = {item.name: item.metadata["comment"] for item in held if "comment" in item.metadata}
    detail = DeltaTable.forPath(table.spark, table.path).detail().select("clusteringColumns").first()
    return {key: properties[key] for key in SAID["properties"] if key in properties}, comments, list(detail[0])


@pytest.mark.spark
@pytest.mark.parametrize("name", WRITES)
def test_a_table_says_what_the_load_says_and_no_load_forgets_it(spark: Any, tmp_path: Path, name: str) -> None:
    bare = KeyedTable(spark, tmp_path, WRITES[name], SCHEMA)
    bare.load(day(1), (1, 1, "a"), second=1)
    said = SAID | ({"cluster_by": ()} if name == "snapshot" else {})
    dressed = KeyedTable(spark, tmp_path, WRITES[name], SCHEMA, **said)
    dressed.load(day(2), (2, 1, "b"), second=2)
    wanted = (SAID["properties"], {"id": "the order's number", "it's_a.b": "nobody knows"}, list(said["cluster_by"]))
    assert told(dressed) == wanted
    commits = dressed.version
    dressed.load(day(3), (3, 1, "c"), second=3)
    assert told(dressed) == wanted
    assert dressed.version == (commits or 0) + 1, "nothing is altered that is so already"
    assert bare.rows("id")[-1] == (3,)
    wrong = KeyedTable(spark, tmp_path, WRITES[name], SCHEMA, comments={"idd": "x"})
    with pytest.raises(ConfigError, match="the table has no column 'idd'"):
        wrong.load(day(4), (4, 1, "d"), second=4)


@pytest.mark.spark
def test_a_table_with_partitions_is_not_clustered(spark: Any, tmp_path: Path) -> None:
    write = ReplaceWindow(strategy="replace_window", column="day")
    KeyedTable(spark, tmp_path, write, "id INT, day DATE", partition_by=("day",)).load(day(1), second=1)
    with pytest.raises(ConfigError, match=r"load.lake.cluster_by: the table is partitioned by 'day'"):
        KeyedTable(spark, tmp_path, write, "id INT, day DATE", cluster_by=("id",)).load(day(2), second=2)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"cluster_by": ("a",), "partition_by": ("b",)}, "a table that partition_by lays out"),
        ({"cluster_by": ("a",), "write": WRITES["snapshot"]}, "Delta forgets"),
        ({"cluster_by": tuple("abcde")}, "four columns at most"),
        ({"properties": {"etl.owner": "x"}}, "what loads the table"),
        ({"properties": {"delta.enableChangeDataFeed": "true"}}, "change_feed: true says that"),
    ],
)
def test_what_can_not_be_said_together_is_told_by_lint(options: dict[str, Any], why: str) -> None:
    [found] = Delta(**{"path": "t", "write": WRITES["append"], **options}).conflicts().values()
    assert why in found
