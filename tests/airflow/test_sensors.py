"""What a pipeline waits for, as tasks of its DAG; and the sensors as a person writes them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, Project

pytestmark = pytest.mark.airflow

WAITING = (
    FLIGHTS
    + """
wait_for:
  - file: {path: "${env.raw}/flights/${window.key}.csv", every: 1s, timeout: 3s, task: drop}
  - pipeline: {name: carriers, every: 1s, timeout: 3s}
"""
)
CARRIERS = FLIGHTS.replace("${env.lake}/flights", "${env.lake}/carriers")


def bag_of(project: Project, file: str = "etl.py") -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=str(project.dags / file), bundle_path=project.dags, bundle_name="dags-folder")
    assert not bag.import_errors, bag.import_errors
    return bag


@pytest.mark.parametrize("execution", ["staged", "fused"])
def test_waits_are_tasks_before_the_first_one_and_beside_each_other(project: Project, execution: str) -> None:
    project.pipeline("flights", WAITING.replace("execution: staged", f"execution: {execution}"))
    project.pipeline("carriers", CARRIERS)
    dag = bag_of(project).dags["flights"]
    first = "extract" if execution == "staged" else "pipeline"
    assert dag.get_task(first).upstream_task_ids == {"wait_drop", "wait_2"}
    for task in ("wait_drop", "wait_2"):
        wait = dag.get_task(task)
        assert wait.upstream_task_ids == set()
        assert wait.execution_timeout is None, "the timeout of the pipeline's tasks isn't that of a wait"
        assert (wait.pipeline, wait.wait) == ("pipelines/flights.yaml", task.removeprefix("wait_"))
        assert wait.retries == 3


def test_a_wait_survives_serialisation_and_nothing_of_the_file_is_rendered_by_jinja(project: Project) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    project.pipeline("flights", WAITING)
    project.pipeline("carriers", CARRIERS)
    dag = bag_of(project).dags["flights"]
    data = DagSerialization.to_dict(dag)
    assert DagSerialization.to_dict(bag_of(project).dags["flights"]) == data
    DagSerialization.from_dict(data)
    wait = dag.get_task("wait_drop")
    assert wait.template_fields == ("environment",)
    assert wait.reschedule, "the scheduler must know that it may come back"


def test_an_import_by_hand_needs_no_pipeline_file() -> None:
    import airflow_provider_etl as etl

    sensor = etl.WaitForFileSensor(task_id="wait", path="/data/{{ ds }}.csv", stable=timedelta(minutes=2), timeout=60)
    assert sensor.template_fields == ("path", "success", "manifest", "connection")
    for name in ("File", "Http", "Pipeline", "S3", "Sql", "Table"):
        kind = getattr(etl, f"WaitFor{name}Sensor")
        assert set(kind.template_fields) <= set(kind.__init__.__annotations__), name
    with pytest.raises(ValueError, match="on_timeout is 'stop', expected fail or skip"):
        etl.WaitForFileSensor(task_id="wait", path="/x", on_timeout="stop")


@pytest.mark.parametrize(
    ("option", "variable", "mode"),
    [(None, None, "deferrable"), (None, "False", "reschedule"), (None, "True", "deferrable"), ("poke", "true", "poke")],
)
def test_where_a_wait_waits_is_the_deployments_choice(
    monkeypatch: pytest.MonkeyPatch, option: str | None, variable: str | None, mode: str
) -> None:
    from airflow_provider_etl.compat import default_wait_mode

    for name, value in (("ETL__WAIT_MODE", option), ("OPERATORS__DEFAULT_DEFERRABLE", variable)):
        if value is None:
            monkeypatch.delenv(f"AIRFLOW__{name}", raising=False)
        else:
            monkeypatch.setenv(f"AIRFLOW__{name}", value)
    assert default_wait_mode() == mode


def test_the_page_s_dag_loads(project: Project) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/waits.md").read_text(encoding="utf-8")
    project.write("dags/page.py", page.partition("```python\n")[2].partition("```")[0])
    dag = bag_of(project, "page.py").dags["by_hand"]
    assert {task.task_id for task in dag.tasks} == {"drop", "carriers", "closed"}
