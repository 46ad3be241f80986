"""The demo: seven days of real flights through a real Airflow, backfilled, backfilled again, and proven identical."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from rich.console import Console

from demo import aside, proof, summary
from demo.airflow_home import AirflowHome, AirflowHomeError
from demo.backfills import PIPELINES, Backfills, Found
from demo.prepare import prepare
from demo.runs import DemoError
from demo.standalone import Standalone, StandaloneError

ROOT: Final = Path(__file__).resolve().parent.parent
HOME: Final = ROOT / ".airflow"
DATA: Final = ROOT / "data"
LAKE: Final = DATA / "lake"
CLUSTER: Final = DATA / "spark-cluster"
SETTINGS: Final = {
    # 80 small tasks on two cores: each in a Spark of its own, as in `local`, they take 12 minutes.
    "AIRFLOW__ETL__ENVIRONMENT": "demo",
    # Two cores are for Spark: what doesn't change isn't parsed again, what waits is looked at often.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "600",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
}


class Demo:
    """The demo's phases, in order.

    Args:
        home: an Airflow that isn't running yet.
        console: where everything is printed.
        days: of flights that are loaded.
    """

    def __init__(self, home: AirflowHome, console: Console, *, days: int) -> None:
        self.home, self.console = home, console
        self.backfills = Backfills(home, console, days)
        self.seconds: dict[str, float] = {}

    def play(self) -> None:
        """Everything, from raw files to the summary.

        Raises:
            DemoError: something isn't as promised.
        """
        self.lay_out()
        self.start()
        with self._timed("first backfill"):
            first = self.backfills.first()
        before = proof.Picture.take(LAKE / "flights", "flight_date")
        attempts = self.backfills.runs.attempts(first["flights"])
        cleared = self.backfills.runs.last_reports(first["flights"])  # the second backfill's take their place
        with self._timed("second backfill"):
            second = self.backfills.again(first)
        after = self.prove(before, attempts, second)
        self.tell(second, cleared, after)

    def lay_out(self) -> None:
        """Remove what an earlier demo left, and lay out the raw data."""
        with self._timed("data"):
            clear()
            written = prepare(DATA / "raw")
        days = len(list((DATA / "raw" / "flights").iterdir()))
        self.console.print(
            f"{DATA / 'raw'}: {days} daily drops of flights as a supplier sends them, {written} files new"
        )

    def start(self) -> None:
        """Start Airflow and switch the pipelines on."""
        with self._timed("start of Airflow"):
            self.console.print("Starting an Airflow of its own: api-server, scheduler, dag-processor …")
            self.home.migrate()
            self.home.start()
            self.backfills.switch_on()
        self.console.print(f"Airflow is up at {self.home.url} after {self.seconds['start of Airflow']:.0f} s")

    def prove(self, before: proof.Picture, attempts: proof.Attempts, second: Found) -> proof.Picture:
        """Hold the second backfill against the first.

        Returns:
            The table as it is now.

        Raises:
            DemoError: a task didn't run again, or a row has changed.
        """
        with self._timed("proof"):
            again = self.backfills.runs.attempts(second["flights"])
            proof.demand_rerun(attempts, again)
            after = proof.Picture.take(LAKE / "flights", "flight_date")
            proof.demand_identical(before, after, commits=self.backfills.days)
            proof.demand_consistent(LAKE)
        summary.proven(self.console, len(again), before, after)
        return after

    def tell(self, found: Found, cleared: list[dict[str, Any]], after: proof.Picture) -> None:
        """Print the summary of all runs, and what Spark took for these and for those that were cleared."""
        reports = [report for dag in PIPELINES for report in self.backfills.runs.last_reports(found[dag])]
        summary.windows(self.console, reports)
        files = [ROOT / "dags" / "pipelines" / f"{dag}.yaml" for dag in PIPELINES]
        # Wherever they ran: what it advises works when a cluster of the demo's own is gone.
        aside.quarantine(self.console, files, SETTINGS["AIRFLOW__ETL__ENVIRONMENT"])
        summary.times(self.console, cleared + reports, self.seconds)
        summary.places(self.console, LAKE, after)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.seconds[phase] = time.monotonic() - begin


def clear() -> None:
    """Remove what an earlier demo left: its Airflow, its tables and what was staged."""
    shutil.rmtree(HOME, ignore_errors=True)
    for kind in ("lake", "staging", "quarantine"):
        for pipeline in PIPELINES:
            shutil.rmtree(DATA / kind / pipeline, ignore_errors=True)


def main() -> int:
    """Play the demo; 0 where everything is as promised, 1 where not, 130 where it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m demo.main", description="the demo")
    parser.add_argument("--engine", choices=("local", "local_connect", "standalone"), default="local")
    engine = parser.parse_args().engine
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 140)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    os.chdir(ROOT)
    try:
        if engine == "standalone":
            on_cluster(console)
        elif engine == "local_connect":  # each of its tasks starts a client: two days show what there is to see
            play(console, {**SETTINGS, "AIRFLOW__ETL__ENVIRONMENT": "local_connect"}, days=2)
        else:
            play(console, SETTINGS, days=7)
    except (DemoError, AirflowHomeError, StandaloneError) as error:
        console.print("\nThe demo failed:", style="bold red")
        console.print(str(error), highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130
    return 0


def play(console: Console, settings: Mapping[str, str], days: int) -> None:
    """Play the demo in an Airflow of these settings, which is stopped at the end."""
    home = AirflowHome(HOME, ROOT / "dags", settings, parallelism=2)
    try:
        Demo(home, console, days=days).play()
    finally:
        home.stop()


def on_cluster(console: Console) -> None:
    """Play it on a Spark cluster of its own; two days, since each task starts a Spark and its executors anew."""
    shutil.rmtree(CLUSTER, ignore_errors=True)
    with Standalone(CLUSTER) as cluster:
        console.print(f"A standalone Spark master and {cluster.workers} workers are up: {cluster.master}")
        connection = {"AIRFLOW_CONN_SPARK_STANDALONE": json.dumps(cluster.connection)}
        play(console, {**SETTINGS, "AIRFLOW__ETL__ENVIRONMENT": "standalone", **connection}, days=2)
        done = cluster.state["completedapps"]
        console.print(f"  the cluster ran {len(done)} applications; their logs: {CLUSTER}", highlight=False)


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """Treat a request to end as Ctrl-C: what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
