"""What every test may ask for."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.embedded import JARS, Embedded, embedded
from tests.servers.iceberg import RestCatalog, rest_catalog
from tests.servers.mariadb import MariaDB, mariadb_server
from tests.servers.postgres import PostgreSQL, postgres_server
from tests.servers.s3 import Server as S3Server
from tests.servers.s3 import s3_server

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parent.parent
_LONGEST = "tests/testing/test_command.py"
_SHORT = "tests/spec/"
# One session lives for half an hour and thousands of queries: unlike a small window's it earns what it compiles.
_LONG_LIVED = "-XX:TieredStopAtLevel=4 -XX:ReservedCodeCacheSize=400m -XX:MetaspaceSize=300m -Xmn512m"


def pytest_configure() -> None:
    """Take Ctrl-C where a shell that started us in the background has turned it off: commands under test inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Great Expectations reads it when it is imported: tests tell nobody that they run.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    if find_spec("hypothesis"):  # other Airflows' environments are without
        from hypothesis import HealthCheck, settings

        # How long an example takes says how busy the machine is, not whether the code is right.
        settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.load_profile("suite")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """See that no module imports Airflow as it is collected: its home is set later, and hundreds of tests need that."""
    if "airflow" in sys.modules and report.nodeid.endswith(".py"):
        pytest.exit(f"{report.nodeid} imports Airflow: do it inside the tests", returncode=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin the longest file before many short ones: as the last it would keep one process busy, and the others not."""
    longest = [item for item in items if item.nodeid.startswith(_LONGEST)]
    others = [item for item in items if not item.nodeid.startswith(_LONGEST)]
    place = next((number for number, item in enumerate(others) if item.nodeid.startswith(_SHORT)), len(others))
    items[:] = [*others[:place], *longest, *others[place:]]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One real Spark session with Delta for the whole suite, configured as the product configures it."""
    from spark_jobs.session import jars, start

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # py4j says that it closes its connections when the interpreter ends: by then pytest has closed the stream.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    paths = [*jars(str(ROOT / "jars")), *map(str, sorted(JARS.glob("*.jar")))]
    conf = {"spark.driver.extraClassPath": ":".join(paths), "spark.driver.extraJavaOptions": _LONG_LIVED}
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


@pytest.fixture(scope="module")
def iceberg_server() -> Iterator[RestCatalog]:
    """A real REST catalog of Iceberg tables, without a table."""
    with rest_catalog() as server:
        yield server
