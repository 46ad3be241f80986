"""Which windows a run loads, which attempt writes them, and what others learn of it; an engine that only takes notes
stands in for Spark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Handle, Job
from spark_jobs.ledger import attempt_number
from tests.airflow.project import FLIGHTS, Project

pytestmark = pytest.mark.airflow

FUSED = FLIGHTS.replace("execution: staged", "execution: fused")
LAKE = {
    "strategy": "replace_window",
    "state": "loaded",
    "table": "t",
    "rows_inserted": 3,
    "rows_deleted": 0,
    "version": 7,
}


class NotingEngine:
    """Notes the jobs and answers each with a report as `spark_jobs.run` would."""

    def __init__(self, load: dict[str, Any] | None = None, error: dict[str, str] | None = None) -> None:
        self.jobs: list[Job] = []
        self._load, self._error = load or LAKE, error

    def submit(self, job: Job) -> Handle:
        self.jobs.append(job)
        return Handle(token=job.token, id=str(len(self.jobs)))

    def output(self, _handle: Handle) -> Any:
        yield "[etl] 100 % done"

    def report(self, _handle: Handle) -> Any:
        reports = [self._report(plan) for plan in self.jobs[-1].plans]
        return reports[0] if isinstance(self.jobs[-1].plan, dict) else reports

    def _report(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        loads = dict.fromkeys(plan["load"], self._load) if "load" in plan["verbs"] else {}
        done = (plan["previous"] or {}).get("verbs", [])
        return {
            **{key: plan[key] for key in ("pipeline", "window", "fingerprint", "attempt")},
            "verbs": [*done, *plan["verbs"]],
            "state": "failed" if self._error else "loaded" if loads else "running",
            "loads": loads,
            "error": self._error,
        }

    def cancel(self, _handle: Handle) -> None:
        """There is nothing to end."""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> NotingEngine:
    """The engine of all operators of a test."""
    return use(monkeypatch, NotingEngine())


def use(monkeypatch: pytest.MonkeyPatch, engine: NotingEngine) -> NotingEngine:
    """Let the operators have this engine."""
    from airflow_provider_etl.operators import submitting

    monkeypatch.setattr(submitting, "engine_of", lambda *_: engine)
    return engine


def task_of(project: Project, text: str, task_id: str = "pipeline") -> Any:
    """A task of the DAG of a pipeline file."""
    from airflow.dag_processing.dagbag import BundleDagBag

    project.pipeline("flights", text)
    bag = BundleDagBag(dag_folder=str(project.dags / "etl.py"), bundle_path=project.dags, bundle_name="dags")
    assert not bag.import_errors
    return bag.dags["flights"].get_task(task_id)


def context_of(task: Any, day: int | None = 1, **more: Any) -> dict[str, Any]:
    """The context of a first try, for the window of a day of January 2013."""
    start = datetime(2013, 1, day, 5, tzinfo=UTC) if day else None
    ti = {"task": task, "try_number": 1, "max_tries": task.retries, "map_index": -1, "dag_id": task.dag_id}
    return {
        "run_id": "run_1",
        "params": {"window_start": None, "window_end": None},
        "data_interval_start": start,
        "data_interval_end": start + timedelta(days=1) if start else None,
        "triggering_asset_events": {},
        "outlet_events": Outlets(),
        "dag_run": SimpleNamespace(run_type="scheduled"),
        **more,
        "ti": SimpleNamespace(**(ti | more.get("ti", {}))),
    }


class Outlets(dict[Any, Any]):
    """As Airflow's: an accessor for whatever is asked for."""

    def __missing__(self, key: Any) -> Any:
        self[key] = SimpleNamespace(extra={})
        return self[key]


def events(*extras: dict[str, Any], asset: str = "flights.lake") -> dict[Any, list[Any]]:
    """As `triggering_asset_events`: asset -> its events."""
    listed = [
        SimpleNamespace(extra=extra, timestamp=datetime(2026, 1, 1, minute=place, tzinfo=UTC))
        for place, extra in enumerate(extras)
    ]
    return {Key(asset): listed}


