"""Given a check that asks, when it fails, then nothing is published before a person has answered in Airflow."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from spark_jobs.errors import ConfigError
from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_operators import reports, run_dag, states

pytestmark = [pytest.mark.airflow, pytest.mark.spark]
ASKS = FLIGHTS.replace("${env.lake}/flights", "${env.lake}/asks").replace(
    "row_count: {min: 1}", "row_count: {min: 9, on_fail: ask, name: enough}"
)


TINY = """
from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_provider_etl import ApproveOperator

CHECK = {"name": "enough", "column": None, "dataset": "result", "success": False, "message": "m", "on_fail": "ask"}
REPORT = {
    "pipeline": "p", "window": {"start": "a", "end": "b", "key": "k"}, "datasets": {"result": {"rows": 3}},
    "checks": [CHECK], "approval": {"state": "asked", "checks": ["enough"], "by": None, "at": None},
}
DAILY = CronDataIntervalTimetable("@daily", timezone="America/New_York")

with DAG("NAME", schedule=DAILY, start_date=datetime(2013, 1, 1, 5, tzinfo=UTC), catchup=False):
    ApproveOperator(task_id="approve", staged=REPORT)
"""


@contextmanager
def answered(dag_id: str, option: str) -> Iterator[dict[str, Any]]:
    """Somebody who answers what a DAG asks while `dag.test()` sleeps and waits for that; gives the question."""
    seen: dict[str, Any] = {}

    awake = time.sleep

    def sleep(seconds: float) -> None:
        if sys._getframe(1).f_code.co_filename.endswith("sdk/definitions/dag.py") and not seen:
            _answer(dag_id, option, seen)
        else:
            awake(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", sleep)
        yield seen


def _answer(dag_id: str, option: str, seen: dict[str, Any]) -> None:
    """What the UI does with a click: the API's own function."""
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(HITLDetail, TaskInstance.run_id).join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        found, run_id = session.execute(query.where(TaskInstance.dag_id == dag_id)).one()
        seen |= {"subject": found.subject, "body": found.body}
        payload = UpdateHITLDetailPayload(chosen_options=[option], params_input={})
        ada: Any = SimpleNamespace(get_id=lambda: "7", get_name=lambda: "ada")
        update_hitl_detail(dag_id, run_id, "approve", payload, ada, session)


def test_the_answer_of_airflow_s_own_approval_decides(deployed: Project, capfd: pytest.CaptureFixture[str]) -> None:
    for option in ("Approve", "Reject"):
        name = f"tiny_{option.lower()}"
        deployed.write(f"dags/{name}.py", TINY.replace("NAME", name))
        with answered(name, option) as seen:
            run = run_dag(deployed, name, 1, file=f"{name}.py")
        (deployed.dags / f"{name}.py").unlink()
        assert seen["subject"] == "p a/b: publish although checks failed?"
        assert "3 rows are staged" in seen["body"]
        if option == "Approve":
            assert states(run) == {"approve": "success"}
            approval = reports(run)["approve"]["approval"]
            assert (approval["state"], approval["by"]) == ("approved", {"id": "7", "name": "ada"})
        else:
            assert states(run) == {"approve": "failed"}
    told = r"AirflowFailException: ada rejected it at .*: enough failed; nothing was published"
    assert re.search(told, capfd.readouterr().out)


@pytest.mark.parametrize("option", ["Approve", "Reject"])
def test_what_a_failed_check_asks_is_answered_before_anything_is_published(
    deployed: Project, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    name = f"asks_{option.lower()}"
    deployed.pipeline(name, ASKS.replace("lake}/asks", f"lake}}/{name}"))
    table = deployed.folder / f"data/lake/{name}"
    with answered(name, option) as seen:
        run = run_dag(deployed, name, 1)
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
    with pytest.raises(AirflowFailException, match=r"^form is wrong: nothing was published"):
        made.execute_complete({}, {"error": "form is wrong", "error_type": "validation"})


def test_an_answer_counts_for_the_rows_that_it_was_about_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.standard.operators.hitl import HITLOperator

    from airflow_provider_etl.compat import AirflowFailException
    from airflow_provider_etl.operators.approve import ApproveOperator

    monkeypatch.setattr(HITLOperator, "execute", lambda _, __: None)  # it would ask the supervisor to wait
    kept: dict[tuple[int, str], Any] = {}
    every = range(-1, 2)

    def of(index: int) -> dict[str, Any]:
        """What Airflow gives the task: without an index it pulls a list where several have asked."""

        def pull(*, key: str, map_indexes: int | None = None) -> Any:
            found = [kept[at, key] for at in (every if map_indexes is None else (map_indexes,)) if (at, key) in kept]
            return found if len(found) > 1 else json.loads(json.dumps(found[0] if found else None))

        def push(key: str, value: Any) -> None:
            kept[index, key] = value

        return {"ti": SimpleNamespace(map_index=index, xcom_push=push, xcom_pull=pull)}

    report: dict[str, Any] = {
        "pipeline": "p", "window": {"start": "a", "end": "b", "key": "k"}, "datasets": {}, "checks": [],
        "approval": {"state": "asked", "checks": ["enough"], "by": None, "at": None}, "attempt": {"token": "one"},
    }  # fmt: skip
    answer = {
        "chosen_options": ["Approve"], "params_input": {}, "responded_at": datetime.now(UTC), "responded_by_user": None,
    }  # fmt: skip
    for index in every:  # one that isn't mapped has -1
        made: Any = ApproveOperator(task_id="approve", staged=report | {"key": index})
        made.execute(of(index))
    for index in every:
        again: Any = ApproveOperator(task_id="approve", staged={"key": index, **dict(reversed(report.items()))})
        assert again.execute_complete(of(index), answer)["approval"]["state"] == "approved"
        again.staged = report | {"attempt": {"token": "two"}}
        with pytest.raises(AirflowFailException, match="was asked about was staged anew; clear approve, it asks again"):
            again.execute_complete(of(index), answer)
