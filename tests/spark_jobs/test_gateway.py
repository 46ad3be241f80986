"""The driver's JVM is started as Spark's own launcher would start it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import gateway
from spark_jobs.errors import InfrastructureError

CONF = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.driver.extraClassPath": "/x/y.jar:/x/z a.jar",
    "spark.driver.extraJavaOptions": '-XX:+UseSerialGC "-Djava.io.tmpdir=/b c"',
    "spark.sql.session.timeZone": "UTC",
}


def launchers(conf: dict[str, str]) -> list[str]:
    """What Spark's launcher composes for the same settings."""
    import pyspark

    home = Path(pyspark.__file__).parent.resolve()
    java = gateway.command(conf)[0]
    told = [item for key, value in conf.items() for item in ("--conf", f"{key}={value}")]
    launcher = ("org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit")
    done = subprocess.run(
        [java, "-cp", f"{home}/jars/*", *launcher, *told, "pyspark-shell"],
        env=os.environ | {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return [item for item in done.stdout.decode().split("\0")[1:] if item.strip()]


def test_the_command_is_the_launchers() -> None:
    ours, theirs = gateway.command(CONF), launchers(CONF)
    assert Path(theirs[0]).name == "java"
    assert ours[1:3] == theirs[1:3], "the class path, in its order"
    assert set(ours[3:]) == set(theirs[3:])
    before = ours.index("org.apache.spark.deploy.SparkSubmit")
    assert ours[:before][3:] == theirs[3 : theirs.index("org.apache.spark.deploy.SparkSubmit")]


@pytest.mark.parametrize("name", ["SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS"])
def test_a_spark_of_the_users_own_is_left_to_pyspark(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.SparkContext._gateway", None)
    monkeypatch.delenv("SPARK_HOME", raising=False)
    assert gateway.serves(CONF)
    assert not gateway.serves(CONF | {"spark.master": "spark://host:7077"})
    monkeypatch.setenv(name, "/opt/spark")
    assert not gateway.serves(CONF)


def test_a_java_that_ends_at_once_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark.SparkContext._gateway", None)
    wrong = CONF | {"spark.driver.extraJavaOptions": "-XX:+NoSuchOptionAtAll"}
    monkeypatch.setattr(gateway, "_MODULES", ())
    with (
        pytest.raises(InfrastructureError, match=r"exit code 1 before Spark was there.*doctor"),
        gateway.started(wrong),
    ):
        pytest.fail("it started")
    assert "PYSPARK_GATEWAY_PORT" not in os.environ


@pytest.mark.spark
def test_names_that_are_often_asked_for_are_looked_up_once(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    asked: list[str] = []
    client = spark._jvm._gateway_client
    send = client.send_command

    def counted(command: str, *arguments: Any, **more: Any) -> Any:
        asked.extend([command] if command.startswith("r\nu\n") else [])  # reflection, of an unknown name
        return send(command, *arguments, **more)

    monkeypatch.setattr(client, "send_command", counted)
    assert str(spark._jvm.org.apache.hadoop.fs.Path("/a//b").toString()) == "/a/b"
    assert spark.range(3).where(F.col("id") > F.lit(1)).count() == 1
    assert asked == []
    assert spark._jvm.org.apache.hadoop.fs.FileUtil is not None
    assert len(asked) == 1, "what isn't known yet is asked for"