class Key(SimpleNamespace):
    """An asset as a key."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)

    def __hash__(self) -> int:
        return hash(self.name)


def span(day: int) -> dict[str, str]:
    """The window of a day of January 2013 as JSON."""
    zone = "America/New_York"
    return {"start": f"2013-01-{day:02}T05:00:00Z", "end": f"2013-01-{day + 1:02}T05:00:00Z", "timezone": zone}


def keys(engine: NotingEngine) -> list[str]:
    """The keys of the windows that were submitted."""
    return [plan["window"]["key"] for job in engine.jobs for plan in job.plans]


def test_the_data_interval_is_the_window(project: Project, engine: NotingEngine) -> None:
    task = task_of(project, FUSED)
    report = task.execute(context_of(task, 2))
    assert keys(engine) == ["2013-01-02"]
    assert report["window"]["timezone"] == "America/New_York"


@pytest.mark.parametrize(
    "run",
    [
        {"data_interval_end": datetime(2013, 1, 8, 5, tzinfo=UTC)},
        {"triggering_asset_events": events({"window": span(1) | {"end": "2013-01-08T05:00:00Z"}})},
    ],
)
def test_a_window_of_another_schedule_is_refused_where_the_path_names_it(
    project: Project, engine: NotingEngine, run: dict[str, Any]
) -> None:
    """A week would read its first day's file, and replace the rows of seven days."""
    from airflow.sdk.exceptions import AirflowFailException

    task = task_of(project, FUSED)
    with pytest.raises(AirflowFailException, match="cuts no window 2013-01-01/2013-01-08"):
        task.execute(context_of(task, 1, **run))
    assert engine.jobs == []


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"window_start": "2013-01-03"}, "2013-01-03"),
        ({"window_start": "2013-01-03", "window_end": "2013-01-05"}, "2013-01-03"),
        ({"window_start": "2013-01-03T12:00:00", "window_end": "2013-01-03T13:00:00"}, "2013-01-03T1200"),
        ({"window_start": "2013-01-03T00:00:00-05:00", "window_end": "2013-01-04T05:00:00Z"}, "2013-01-03"),
    ],
)
def test_what_the_form_says_wins_over_the_interval(
    project: Project, engine: NotingEngine, params: dict[str, str], expected: str
) -> None:
    task = task_of(project, FUSED.replace("${window.start:%Y-%m-%d}.csv", "all.csv\n    window: {column: time_hour}"))
    task.execute(context_of(task, 1, params=params))
    assert keys(engine) == [expected]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"window_end": "2013-01-03"}, "window_start isn't"),
        ({"window_start": "yesterday"}, "'yesterday' is not"),
        ({"window_start": "2013-01-03", "window_end": "2013-01-02"}, "empty or inverted"),
        ({"window_start": "2013-01-03T12:00:00"}, "no window of the schedule starts"),
        ({"window_start": "2013-01-02", "window_end": "2013-01-04"}, "cuts no window 2013-01-02/2013-01-04"),
    ],
)
def test_a_window_that_is_none_fails_at_once(
    project: Project, engine: NotingEngine, params: dict[str, str], told: str
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task = task_of(project, FUSED)
    with pytest.raises(AirflowFailException, match=told):
        task.execute(context_of(task, 1, params=params))
    assert not engine.jobs


def test_events_give_one_load_per_distinct_window_in_order(project: Project, engine: NotingEngine) -> None:
    text = FUSED.replace('schedule: "@daily"', "schedule: {assets: [flights.lake]}")
    task = task_of(project, text.replace("start: 2013-01-01\n", "").replace("end: 2013-01-04\n", ""))
    told = events({"window": span(3)}, {"window": span(1)}, {"window": span(3)}, {"windows": [span(2), span(1)]})
    reports = task.execute(context_of(task, None, triggering_asset_events=told))
    assert keys(engine) == ["2013-01-01", "2013-01-02", "2013-01-03"]
    assert [report["window"]["key"] for report in reports] == keys(engine)
    assert len(engine.jobs) == 1, "one Spark for all of them"
    assert len({plan["attempt"]["token"] for plan in engine.jobs[0].plans}) == 3


def test_an_event_that_airflow_overlooked_is_loaded_too(project: Project, engine: NotingEngine) -> None:
    """It came after the event that asked for the run and before the run was there."""
    text = FUSED.replace('schedule: "@daily"', "schedule: {assets: [flights.lake]}")
    task = task_of(project, text.replace("start: 2013-01-01\n", "").replace("end: 2013-01-04\n", ""))
    asked, start = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)
    run = SimpleNamespace(run_type="asset_triggered", run_after=asked, start_date=start)
    [told] = events({"window": span(1)}).values()
    moments = (asked, asked + timedelta(minutes=30), start + timedelta(seconds=1))
    since = [SimpleNamespace(extra={"window": span(day)}, timestamp=when) for day, when in enumerate(moments, start=1)]
    more = {
        "dag_run": run,
        "inlets": task.inlets,
        "inlet_events": {task.inlets[0]: SimpleNamespace(after=lambda _: since)},
        "triggering_asset_events": {task.inlets[0]: told},
    }
    task.execute(context_of(task, None, **more))
    assert keys(engine) == ["2013-01-01", "2013-01-02"], "what came later starts a run of its own"
    task.execute(context_of(task, None, **more, ti={"try_number": 2, "max_tries": task.retries + 1}))
    assert keys(engine)[2:] == ["2013-01-01"], "cleared, a run does again what it was there for"


