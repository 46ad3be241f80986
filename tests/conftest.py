"""What every test may ask for."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.embedded import JARS, Embedded, embedded
from tests.servers.mariadb import MariaDB, mariadb_server
from tests.servers.postgres import PostgreSQL, postgres_server
from tests.servers.s3 import Server as S3Server
from tests.servers.s3 import s3_server

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Take Ctrl-C where a shell that started us in the background has turned it off: commands under test inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Great Expectations reads it when it is imported: tests tell nobody that they run.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One real Spark session with Delta for the whole suite, configured as the product configures it."""
    from spark_jobs.session import jars, start

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # py4j says that it closes its connections when the interpreter ends: by then pytest has closed the stream.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    paths = [*jars(str(ROOT / "jars")), *map(str, sorted(JARS.glob("*.jar")))]
    conf = {"spark.driver.extraClassPath": ":".join(paths)}
    engine = {"master": "local[2]", "memory": "2g", "jars": str(ROOT / "jars"), "small": True, "conf": conf}
    session = start("tests", engine)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A real PostgreSQL for the whole suite."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A real MariaDB for the whole suite."""
    with mariadb_server() as server:
        yield server


@pytest.fixture(scope="session")
def derby(spark: SparkSession) -> Iterator[Embedded]:
    """A real Apache Derby for the whole suite, in Spark's own Java."""
    with embedded("derby", spark) as server:
        yield server


@pytest.fixture(scope="session")
def h2(spark: SparkSession) -> Iterator[Embedded]:
    """A real H2 for the whole suite, in Spark's own Java."""
    with embedded("h2", spark) as server:
        yield server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """A real S3 server with an empty bucket."""
    with s3_server() as server:
        yield server
