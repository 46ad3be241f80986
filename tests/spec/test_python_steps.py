"""Python functions in a pipeline file: none runs that the deployment hasn't allowed."""

from __future__ import annotations

import json

import pytest

from spark_jobs.plan import Attempt, Plan
from tests.spec.conftest import PIPELINE, Project

OPTIONS = "{rate: 0.19, names: [a, b], deep: {x: null}, since: '2013-01-01'}"
STEP = f"- python: {{function: 'company.etl.orders:with_margin', options: {OPTIONS}}}"


def pipeline(step: str = STEP, more: str = "") -> str:
    return PIPELINE.replace("- filter: amount > 0", f"{step}{more}")


@pytest.fixture
def _allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_PYTHON", "company.etl")


@pytest.mark.parametrize("expressions", [True, False])
def test_without_leave_there_is_no_python_and_no_dag(project: Project, *, expressions: bool) -> None:
    (told,) = project.load(pipeline(), expressions=expressions).diagnostics
    assert (told.line, told.column, told.code) == (11, 24, "python-not-allowed")
    assert told.hint == "[etl] allowed_python: none"


@pytest.mark.usefixtures("_allowed")
def test_an_allowed_function_goes_with_its_options_and_the_leave_into_the_plan(project: Project) -> None:
    made = project.pipeline(pipeline())
    plan = made.plan(made.window_of("2013-01-01"), Attempt(number=1, token="t", run="r"))
    assert plan.allowed_python == ("company.etl",)
    ((_, step),) = Plan.from_json(json.loads(json.dumps(plan.to_json()))).transform["result"].steps
    assert step.options == {"rate": 0.19, "names": ["a", "b"], "deep": {"x": None}, "since": "2013-01-01"}


@pytest.mark.usefixtures("_allowed")
@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("os:system", "python-not-allowed"),
        ("company.etlx:run", "python-not-allowed"),
        ("company:run", "python-not-allowed"),
        ("company.etl.orders:a.b", "option-conflict"),
        ("company.etl.orders", "option-conflict"),
        ("company.etl.orders:", "option-conflict"),
        ("company.etl..orders:run", "option-conflict"),
        ("company.etl.órders:run", "option-conflict"),
    ],
)
def test_other_modules_and_what_is_no_function_are_told(project: Project, function: str, code: str) -> None:
    (told,) = project.told(pipeline(STEP.replace("company.etl.orders:with_margin", function)))
    assert f" {code} transform[1].python.function" in told


@pytest.mark.usefixtures("_allowed")
def test_the_columns_that_it_promises_are_followed(project: Project) -> None:
    promise = STEP.removesuffix("}") + ", columns: {id: int, margin: double}}"
    (told,) = project.told(pipeline(promise, "\n  - filter: margn > 0"))
    assert "unknown-column" in told
    (told,) = project.told(pipeline(promise.replace("double", "dobule")))
    assert "unknown-type" in told
    (told,) = project.told(pipeline(STEP.replace("rate:", "'ra te':")))
    assert "'ra te' can't be an argument's name" in told


@pytest.mark.usefixtures("_allowed")
@pytest.mark.parametrize("value", ["2013-01-01", "NO", "012", "1e3", "2013-01-01T10:00"])
def test_options_that_yaml_would_read_as_something_else_are_told_or_text(project: Project, value: str) -> None:
    loaded = project.load(pipeline(STEP.replace("rate: 0.19", f"rate: {value}")))
    if loaded.pipeline is not None:
        ((_, step),) = loaded.pipeline.transform["result"].steps
        json.dumps(step.options)


def checked(check: str) -> str:
    return PIPELINE.replace("- not_null: [id]", f"- {check}")


def test_functions_of_checks_need_leave_too(project: Project) -> None:
    (told,) = project.load(checked("python: {function: 'company.etl.checks:plausible'}")).diagnostics
    assert (told.code, told.key) == ("python-not-allowed", "check[0].python.function")


@pytest.mark.usefixtures("_allowed")
def test_a_check_that_gives_a_number_sets_no_row_aside(project: Project) -> None:
    text = "python: {function: 'company.etl.checks:gini', max: 1, on_fail: quarantine}"
    (told,) = project.told(checked(text))
    assert "option-conflict" in told
    assert "a number has no rows that fail" in told
    assert project.told(checked(text.replace("quarantine", "warn"))) == []
