"""The benchmark of many pipelines at once: its loops are what it says, and each DAG runs once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.concurrency.__main__ import one_round, table
from benchmarks.concurrency.dags import CONTENDERS, FILES, OPERATORS, PLAIN, project

pytestmark = pytest.mark.airflow
_ALIKE = ("task_id", "retries", "retry_delay", "max_retry_delay", "retry_exponential_backoff", "outlets")


def stored(dags: Path) -> dict[str, Any]:
    """The DAGs of a project as Airflow stores them, without the place of their file."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = BundleDagBag(dag_folder=str(dags), bundle_path=dags, bundle_name="dags")
    assert not bag.import_errors, bag.import_errors
    told = {name: DagSerialization.to_dict(dag)["dag"] for name, dag in bag.dags.items()}
    return {name: {key: dag[key] for key in dag if not key.endswith("fileloc")} for name, dag in told.items()}


def test_the_loops_build_the_same_dags(tmp_path: Path) -> None:
    found = {name: stored(project(tmp_path / str(place), name, 3)) for place, name in enumerate(CONTENDERS)}
    assert set(found[FILES]) == {"p0000", "p0001", "p0002"}
    assert found[FILES] == found[OPERATORS]
    tasks = {name: found[name]["p0001"].pop("tasks") for name in (FILES, PLAIN)}
    assert found[FILES]["p0001"] == found[PLAIN]["p0001"]
    ours, plain = ({key: task["__var"].get(key) for key in _ALIKE} for (task,) in tasks.values())
    assert ours == plain


@pytest.mark.prove
@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_each_dag_runs_once(capsys: pytest.CaptureFixture[str]) -> None:
    """`one_round` ends where one didn't."""
    found = one_round([FILES, OPERATORS, PLAIN], 3, 2)
    told = {row["contender"]: row for row in table([found], 3)}
    assert told[PLAIN]["ratio"] == 1.0
    assert told[PLAIN]["share"] == 0.0
    assert all(row["cpu"] > 0 and row["wall"] > 0 and row["queued"] >= 0 for row in told.values())
    assert capsys.readouterr().out.count("s of CPU") == 3
