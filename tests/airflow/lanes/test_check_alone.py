"""Given a check alone, when its DAG is parsed, then what is wrong with it is told in a pipeline file's words."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError

pytestmark = pytest.mark.airflow
ORDERS = {"table": {"path": "data/lake/orders"}}
NOT_NULL = [{"not_null": ["id"]}]
WINDOW = "{{ data_interval_start }}/{{ data_interval_end }}"


def check(project: Path, **arguments: Any) -> Any:
    """The operator, in a DAG of the project."""
    from datetime import UTC, datetime

    from airflow_provider_etl import CheckOperator
    from airflow_provider_etl.compat import DAG

    dag = DAG("audit", schedule=None, start_date=datetime(2013, 1, 1, tzinfo=UTC))
    dag.fileloc = str(project / "dags/audit.py")
    return CheckOperator(task_id="orders", dag=dag, **({"source": ORDERS, "checks": NOT_NULL} | arguments))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"source": {"tabel": {"path": "data/x"}}}, r"source\.tabel: unknown source 'tabel'.*'table'"),
        ({"source": {"table": {"path": "data/x", "as_off": "1"}}}, r"source\.table\.as_off: unknown key .*'as_of'"),
        ({"source": {"table": {"path": "/etc"}}}, r"source\.table\.path: '/etc' leads to /etc, outside the roots"),
        ({"checks": [{"not_nul": ["id"]}]}, r"checks\[0\]\.not_nul: unknown check 'not_nul'.*'not_null'"),
        ({"checks": [{"not_null": ["id"], "row_count": {}}]}, r"checks\[0\]: one key is wanted here"),
        ({"checks": [{"expect_column_values_to_be_nul": {"column": "id"}}]}, r"did you mean"),
        (
            {"checks": [{"not_null": {"columns": ["id"], "on_fail": "quarantine"}}]},
            r"on_fail: on_fail is quarantine: rows are set aside only where others are loaded.*stop or warn",
        ),
        (
            {"source": {"table": {"path": "data/lake/orders", "bad_records": "quarantine"}}},
            r"bad_records is quarantine: .*say bad_records: fail",
        ),
        (
            {"source": {"files": {"path": "data/x.csv", "format": "csv", "mostly": 0.9}}},
            r"source\.files\.mostly: mostly is 0\.9: rows are set aside only where .*say bad_records: fail",
        ),
        (
            {"source": {"table": {"path": "data/lake/orders", "window": {"column": "at"}}}},
            r"it reads a window, and the check has none.*window=",
        ),
        ({"source": {"files": {"path": "data/${window.key}.csv", "format": "csv"}}}, r"it reads a window"),
        ({"source": {"table": {"path": "data/lake/orders", "changes": True}}}, r"no load has read before"),
        ({"engine": "cluster"}, r"environment local has no engine 'cluster'"),
        ({"timezone": "Mars/Base"}, r"timezone: .*Mars/Base"),
        ({"checks": None}, r"orders: it has neither a pipeline nor a source with checks, or parts of both"),
        ({"pipeline": "pipelines/daily.yaml"}, r"or parts of both"),
        ({"datasets": {"source": ORDERS}}, r"datasets\.source: 'source' is what is checked.*another name"),
        ({"datasets": {"result": ORDERS}}, r"datasets\.result: 'result' is what is checked"),
        ({"datasets": ["shops"]}, r"datasets: a list stands where a mapping of datasets is wanted"),
        ({"checks": [{"anomaly": {}}]}, r"anomaly: it is compared with earlier loads, and here nothing is loaded"),
        (
            {"checks": [{"row_count": {"last": 7, "tolerance": "10%"}}]},
            r"row_count\.last: it is compared with earlier loads.*give bounds",
        ),
        ({"checks": []}, r"checks: there are no checks.*give at least one check"),
        ({"checks": [{"suite": "suites/none.json"}]}, r"checks\[0\]\.suite: there is no file .*none\.json"),
        ({"checks": [{"references": {"column": "c", "dataset": "shops", "key": "id"}}]}, r"'shops' is no source"),
    ],
)
def test_what_is_wrong_is_told_when_the_dag_is_parsed(project: Path, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(project, **arguments)
    assert re.search(told, str(caught.value)), str(caught.value)


def test_all_errors_are_told_at_once(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"the check has errors \(2\)"):
        check(project, checks=[{"not_nul": ["id"]}, {"row_count": {"mim": 1}}])


def test_the_plan_extracts_and_checks_and_loads_nothing(project: Path) -> None:
    from airflow_provider_etl.operators.answers import plan_of

    source = {"table": {"path": "data/lake/orders", "window": {"column": "at"}}}
    shops = {"shops": {"files": {"path": "data/shops.csv", "format": "csv"}}}
    looked_up = {"references": {"column": "shop", "dataset": "shops", "key": "id"}}
    made = check(project, source=source, datasets=shops, checks=[*NOT_NULL, looked_up], window=WINDOW)
    assert "window" in made.template_fields
    plan = plan_of(made.question(), "2013-01-01 05:00:00+00:00/2013-01-02 05:00:00+00:00", "a" * 64).to_json()
    assert plan["verbs"] == ["extract", "check"]
    assert (plan["load"], plan["transform"], list(plan["check"])) == ({}, {}, ["source"])
    assert plan["window"]["start"] == "2013-01-01T05:00:00Z"
    assert plan["extract"]["source"] == {
        "type": "table",
        "path": str(project / "data/lake/orders"),
        "window": {"column": "at"},
        "bad_records": "fail",
    }
    assert plan["extract"]["shops"]["window"] == "all"
    with pytest.raises(ConfigError, match="window is '2013-01-01'; expected START/END"):
        plan_of(made.question(), "2013-01-01", "a" * 64)


def test_the_dag_can_be_stored(project: Path) -> None:
    from tests.airflow.lanes.versions import to_json

    assert to_json(check(project).dag)


def test_a_suite_stands_for_its_expectations(project: Path) -> None:
    suite = project / "dags/suites/orders.json"
    suite.parent.mkdir()
    expected = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}
    suite.write_text(json.dumps({"name": "orders", "expectations": [expected]}))
    [(name, kind)] = check(project, checks=[{"suite": "suites/orders.json"}]).question().check["source"]
    assert (name, kind.columns) == ("not_null", ("id",))
    suite.write_text(json.dumps({"name": "orders", "expectations": []}))
    with pytest.raises(ConfigError, match="give at least one check"):
        check(project, checks=[{"suite": "suites/orders.json"}])
    shutil.rmtree(suite.parent)
