"""A task that checks links to the page about its checks, a failed one too; an event says what the checks found."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.airflow.lanes.versions import AIRFLOW_3, to_json

pytestmark = pytest.mark.airflow

DOCS = {"state": "written", "pages": {"result": "/docs/t1/2013-01-01/result.html"}, "message": ""}
PIPELINE: Any = SimpleNamespace(id="t1", data_docs=SimpleNamespace(link="https://docs.example.com/checks/"))


def report(key: str, state: str = "running", **more: Any) -> dict[str, Any]:
    return {"window": {"key": key}, "state": state, "data_docs": DOCS, **more}


def test_the_link_is_of_the_window_that_failed_else_of_the_first() -> None:
    from airflow_provider_etl.operators.data_docs import address_of

    good, bad = report("2013-01-01"), report("2013-01-02", "failed")
    assert address_of(PIPELINE, [good, bad]) == "https://docs.example.com/checks/t1/2013-01-02/result.html"
    assert address_of(PIPELINE, [good]) == "https://docs.example.com/checks/t1/2013-01-01/result.html"
    assert address_of(PIPELINE, [{"window": {"key": "k"}, "state": "skipped"}]) == ""
    assert address_of(PIPELINE, [report("k", data_docs=DOCS | {"state": "failed", "pages": {}})]) == ""
    for silent in (None, SimpleNamespace(link=None)):
        assert address_of(SimpleNamespace(id="t1", data_docs=silent), [good]) == ""  # type: ignore[arg-type]


def test_the_address_goes_by_xcom_since_a_failed_task_returns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.operators import data_docs, links

    kept: dict[str, str] = {}
    ti: Any = SimpleNamespace(xcom_push=lambda key, value: kept.update({key: value}))
    data_docs.note({"ti": ti}, PIPELINE, [report("2013-01-01", "failed")])
    # Airflow's table of XComs is a fake here.
    monkeypatch.setattr(links, "XCom", SimpleNamespace(get_value=lambda **asked: kept.get(asked["key"])))
    link = data_docs.DataDocsLink()
    assert (link.name, link.get_link(None, ti_key=ti)) == ("Data Docs", kept["data_docs"])
    kept.clear()
    assert link.get_link(None, ti_key=ti) == ""


def test_the_link_is_in_the_serialised_dag_and_known_to_the_provider() -> None:
    from airflow.providers_manager import ProvidersManager

    from airflow_provider_etl.compat import DAG
    from airflow_provider_etl.operators.check import CheckOperator
    from airflow_provider_etl.operators.pipeline import PipelineOperator

    with DAG("d", schedule=None) as dag:
        CheckOperator(task_id="check", pipeline="a.yaml", staged={})
        PipelineOperator(task_id="pipeline", pipeline={})
    text = json.dumps(to_json(dag))
    assert text.count("DataDocsLink") == 2
    assert "airflow_provider_etl.operators.data_docs.DataDocsLink" in ProvidersManager().extra_links_class_names
    if AIRFLOW_3:
        assert "_link_DataDocsLink" in text


def test_an_event_says_what_the_checks_found() -> None:
    from airflow_provider_etl.operators.events import extra_of

    receipt = {"state": "loaded", "rows_inserted": 3, "version": 1, "table": "t"}
    checks = [
        {"name": "not_null", "success": True, "on_fail": "stop"},
        {"name": "mean", "success": False, "on_fail": "warn"},
        {"name": "mean", "success": False, "on_fail": "warn"},
    ]
    window = {"start": "a", "end": "b", "timezone": "UTC"}
    told = {"pipeline": "p", "window": window, "state": "loaded", "fingerprint": "f", "loads": {"lake": receipt}}
    extra = extra_of("p.lake", [told | {"checks": checks}])
    assert extra["checks"] == {"passed": 1, "warned": 2, "failed": 0, "failing": ["mean"]}
    assert "checks" not in extra_of("p.lake", [told])
