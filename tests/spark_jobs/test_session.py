"""What Spark is told for an engine."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from spark_jobs.session import settings

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
