"""What an error means where Java itself is gone, or says its cause only in its stack."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from spark_jobs import gateway
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError, ResourceError
from spark_jobs.failures import classify, of_java

LOST = ConnectionRefusedError(111, "Connection refused")


class Told(Exception):  # noqa: N818 - as PySpark's are: the causes aren't in the text
    _stackTrace = """org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed while writing rows
	at x.Y
Caused by: java.io.IOException: No space left on device
	at java.io.FileOutputStream.writeBytes"""  # noqa: N815 - PySpark's name


@pytest.mark.parametrize(
    ("end", "kind", "told"),
    [
        ("os.kill(os.getpid(), 9)", ResourceError, r"^load.lake: Java was killed \(exit code -9\).*`memory`.*fewer"),
        ("sys.exit(52)", ResourceError, "Java ran out of memory and ended; raise the engine's `memory`"),
        ("sys.exit(7)", InfrastructureError, "Java ended with exit code 7"),
    ],
)
def test_an_error_that_comes_of_java_s_end_says_how_it_ended(
    end: str, kind: type[Exception], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = subprocess.Popen([sys.executable, "-c", f"import os, sys; {end}"])
    process.wait()
    monkeypatch.setattr(gateway, "_held", [process])
    error = of_java(LOST, "load.lake")
    assert type(error) is kind
    with pytest.raises(kind, match=told):
        raise error
    assert of_java(ValueError("x")) is None, "no matter of the way to Java"


def test_where_java_runs_on_a_broken_way_is_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(gateway, "_held", [process])
        assert of_java(LOST) is None
    assert of_java(ResourceError("known")) is None


def test_nobody_waits_for_the_end_of_a_java_that_says_itself_whom_it_cannot_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(gateway, "_held", [process])
        begin = time.monotonic()
        assert of_java(Told("Connection to db:5432 refused: Connection refused")) is None
        assert time.monotonic() - begin < 2


def test_a_full_disk_is_known_by_the_cause_alone() -> None:
    error = classify(Told("[TASK_WRITE_FAILED] Task failed while writing rows"), "load.lake")
    assert isinstance(error, ResourceError)
    assert str(error).startswith("load.lake: No space left on device; free disk space")


@pytest.mark.parametrize(
    ("cause", "kind", "told"),
    [
        ("Connection to 127.0.0.1:9 refused. Check that the hostname", InfrastructureError, "can't be reached: Connec"),
        ('FATAL: password authentication failed for user "etl"', ConfigError, "FATAL: password authentication failed"),
    ],
)
def test_a_catalog_that_cannot_connect_is_known_by_its_database_s_own_words(
    cause: str, kind: type[EtlError], told: str
) -> None:
    said = "org.apache.iceberg.jdbc.UncheckedSQLException: Failed to connect: jdbc:postgresql://127.0.0.1:9/books"
    found = classify(RuntimeError(f"{said}\n\tat x.Y\nCaused by: org.postgresql.util.PSQLException: {cause}"))
    assert type(found) is kind
    assert told in str(found)
