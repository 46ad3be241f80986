"""Given windows that run under a real Airflow, when a part of it dies, then each is loaded once, and no process stays.

Nobody hears of these runs either: those who are to be told, of lineage and of messages, are dead or very slow.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.faults.scene import undisturbed
from tests.faults.standing import Standing, deaf, shoot, standing

pytestmark = [pytest.mark.prove, pytest.mark.e2e, pytest.mark.airflow, pytest.mark.spark, pytest.mark.timeout(1800)]
DAYS = 2
NOTIFY = """
notify:
  - {type: webhook, connection: ops, on: [success]}
  - {type: webhook, connection: gone, on: [success]}
"""


@pytest.fixture(scope="module")
def silent() -> Iterator[int]:
    """A port at which somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, silent: int) -> Iterator[Standing]:
    told = {"AIRFLOW_CONN_OPS": f"http://127.0.0.1:{silent}", "AIRFLOW_CONN_GONE": "http://127.0.0.1:9"}
    with standing(tmp_path_factory.mktemp("standing"), told | deaf()) as made:
        yield made


def begin(airflow: Standing, name: str) -> None:
    """Order a backfill, and wait until a driver is at work."""
    airflow.write(name, NOTIFY)
    airflow.backfill(name, DAYS)
    airflow.until(airflow.java, "a driver is at work")


def ended_well(airflow: Standing, name: str) -> list[int]:
    """Wait until all windows are loaded, and look at what must hold; how often each was tried."""
    airflow.until(lambda: airflow.loaded(name, DAYS), f"{name} is loaded")
    assert airflow.tables(name) == undisturbed(*range(1, DAYS + 1))
    airflow.until(lambda: not airflow.java(), "no driver stays", 60)
    return sorted(tries for _, tries in airflow.states(name))


def test_f42_runs_nobody_can_be_told_of_succeed(airflow: Standing) -> None:
    begin(airflow, "deaf")
    assert ended_well(airflow, "deaf") == [1] * DAYS
    said = airflow.log("deaf")
    assert said.count("wasn't delivered") == 2 * DAYS
    assert said.count("Failed to emit OpenLineage event") or "OpenLineage" in said


def test_f05_a_worker_that_is_killed_takes_its_spark_along_and_the_next_try_loads_once(airflow: Standing) -> None:
    begin(airflow, "worker")
    drivers = airflow.java()
    assert shoot(airflow.workers())
    airflow.until(lambda: not [driver for driver in drivers if driver.is_running()], "Spark ends with its worker", 30)
    tries = ended_well(airflow, "worker")
    assert tries[-1] > 1


def test_f10_a_scheduler_that_is_killed_loses_no_run_and_doubles_none(airflow: Standing) -> None:
    """Its own process alone: its workers are nobody's then."""
    begin(airflow, "scheduler")
    assert airflow.kill("scheduler")
    ended_well(airflow, "scheduler")


def test_f12_a_metadata_database_that_is_gone_for_a_minute_costs_no_window(airflow: Standing) -> None:
    begin(airflow, "database")
    airflow.database.kill()
    time.sleep(60)
    airflow.database.start()
    ended_well(airflow, "database")