@pytest.mark.parametrize(
    "extra", [{}, {"window": None}, {"window": "2013-01-01"}, {"window": {"start": "x"}}, {"windows": [1]}]
)
def test_an_event_without_a_window_is_refused(project: Project, engine: NotingEngine, extra: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task = task_of(project, FUSED)
    told = events({"window": span(3)}, extra, asset="somebody_elses")
    with pytest.raises(AirflowFailException, match="an event of asset 'somebody_elses' names no window"):
        task.execute(context_of(task, None, triggering_asset_events=told))


def test_no_window_at_all_says_what_to_do(project: Project, engine: NotingEngine) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task = task_of(project, FUSED)
    same = datetime(2013, 1, 1, tzinfo=UTC)
    for none in ({}, {"data_interval_start": same, "data_interval_end": same}):
        with pytest.raises(AirflowFailException, match=r"window_start and window_end.*CronDataIntervalTimetable"):
            task.execute(context_of(task, None, **none))


def test_a_click_in_between_takes_the_window_that_has_closed(project: Project, engine: NotingEngine) -> None:
    """Airflow gives such a run the interval that ends at the click, which is no window of the schedule."""
    task = task_of(project, FUSED.replace('schedule: "@daily"', "schedule: {every: 15m}"))
    click = datetime(2013, 1, 2, 10, 22, 33, tzinfo=UTC)
    task.execute(context_of(task, None, data_interval_start=click - timedelta(minutes=15), data_interval_end=click))
    window = engine.jobs[0].plans[0]["window"]
    assert (window["start"], window["end"]) == ("2013-01-02T10:00:00Z", "2013-01-02T10:15:00Z")


def test_tokens_stay_over_retries_and_change_with_a_clear(project: Project, engine: NotingEngine) -> None:
    task = task_of(project, FUSED)

    def token(**ti: int) -> str:
        task.execute(context_of(task, 1, ti=ti))
        return engine.jobs[-1].token

    first = token(try_number=1, max_tries=3)
    assert token(try_number=2, max_tries=3) == first
    assert token(try_number=2, max_tries=4) != first, "a clear raises max_tries"
    assert token(try_number=1, max_tries=3, map_index=2) != first
    numbers = [job.plans[0]["attempt"]["number"] for job in engine.jobs]
    assert numbers == sorted(set(numbers)), "every try has a number of its own, larger than the one before"


def test_a_number_exceeds_what_the_ledger_holds_even_from_the_future(
    project: Project, engine: NotingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.operators import base

    future = attempt_number("abcdef", now=4_000_000_000)
    monkeypatch.setattr(base, "newest_attempt", lambda *_, **__: future)
    task = task_of(project, FUSED)
    task.execute(context_of(task))
    assert engine.jobs[0].plans[0]["attempt"]["number"] > future


def test_staged_verbs_go_on_with_what_the_verb_before_returned(project: Project, engine: NotingEngine) -> None:
    before: Any = None
    for verb in ("extract", "transform", "check", "load"):
        task = task_of(project, FLIGHTS, verb)
        if before is not None:
            task.staged = before
        before = task.execute(context_of(task, 1 if verb == "extract" else None))
    assert [job.plans[0]["verbs"] for job in engine.jobs] == [["extract"], ["transform"], ["check"], ["load"]]
    assert engine.jobs[1].plans[0]["previous"]["verbs"] == ["extract"]
    assert before["verbs"] == ["extract", "transform", "check", "load"]
    assert len({job.plans[0]["attempt"]["run"] for job in engine.jobs}) == 1
    numbers = [job.plans[0]["attempt"]["number"] for job in engine.jobs]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("staged", [None, "", [], "what", [{}], {}])
def test_nothing_staged_says_which_task_to_clear(project: Project, engine: NotingEngine, staged: Any) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task = task_of(project, FLIGHTS, "load")
    task.staged = staged
    with pytest.raises(AirflowFailException, match="clear that task too"):
        task.execute(context_of(task))


def test_a_file_changed_between_two_verbs_is_refused(project: Project, engine: NotingEngine) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    extract = task_of(project, FLIGHTS, "extract")
    before = extract.execute(context_of(extract))
    task = task_of(project, FLIGHTS.replace("dep_delay > 15", "dep_delay > 16"), "transform")
    task.staged = before
    with pytest.raises(AirflowFailException, match=r"was changed after .* clear the run from its extract task on"):
        task.execute(context_of(task))


def test_an_event_says_what_was_loaded(project: Project, engine: NotingEngine) -> None:
    task = task_of(project, FUSED)
    context = context_of(task)
    report = task.execute(context)
    [(asset, accessor)] = context["outlet_events"].items()
    assert asset.name == "flights.lake"
    assert accessor.extra == {
        "window": span(1),
        "rows": 3,
        "version": 7,
        "fingerprint": report["fingerprint"],
        "table": "t",
    }
    assert [outlet.name for outlet in task.outlets] == ["flights.lake"]


def test_a_commit_found_again_is_told_since_the_try_that_made_it_could_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, NotingEngine(load=LAKE | {"state": "already_done"}))
    task = task_of(project, FUSED)
    context = context_of(task)
    task.execute(context)
    [(asset, accessor)] = context["outlet_events"].items()
    assert (asset.name, accessor.extra["window"]) == ("flights.lake", span(1))


def test_no_event_where_the_table_did_not_change(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk import Asset

    use(monkeypatch, NotingEngine(load=LAKE | {"state": "superseded"}))
    task = task_of(project, FUSED)
    task.outlets = [*task.outlets, Asset(name="authors.own")]
    context = context_of(task)
    task.execute(context)
    assert [outlet.name for outlet in task.outlets] == ["authors.own"]
    assert not context["outlet_events"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("config", "AirflowFailException"),
        ("data", "AirflowFailException"),
        ("resource", "AirflowException"),
        ("infrastructure", "AirflowException"),
    ],
)
def test_only_what_a_retry_can_mend_is_retried(
    project: Project, monkeypatch: pytest.MonkeyPatch, kind: str, expected: str
) -> None:
    from airflow.sdk.exceptions import AirflowException

    use(monkeypatch, NotingEngine(error={"kind": kind, "message": "it broke", "where": "load.lake"}))
    task = task_of(project, FUSED)
    with pytest.raises(AirflowException) as caught:
        task.execute(context_of(task))
    assert type(caught.value).__name__ == expected
    assert str(caught.value) == "load.lake: it broke"
    assert caught.value.__suppress_context__, "the log ends with our line"


def test_a_window_held_with_this_configuration_is_done_on_a_first_try_only(
    project: Project, engine: NotingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(project, monkeypatch)
    task = task_of(project, FUSED)
    report = task.execute(context_of(task))
    assert report["state"] == "skipped"
    assert report["loads"]["lake"]["state"] == "already_done"
    assert not engine.jobs
    for again in ({"ti": {"try_number": 2, "max_tries": 4}}, {"dag_run": SimpleNamespace(run_type="asset_triggered")}):
        task.execute(context_of(task, **again))
    assert len(engine.jobs) == 2


def hold(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ledger say that it holds every window as it is configured now."""
    from airflow_provider_etl.hooks import ledger

    monkeypatch.setattr(ledger.LedgerHook, "holds", lambda *_: True)


def test_staged_tasks_pass_on_that_nothing_is_to_do_and_a_cleared_one_says_why_it_can_not(
    project: Project, engine: NotingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    hold(project, monkeypatch)
    extract = task_of(project, FLIGHTS, "extract")
    before = extract.execute(context_of(extract))
    task = task_of(project, FLIGHTS, "load")
    task.staged = before
    assert task.execute(context_of(task)) == before
    task = task_of(project, FLIGHTS, "load")
    task.staged = before
    with pytest.raises(AirflowFailException, match="clear the extract task too"):
        task.execute(context_of(task, ti={"try_number": 2, "max_tries": 4}))
    assert not engine.jobs


def test_a_pipeline_may_be_a_mapping_and_its_name_is_the_dag_s(project: Project, engine: NotingEngine) -> None:
    import yaml
    from airflow.sdk import DAG

    from airflow_provider_etl import PipelineOperator

    with DAG("by_hand", schedule=None) as dag:
        task = PipelineOperator(task_id="all", pipeline=yaml.safe_load(FUSED))
    dag.fileloc = str(project.dags / "by_hand.py")
    task.execute(context_of(task))
    assert engine.jobs[0].plans[0]["pipeline"] == "by_hand"
    assert engine.jobs[0].plans[0]["load"]["lake"]["path"] == str(project.lake)


def test_a_pipeline_file_is_searched_from_the_dag_s_file_upwards(project: Project, engine: NotingEngine) -> None:
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import AirflowFailException

    from airflow_provider_etl import PipelineOperator

    with DAG("by_hand", schedule=None) as dag:
        found = PipelineOperator(task_id="found", pipeline="dags/pipelines/flights.yaml")
        absent = PipelineOperator(task_id="absent", pipeline="dags/pipelines/nowhere.yaml")
    dag.fileloc = str(project.dags / "by_hand.py")
    found.execute(context_of(found))
    assert engine.jobs[0].plans[0]["pipeline"] == "flights"
    with pytest.raises(AirflowFailException, match=r"there is no pipeline file dags/pipelines/nowhere\.yaml"):
        absent.execute(context_of(absent))


def test_constructing_an_operator_reads_nothing() -> None:
    from airflow.sdk import DAG

    from airflow_provider_etl import LoadOperator

    with DAG("d", schedule=None):
        task = LoadOperator(task_id="load", pipeline="/nowhere/at/all.yaml", staged="{{ 1 }}", environment="prod")
    assert (task.pipeline, task.staged, task.environment) == ("/nowhere/at/all.yaml", "{{ 1 }}", "prod")
    assert set(task.template_fields) == {"staged", "environment"}


def test_a_kill_before_the_job_exists_is_not_lost(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use(monkeypatch, NotingEngine())
    ended: list[Handle] = []
    monkeypatch.setattr(engine, "cancel", ended.append)
    task = task_of(project, FUSED)
    task.on_kill()
    task.execute(context_of(task))
    assert len(ended) == 1


def test_the_ledger_is_read_without_spark(tmp_path: Path) -> None:
    """A table written as Delta's writers do: transaction and metadata in one commit."""
    import json

    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    from airflow_provider_etl.hooks.ledger import LedgerHook
    from spark_jobs.ledger import LoadUnit
    from spark_jobs.window import Window

    window = Window.from_json(span(1))
    print_, other = "ab" * 32, "cd" * 32
    unit = LoadUnit(pipeline="p", destination="lake", window=window)
    snapshot = LoadUnit(pipeline="p", destination="lake", window=window, snapshot=True)
    number = attempt_number(print_)
    path = str(tmp_path / "table")
    assert LedgerHook(path).number(unit) is None, "no table"
    for item in (unit, snapshot):
        entry = {"unit": item.key, "number": item.commit_number(number), "fingerprint": print_}
        properties = CommitProperties(
            app_transactions=[Transaction(item.key, item.commit_number(number))],
            custom_metadata={"userMetadata": json.dumps({"etl": entry})},
        )
        write_deltalake(path, pa.table({"a": [1]}), mode="append", commit_properties=properties)
    hook = LedgerHook(path)
    assert hook.number(unit) == number
    assert hook.last_attempt(unit) == number
    assert hook.last_attempt(snapshot) is not None
    assert hook.last_attempt(snapshot) >= number - (1000 << 20)
    for item in (unit, snapshot):
        assert hook.holds(item, print_)
        assert not hook.holds(item, other)
    elsewhere = LoadUnit(pipeline="p", destination="lake", window=Window.from_json(span(2)))
    assert not hook.holds(elsewhere, print_)
    older = LoadUnit(pipeline="p", destination="lake", window=Window.from_json(span(2)), snapshot=True)
    assert not hook.holds(older, print_), "one unit, but another window was loaded last"
