"""One contender on an Airflow of its own: LocalExecutor, PostgreSQL; all its DAGs are turned on at one instant."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.concurrency.dags import SAYS, project
from demo.airflow_home import AirflowHome
from tests.faults.metadata import Metadata, metadata

ROOT: Final = Path(__file__).resolve().parents[2]
_ENDED: Final = ("success", "failed")
_PARSE: Final = 900.0  # seconds: 500 files and four processes, on cores that others may have
_EACH: Final = 20.0  # seconds of patience for each run, and a start


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What turning all on took.

    Args:
        known: seconds from the start of Airflow until all DAGs were known.
        wall: seconds from turning them on until the last run had ended.
        cpu: seconds of CPU meanwhile, of scheduler, tasks, API server, dag-processor and database together.
        queued: seconds from turning them on until a run's task was queued, on the mean.
        task: seconds of a task from its start to its end, on the mean.
        faults: what wasn't as it must be; empty where each ran once.
    """

    known: float
    wall: float
    cpu: float
    queued: float
    task: float
    faults: tuple[str, ...]


def measured(folder: Path, contender: str, count: int, parallelism: int) -> Outcome:
    """Let all DAGs of a contender run once.

    Args:
        folder: of its own.
        contender: a key of `dags.CONTENDERS`.
        count: how many DAGs.
        parallelism: tasks that may run at once.
    """
    dags = project(folder / "project", contender, count)
    with metadata() as database:
        told = {
            **database.settings,
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": str(int(_PARSE)),
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(int(_PARSE)),
        }
        home = AirflowHome(folder / "home", dags, told, parallelism=parallelism)
        home.migrate()
        begun = time.monotonic()
        home.start(_PARSE)
        try:
            home.wait(lambda: _total(home, "dags") == count, _PARSE, f"all {count} DAGs are known")
            known = time.monotonic() - begun
            return _all_on(home, database, count, known)
        finally:
            home.stop()


def _all_on(home: AirflowHome, database: Metadata, count: int, known: float) -> Outcome:
    before, begun, instant = _spent(home, database), time.monotonic(), time.time()
    home.wait(lambda: _asked(home, "PATCH", "dags?dag_id_pattern=%25", {"is_paused": False}), _PARSE, "all are on")
    patience = 120.0 + _EACH * count
    home.wait(lambda: _total(home, "dags/~/dagRuns", _ENDED) >= count, patience, "all have run", every=1.0)
    wall, cpu = time.monotonic() - begun, _spent(home, database) - before
    tasks = _rows(database, _TASKS)
    faults = tuple(_faults(home, database, tasks, count))
    if faults:  # then its times say nothing, and may not even be there
        return Outcome(known=known, wall=wall, cpu=cpu, queued=0.0, task=0.0, faults=faults)
    ended = max(row[5] for row in tasks)
    return Outcome(
        known=known,
        wall=min(wall, ended - instant),  # asked once a second; the database knows the instant
        cpu=cpu,
        queued=sum(row[3] for row in tasks) / len(tasks) - instant,
        task=sum(row[5] - row[4] for row in tasks) / len(tasks),
        faults=(),
    )


_TASKS: Final = """
    select dag_id, state, try_number, extract(epoch from queued_dttm)::float8,
           extract(epoch from start_date)::float8, extract(epoch from end_date)::float8 from task_instance
"""
_RUNS: Final = "select dag_id, state from dag_run"


def _faults(home: AirflowHome, database: Metadata, tasks: list[Any], count: int) -> list[str]:
    """What must not be: a DAG without a run or with two, another end, a second try, words said twice or not at all."""
    runs = _rows(database, _RUNS)
    wanted = {f"p{number:04}": 1 for number in range(count)}
    said = Counter[str]()
    for log in (home.folder / "logs").glob("dag_id=*/**/*.log"):
        name = log.relative_to(home.folder / "logs").parts[0].removeprefix("dag_id=")
        said[name] += log.read_text(errors="replace").count(SAYS)
    found = {
        "runs of a DAG": Counter(row[0] for row in runs),
        "tasks of a DAG": Counter(row[0] for row in tasks),
        "times that a task said it": said,
    }
    faults = [f"{what}: {_other(counts, wanted)}" for what, counts in found.items() if counts != wanted]
    ends = {f"{row[0]} {row[1]}, try {row[2]}" for row in tasks if (row[1], row[2]) != ("skipped", 1)}
    return [*faults, *sorted(ends), *sorted(f"run of {name} {state}" for name, state in runs if state != "success")]


def _other(counts: Counter[str], wanted: dict[str, int]) -> str:
    wrong = {name: counts[name] for name in sorted({*counts, *wanted}) if counts[name] != wanted.get(name, 0)}
    return f"{len(wrong)} are wrong, such as {dict(list(wrong.items())[:3])}"


def _rows(database: Metadata, query: str) -> list[Any]:
    import psycopg

    address = database.settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        return connection.execute(query).fetchall()


def _total(home: AirflowHome, what: str, states: tuple[str, ...] = ()) -> int:
    asked = "&".join(["limit=1", *(f"state={state}" for state in states)])
    return int(_asked(home, "GET", f"{what}?{asked}").get("total_entries", 0))


def _asked(home: AirflowHome, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """The API's answer; an empty one where it was too busy to give any, which is asked again."""
    try:
        return dict(home.api(method, f"/api/v2/{path}", body))
    except OSError:  # no answer in time, or none yet
        return {}


def _spent(home: AirflowHome, database: Metadata) -> float:
    """Seconds of CPU of all processes so far: of those that have ended too, which their parents have counted."""
    import psutil

    tops = [*home.processes, *database.processes]
    family = [each for top in tops for each in (top, *top.children(recursive=True))]
    total = 0.0
    for process in family:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
