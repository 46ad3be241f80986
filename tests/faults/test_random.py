"""Given backfills under a real Airflow, when any part dies at any moment, then tables end as if nothing had happened.

`ETL_FAULT_ROUNDS` says how many, `ETL_FAULT_SEED` where to begin: a round is drawn from its seed alone.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.faults.scene import undisturbed
from tests.faults.standing import Standing, standing

ROUNDS: Final = int(os.environ.get("ETL_FAULT_ROUNDS", "100"))
SEED: Final = int(os.environ.get("ETL_FAULT_SEED", "1"))
DAYS: Final = 3
KILLS: Final = 4
"""In a round."""
APART: Final = (1.0, 12.0)
"""Seconds between two kills."""

pytestmark = [pytest.mark.prove, pytest.mark.e2e, pytest.mark.airflow, pytest.mark.spark]
pytestmark.append(pytest.mark.timeout(900 * ROUNDS))


def test_any_part_may_die_at_any_moment(tmp_path: Path) -> None:
    with standing(tmp_path) as airflow:
        for seed in range(SEED, SEED + ROUNDS):
            told = [f"seed {seed}"]
            try:
                _round(airflow, seed, told)
            except BaseException as error:
                error.add_note(f"ETL_FAULT_SEED={seed} ETL_FAULT_ROUNDS=1 repeats it: {', '.join(told)}")
                raise
            print(", ".join(told), flush=True)  # noqa: T201 - figures of a run of hours


def _round(airflow: Standing, seed: int, told: list[str]) -> None:
    drawn, name, begin = random.Random(seed), f"round_{seed}", time.monotonic()  # noqa: S311 - to be repeated
    airflow.write(name)
    airflow.backfill(name, DAYS)
    for _ in range(KILLS):
        time.sleep(drawn.uniform(*APART))
        what = drawn.choice(sorted(PARTS))
        airflow.orphans.remember(airflow.home.processes)  # a scheduler ends for want of its database, too
        told.append(f"{time.monotonic() - begin:.0f} s {what}{'' if PARTS[what](airflow, drawn) else ' (none there)'}")
        assert_whole(airflow, name)
    airflow.until(lambda: airflow.loaded(name, DAYS), f"{name} is loaded", 800)
    told.append(f"loaded after {time.monotonic() - begin:.0f} s, tries {sorted(n for _, n in airflow.states(name))}")
    assert airflow.tables(name) == undisturbed(*range(1, DAYS + 1))
    airflow.until(lambda: not airflow.java(), "no driver stays", 60)
    airflow.project.folder.joinpath(f"dags/pipelines/{name}.yaml").unlink()


def assert_whole(airflow: Standing, name: str) -> None:
    """No reader ever sees half a window."""
    facts = airflow.tables(name)["facts"]
    assert facts == undisturbed(*{row["at"].day for row in facts})["facts"]


def _restart(component: str) -> Callable[[Standing, random.Random], bool]:
    def machine(airflow: Standing, _: random.Random) -> bool:
        airflow.home.restart(component)
        return True

    return machine


def _main(component: str) -> Callable[[Standing, random.Random], bool]:
    return lambda airflow, _: airflow.kill(component)


def _metadata(airflow: Standing, drawn: random.Random) -> bool:
    airflow.database.kill()
    time.sleep(drawn.uniform(0, 5))
    airflow.database.start()
    return True


def _one(found: Callable[[Standing], list[psutil.Process]]) -> Callable[[Standing, random.Random], bool]:
    def one(airflow: Standing, drawn: random.Random) -> bool:
        processes = found(airflow)
        return bool(processes) and airflow.orphans.kill(drawn.choice(processes))

    return one


PARTS: Final[dict[str, Callable[[Standing, random.Random], bool]]] = {
    "spark": _one(Standing.java),
    "worker": _one(Standing.workers),
    "scheduler": _main("scheduler"),
    "scheduler with all its workers": _restart("scheduler"),
    "triggerer": _restart("triggerer"),
    "metadata": _metadata,
}
