"""What Spark is told for an engine."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spark_jobs.session import Shared, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JARS = str(Path(__file__).resolve().parents[2] / "jars")
DRIVER, EXECUTOR = "spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"


def options(key: str, **own: str) -> list[str]:
    return shlex.split(settings({"jars": JARS, "small": True, "conf": own})[key])


@pytest.mark.parametrize("key", [DRIVER, EXECUTOR])
def test_java_runs_in_utc_whatever_options_an_engine_has_of_its_own(key: str) -> None:
    told = options(key, **{key: '-Dkey="a b" -Duser.timezone=America/New_York'})
    assert "-Dkey=a b" in told
    assert told[-1] == "-Duser.timezone=UTC", "the last one counts"
    assert options(key)[-1] == "-Duser.timezone=UTC"


def test_an_engines_own_options_join_ours_and_come_later() -> None:
    told = options(DRIVER, **{DRIVER: "-XX:TieredStopAtLevel=4"})
    assert told.index("-XX:TieredStopAtLevel=1") < told.index("-XX:TieredStopAtLevel=4")
    assert any(item.startswith("-Dlog4j2.configurationFile=") for item in told)


def test_java_starts_with_the_collector_that_an_engine_chooses() -> None:
    told = options(DRIVER, **{DRIVER: "-XX:+UseZGC"})
    assert [item for item in told if item.endswith("GC")] == ["-XX:+UseZGC"], "of two it would start with none"


def test_no_query_names_the_environment_of_the_driver() -> None:
    assert settings({"jars": JARS})["spark.sql.variable.substitute"] == "false", "${env:NAME} is a text to Spark too"


def test_coordinates_take_the_place_of_the_folder_and_of_its_archive(tmp_path: Path) -> None:
    named = ["io.delta:delta-spark_4.1_2.13:4.4.0", "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0"]
    archive = tmp_path / "spark.jsa"
    archive.touch()
    told = settings({"jars": "nowhere", "packages": named, "archive": str(archive), "s3": {"s3a://lake": {}}})
    assert told["spark.jars.packages"] == ",".join(named)
    assert "spark.driver.extraClassPath" not in told
    assert "SharedArchiveFile" not in told["spark.driver.extraJavaOptions"]
    assert "IcebergSparkSessionExtensions" in told["spark.sql.extensions"]
    assert told["spark.jars"].endswith("conditional-put-log-store.jar")
    assert "software.amazon.awssdk:bundle" in told["spark.jars.excludes"]


def test_jars_that_an_engine_names_itself_come_beside_those_that_are_fetched() -> None:
    own = {"spark.jars.packages": "org.shop:own:1", "spark.jars": "/own.jar", "spark.jars.excludes": "a:b"}
    told = settings({"packages": ["io.delta:d:1"], "s3": {"s3a://lake": {}}, "conf": own})
    assert told["spark.jars.packages"] == "io.delta:d:1,org.shop:own:1"
    ours, mine = told["spark.jars"].split(",")
    assert (ours.endswith("conditional-put-log-store.jar"), mine) == (True, "/own.jar")
    assert told["spark.jars.excludes"].endswith(",a:b")


def test_a_store_that_refuses_is_given_up_in_minutes_unless_the_engine_says_otherwise() -> None:
    key, fetched = "spark.hadoop.fs.s3a.retry.throttle.limit", {"packages": ["io.delta:d:1"]}
    assert settings(fetched | {"s3": {"s3a://lake": {}}})[key] == "8"
    assert settings(fetched | {"s3": {"s3a://lake": {}}, "conf": {key: "20"}})[key] == "20"
    assert key not in settings(fetched)


@pytest.mark.spark
def test_a_spark_that_was_there_before_us_gets_our_settings_of_sql(spark: SparkSession) -> None:
    before = spark.conf.get("spark.sql.shuffle.partitions")
    engine = {"provided": True, "conf": {"spark.sql.shuffle.partitions": "7", "spark.sql.warehouse.dir": "/no"}}
    shared = Shared()
    try:
        first, second = shared.session("x", engine), shared.session("x", engine)
        for session in (first, second):
            assert session.conf.get("spark.sql.shuffle.partitions") == "7"
            assert session.conf.get("spark.sql.mapKeyDedupPolicy") == "LAST_WIN"
            assert session.conf.get("spark.sql.warehouse.dir") != "/no", "chosen when Spark began"
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
