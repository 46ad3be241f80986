"""Given what a pipeline uses and the engine's Spark, then its jars are named, or it is refused with the nearest set."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec import uses
from airflow_provider_etl.spec.compatibility import LINE, known, lines, resolve
from airflow_provider_etl.spec.locks import locked, locked_for_s3
from airflow_provider_etl.testing.order import order, settings
from spark_jobs.errors import ConfigError
from tests.packaging.conftest import pins
from tests.spec.conftest import CATALOGS, ENVIRONMENT, PIPELINE, Project

ICEBERG = "  copy: {type: iceberg, catalog: lake, table: shop.orders, write: {strategy: append}}\n"
AVRO = PIPELINE.replace(".csv\n    format: csv", ".avro\n    format: avro")


def on_spark(project: Project, version: str, more: str = "") -> None:
    project.environment(ENVIRONMENT.replace("small: true", f'small: true, spark: "{version}"{more}') + CATALOGS)


def test_the_locks_hold_what_the_file_names_for_the_spark_that_is_pinned_and_nothing_else() -> None:
    assert lines()[LINE].pyspark == pins("demo")["pyspark"]
    of_tests = [fit for part in known().values() if (fit := part.on(LINE)).evidence == "run"]
    named = {item for fit in of_tests for item in fit.packages}
    ours, s3 = ({jar.coordinates for jar in lock} for lock in (locked(), locked_for_s3()))
    assert ours == named - set(known()["s3"].on(LINE).packages)
    assert set(known()["s3"].on(LINE).packages) <= s3


def test_every_line_and_part_says_what_it_is_and_how_sure_that_is() -> None:
    for part in known().values():
        assert [line for line in lines() if sum(line in fit.spark for fit in part.fits) != 1] == [], part.name
        for fit in part.fits:
            assert fit.evidence in ("run", "documented", "none")
            assert set(fit.spark) <= set(lines())
            assert fit.why
            assert fit.evidence != "run" or fit.spark == (LINE,), "nothing else is run here"


def test_a_pipeline_gets_what_it_uses_with_the_place_that_asks(project: Project) -> None:
    on_spark(project, "4.1.3")
    pipeline = project.pipeline(AVRO + ICEBERG)
    assert uses.of_pipeline(pipeline) == {"delta": "load.lake", "iceberg": "load.copy", "avro": "extract.orders"}
    resolved = uses.resolved_of(pipeline)
    assert [item.split(":")[1] for item in resolved.packages] == [
        "delta-spark_4.1_2.13",
        "delta-storage",
        "iceberg-spark-runtime-4.1_2.13",
        "spark-avro_2.13",
    ]
    assert resolved.files[2] == "org.apache.iceberg_iceberg-spark-runtime-4.1_2.13-1.11.0.jar"
    assert (resolved.misfits, resolved.unlocked) == ((), ())


def test_delta_is_always_there_and_s3_brings_its_own_lock(project: Project) -> None:
    project.environment(ENVIRONMENT.replace("quarantine: data/quarantine", "quarantine: s3a://lake/q"))
    text = PIPELINE.replace("type: delta", "type: files\n    format: parquet").replace("append", "snapshot")
    resolved = uses.resolved_of(project.pipeline(text))
    assert list(resolved.fits) == ["delta", "s3"]
    assert "org.apache.hadoop:hadoop-aws:3.4.2" in resolved.packages
    assert len([name for name in resolved.files if name.startswith("s3/")]) == len(locked_for_s3())


def test_a_catalog_in_a_database_needs_its_driver(project: Project) -> None:
    project.environment(ENVIRONMENT + "catalogs: {lake: {type: jdbc, warehouse: data/iceberg, connection: books}}\n")
    assert list(uses.of_pipeline(project.pipeline(PIPELINE + ICEBERG))) == [
        "delta",
        "iceberg",
        "postgresql",
        "mariadb",
    ]


@pytest.mark.parametrize(
    ("version", "load", "said"),
    [
        ("4.2.0", ICEBERG, "load.copy | Apache Iceberg can't be used on Spark 4.2: Iceberg 1.11.0 has runtimes for"),
        ("4.3", "", "load.lake | Delta Lake can't be used on Spark 4.3: no Delta is built for Spark 4.3"),
        ("5.0", "", "load.lake | Delta Lake can't be used on Spark 5.0: nothing is known of Delta Lake on Spark 5.0"),
    ],
)
def test_what_can_not_be_together_is_told_at_its_place_with_the_nearest_that_can(
    project: Project, version: str, load: str, said: str
) -> None:
    on_spark(project, version)
    told = [line for line in project.told(PIPELINE + load) if "no-such-jars" in line]
    assert said in told[0]
    nearest = "4.1" if load else "4.2"
    assert f"| Spark {nearest} has all that the pipeline uses: io.delta:delta-spark_{nearest}_2.13:4.4." in told[0]
    assert len(told) == 1


def test_where_no_line_has_all_of_them_that_is_said() -> None:
    assert resolve(["delta", "mongodb"], "4.3").misfits[0].hint.startswith("Spark 4.1 has all")
    assert resolve(["delta", "gcs"], "4.2").misfits == ()
    assert resolve(["delta"], "4.2").files == (), "no lock is of that line"


def test_an_engine_that_resolves_puts_the_coordinates_into_the_plan(project: Project) -> None:
    on_spark(project, "4.1", ", packages: resolve")
    pipeline = project.pipeline()
    assert uses.packages_of(pipeline) == ("io.delta:delta-spark_4.1_2.13:4.4.0", "io.delta:delta-storage:4.4.0")
    on_spark(project, "4.3", ", packages: resolve")
    quick = project.load(PIPELINE, expressions=False).pipeline  # a DAG processor doesn't ask
    assert quick is not None
    with pytest.raises(ConfigError, match=r"no Delta is built for Spark 4\.3.*Spark 4\.2 has all"):
        uses.packages_of(quick)


@pytest.mark.parametrize("bad", ["latest", "4", "v4.1"])
def test_a_version_is_a_version(project: Project, bad: str) -> None:
    on_spark(project, bad)
    assert any("engines.local.spark" in line for line in project.told(PIPELINE))


def test_tests_of_a_pipeline_fetch_what_it_uses_too_and_one_spark_gets_it_for_all(project: Project) -> None:
    on_spark(project, "4.1", ", packages: resolve")
    first, second = project.pipeline(), project.pipeline(PIPELINE + ICEBERG)
    told = order([], [first, second], small=True)["spark"]["packages"]
    assert told == list(uses.packages_of(second)), "the first one's are among them, once"
    assert settings(first, small=True)["packages"] == list(uses.packages_of(first))
