"""Given a check that asks, when it fails, then nothing is published before a person has answered in Airflow."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

import pytest

from spark_jobs.errors import ConfigError
from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_operators import reports, run_dag, states

pytestmark = [pytest.mark.airflow, pytest.mark.spark]
ASKS = FLIGHTS.replace("${env.lake}/flights", "${env.lake}/asks").replace(
    "row_count: {min: 1}", "row_count: {min: 9, on_fail: ask, name: enough}"
)


def answer(dag_id: str, option: str, seen: dict[str, Any]) -> None:
    """What the UI does with a click: the API's own function, as soon as somebody is asked; SEEN gets the question."""
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    class Ada:
        def get_id(self) -> str:
            return "7"

        def get_name(self) -> str:
            return "ada"

    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        with create_session() as session:
            query = select(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.task_id == "approve")
            waits = [ti for ti in session.scalars(query) if str(ti.state) == "awaiting_input" and ti.hitl_detail]
            if waits:
                found = waits[0]
                seen |= {"subject": found.hitl_detail.subject, "body": found.hitl_detail.body}
                payload = UpdateHITLDetailPayload(chosen_options=[option], params_input={})
                user: Any = Ada()
                update_hitl_detail(dag_id, found.run_id, "approve", payload, user, session)
                return
        time.sleep(0.5)


@pytest.mark.parametrize("option", ["Approve", "Reject"])
def test_what_a_failed_check_asks_is_answered_before_anything_is_published(
    deployed: Project, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    name = f"asks_{option.lower()}"
    deployed.pipeline(name, ASKS.replace("lake}/asks", f"lake}}/{name}"))
    table, seen = deployed.folder / f"data/lake/{name}", dict[str, Any]()
    asked = threading.Thread(target=answer, args=(name, option, seen), daemon=True)
    asked.start()
    run = run_dag(deployed, name, 1)
    asked.join()
    said, told = capfd.readouterr().out, reports(run)
    assert f"{name} 2013-01-01T05:00:00Z/2013-01-02T05:00:00Z: publish although checks failed?" == seen["subject"]
    assert re.search(r"3 rows are staged:\n\n- `enough` of `result`: 3 rows", seen["body"])
    assert told["check"]["approval"] == {"state": "asked", "checks": ["enough"], "by": None, "at": None}
    if option == "Approve":
        assert set(states(run).values()) == {"success"}
        approval = told["load"]["approval"]
        assert (approval["state"], approval["by"]) == ("approved", {"id": "7", "name": "ada"})
        assert approval["at"].startswith("20")
        assert table.exists()
        assert "[etl] approved by ada at" in said
    else:
        assert (states(run)["approve"], states(run)["load"]) == ("failed", "upstream_failed")
        assert re.search(r"AirflowFailException: ada rejected it at .*: enough failed; nothing was published", said)
        assert not table.exists()


def test_the_task_is_there_only_where_a_check_asks_and_waits_only_where_one_failed(deployed: Project) -> None:
    from airflow_provider_etl.factory.build import build
    from airflow_provider_etl.spec import load_file

    asks = load_file(deployed.pipeline("asking", ASKS)).pipeline
    plain = load_file(deployed.pipeline("plain", FLIGHTS)).pipeline
    assert asks is not None
    assert plain is not None
    dag = build(asks, source="pipelines/asking.yaml")
    approve: Any = dag.task_dict["approve"]
    assert (approve.upstream_task_ids, approve.downstream_task_ids) == ({"check"}, {"load"})
    assert approve.execution_timeout is None
    assert "approve" not in build(plain, source="pipelines/plain.yaml").task_dict
    report = {"window": {"start": "a", "end": "b", "key": "k"}, "checks": [], "approval": None}
    for staged in (report, [report, report]):
        approve.staged = staged
        assert approve.execute({}) is staged, "nobody is asked"
    for name in ("asking", "plain"):
        (deployed.dags / f"pipelines/{name}.yaml").unlink()


def test_an_airflow_without_such_tasks_says_so(deployed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.factory import build
    from airflow_provider_etl.spec import load_file

    monkeypatch.setattr(build, "CAN_ASK", False)
    file = deployed.pipeline("asking", ASKS)
    pipeline = load_file(file).pipeline
    file.unlink()
    assert pipeline is not None
    with pytest.raises(ConfigError, match=r"check: on_fail: ask needs Airflow 3\.1 or later"):
        build.build(pipeline, source="pipelines/asking.yaml")


def test_nobody_answers_in_time(deployed: Project) -> None:
    from airflow_provider_etl.compat import AirflowFailException
    from airflow_provider_etl.operators.approve import ApproveOperator

    made: Any = ApproveOperator(task_id="approve", staged={})
    with pytest.raises(AirflowFailException, match=r"nobody has answered within 6 days.*nothing was published"):
        made.execute_complete({}, {"error": "…", "error_type": "timeout"})
