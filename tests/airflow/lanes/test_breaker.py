"""Given a Variable as the memory, when tasks of any DAG ask and tell, then they share one breaker, on every Airflow."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_etl.spec import load_mapping
from spark_jobs.errors import InfrastructureError
from spark_jobs.extract.breaker import Breaker

pytestmark = pytest.mark.airflow
GONE = "the database can't be reached: refused"
DOWN = {"state": "failed", "verbs": [], "error": {"kind": "infrastructure", "where": "extract.orders", "message": GONE}}
FAST = Breaker(failures=2, cool_down=timedelta(minutes=15))
GOOD = {"state": "running", "verbs": ["extract"]}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables in memory: what a task's supervisor answers is test_breaker.py's, one folder up."""
    kept: dict[str, str] = {}
    from airflow_provider_etl.breaker import memory

    monkeypatch.setattr(memory, "shared", kept.get)
    monkeypatch.setattr(memory, "share", lambda name, text, _about: kept.update({name: text}))
    return kept


def guard(clock: Clock, who: str, said: list[str] | None = None, **options: Any) -> Any:
    return of(clock, who, said, orders=("crm", dataclasses.replace(FAST, **options)))


def of(clock: Clock, who: str, said: list[str] | None = None, **sources: tuple[str, Breaker]) -> Any:
    from airflow_provider_etl.breaker.guard import Guard

    told: list[str] = [] if said is None else said
    return Guard(
        sources={name: {connection: options} for name, (connection, options) in sources.items()},
        who=who,
        say=told.append,
        clock=clock,
    )


def test_tasks_share_it_and_the_report_says_how_it_stands(variables: dict[str, str]) -> None:
    clock, said = Clock(), list[str]()
    for who, state in (("a", "closed"), ("b", "open")):
        made = guard(clock, who, said)
        made.admit()
        assert made.note(DOWN)["crm"]["state"] == state
    assert json.loads(variables["etl_breaker_crm"])["opened"] == "2026-01-01T00:00:00Z"
    with pytest.raises(
        InfrastructureError, match=r"extract\.orders: connection crm isn't asked: .*open, until .*00:15"
    ):
        guard(clock, "c").admit()
    clock.now += timedelta(minutes=15)
    guard(clock, "d", said).admit()
    with pytest.raises(InfrastructureError, match="half-open, and another task tries it"):
        guard(clock, "e").admit()
    assert guard(clock, "d", said).note(GOOD) == {"crm": {"state": "closed", "failures": 0, "until": None}}
    guard(clock, "f").admit()
    assert said == [
        "[etl] breaker crm: failure 1 of 2",
        "[etl] breaker crm: opened, nobody asks it until 2026-01-01T00:15:00Z",
        "[etl] breaker crm: half-open, this task tries whether it answers",
        "[etl] breaker crm: closed again",
    ]


def test_a_task_is_told_only_of_failures_that_count_for_it(variables: dict[str, str]) -> None:
    clock, said = Clock(), list[str]()
    hasty = dataclasses.replace(FAST, within=timedelta(seconds=30))
    for _ in range(2):
        shown = of(clock, "a", said, orders=("crm", hasty)).note(DOWN)
        clock.now += timedelta(minutes=1)
    assert shown["crm"] == {"state": "closed", "failures": 1, "until": None}
    assert said == ["[etl] breaker crm: failure 1 of 2"] * 2
    patient = dataclasses.replace(FAST, failures=3)
    assert of(clock, "b", orders=("crm", patient)).note(DOWN)["crm"]["state"] == "open", "three in ten minutes"


def test_skipping_says_that_the_window_is_not_loaded(variables: dict[str, str]) -> None:
    from airflow_provider_etl.compat import AirflowSkipException

    clock = Clock()
    for who in "ab":
        guard(clock, who).note(DOWN)
    with pytest.raises(AirflowSkipException, match="its window is not loaded: `airflow-etl backfill DAG --missing`"):
        guard(clock, "c", when_open="skip").admit()
    other = dataclasses.replace(guard(clock, "c", when_open="skip"), hint="nothing is checked")
    with pytest.raises(AirflowSkipException, match=r"Z; nothing is checked$"):
        other.admit()
    assert len(variables) == 1


@pytest.mark.parametrize(
    ("kind", "where", "message", "counts"),
    [
        ("infrastructure", "extract.orders", "the database can't be reached: refused", 1),
        ("infrastructure", "extract.orders.window", "the database can't be reached: refused", 1),
        ("infrastructure", "extract.orders", "whatever", 0),
        ("infrastructure", "transform.result", "the database can't be reached: reset", 1),
        ("infrastructure", "transform.result", "counts don't balance", 0),
        ("infrastructure", "extract.shops", "the database can't be reached: refused", 0),
        ("infrastructure", "load.mart", "the database can't be reached: refused", 0),
        ("infrastructure", "engine local", "Spark ended with exit code 1", 0),
        ("data", "extract.orders", "3 rows break the contract", 0),
        ("config", "extract.orders", "the database says: no such table", 0),
        ("resource", "extract.orders", "the database gave up", 0),
    ],
)
def test_only_a_source_that_does_not_answer_counts(
    variables: dict[str, str], kind: str, where: str, message: str, counts: int
) -> None:
    report = {"state": "failed", "verbs": [], "error": {"kind": kind, "where": where, "message": message}}
    assert guard(Clock(), "a").note(report)["crm"]["failures"] == counts


BUCKET = "the service of s3a://{}/orders/2013 doesn't answer"
SERVER = "the catalog's server doesn't answer: refused"


@pytest.mark.parametrize(
    ("where", "message", "silent"),
    [
        ("extract.drops", BUCKET.format("raw"), {"minio"}),
        ("transform.result", BUCKET.format("raw"), {"minio"}),
        ("extract.drops", BUCKET.format("raw-2"), set()),  # of AWS's own chain
        ("load.lake", BUCKET.format("raw"), set()),  # a destination there
        ("connection 'polaris'", SERVER, {"polaris"}),
        ("connection 'other'", SERVER, set()),
        ("extract.orders", GONE, {"crm"}),
        ("transform.result", GONE, {"crm"}),
        ("extract.drops", GONE, set()),
    ],
)
def test_stores_and_catalogs_count_by_their_own_names(
    variables: dict[str, str], where: str, message: str, silent: set[str]
) -> None:
    from airflow_provider_etl.breaker.guard import Guard

    made = Guard(
        sources={"orders": {"crm": FAST}, "drops": {"minio": FAST}, "books": {"polaris": FAST, "minio": FAST}},
        stores={"s3a://raw": "minio"},
        servers=frozenset({"polaris"}),
        who="a",
        say=print,
        clock=Clock(),
    )
    error = {"kind": "infrastructure", "where": where, "message": message}
    shown = made.note({"state": "failed", "verbs": [], "error": error})
    assert {name for name, item in shown.items() if item["failures"]} == silent


def test_a_memory_that_somebody_has_spoilt_counts_as_closed(variables: dict[str, str]) -> None:
    said: list[str] = []
    for text in ("[1]", "{", '{"failures": 3}'):
        variables["etl_breaker_crm"] = text
        guard(Clock(), "a", said).admit()
    assert len([line for line in said if "can't be read, so it counts as closed" in line]) == 3


def test_a_task_that_one_connection_refuses_tries_no_other(variables: dict[str, str]) -> None:
    clock = Clock()
    for connection in ("crm", "erp"):
        for who in "ab":
            of(clock, who, orders=(connection, FAST)).note(DOWN)
        clock.now += timedelta(minutes=10)
    before = dict(variables)
    with pytest.raises(InfrastructureError, match=r"extract\.shops: connection erp isn't asked"):
        of(clock, "c", orders=("crm", FAST), shops=("erp", FAST)).admit()
    assert variables == before
    slow = dataclasses.replace(FAST, cool_down=timedelta(hours=1))
    with pytest.raises(InfrastructureError, match=r"extract\.orders: .*until 2026-01-01T01:00:00Z"):
        of(clock, "c", orders=("crm", FAST), shops=("crm", slow)).admit()
    said: list[str] = []
    of(clock, "c", said, orders=("crm", FAST), shops=("crm", FAST)).admit()
    assert said == ["[etl] breaker crm: half-open, this task tries whether it answers"]


def test_a_memory_of_an_earlier_release_has_one_probe(variables: dict[str, str]) -> None:
    kept = {"failures": [], "opened": "2026-01-01T00:00:00Z", "probe": "a", "probed": "2026-01-01T00:15:00Z"}
    variables["etl_breaker_crm"] = json.dumps(kept)
    assert guard(Clock(), "a").note(GOOD)["crm"]["state"] == "closed"


@pytest.mark.parametrize(
    ("kind", "where", "state"),
    [
        ("data", "check", "closed"),
        ("infrastructure", "load.mart", "closed"),
        ("infrastructure", "transform.result", "half-open"),
    ],
)
def test_a_probe_that_fails_after_it_has_read_closes_it(
    variables: dict[str, str], kind: str, where: str, state: str
) -> None:
    clock = Clock()
    for who in "ab":
        guard(clock, who).note(DOWN)
    clock.now += timedelta(minutes=15)
    guard(clock, "c").admit()
    error = {"kind": kind, "where": where, "message": "an executor is lost"}
    assert guard(clock, "c").note({"state": "failed", "verbs": ["extract"], "error": error})["crm"]["state"] == state


def test_trouble_with_the_variable_fails_no_task(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.breaker import memory

    def broken(*_: str) -> str:
        raise RuntimeError("the API server is away")

    said: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(memory, "share", broken)
        assert guard(Clock(), "a", said).note(DOWN)["crm"]["failures"] == 1, "what it has counted, kept or not"
    assert "its Variable can't be written: the API server is away" in said[0]
    monkeypatch.setattr(memory, "shared", broken)
    guard(Clock(), "a", said).admit()
    assert "its Variable can't be read, so it counts as closed: the API server is away" in said[-1]


def test_a_time_without_a_zone_is_no_state(variables: dict[str, str]) -> None:
    kept = {"failures": [], "opened": "2026-01-01T00:00:00", "probe": "", "probed": None}
    variables["etl_breaker_crm"] = json.dumps(kept)
    guard(Clock(), "a").admit()


def test_a_source_s_own_options_win_and_change_no_fingerprint(project: Any) -> None:
    environment = project / "config/environments/breakers.yaml"
    environment.write_text(
        (project / "config/environments/local.yaml").read_text() + "breakers: {crm: {failures: 7}, erp: {}}\n"
    )
    from airflow_provider_etl.breaker.guard import guard_of
    from spark_jobs.plan import Attempt

    own = {"type": "jdbc", "connection": "crm", "table": "a", "window": "all", "breaker": {"when_open": "skip"}}
    told = {
        "a": own,
        "b": {"type": "jdbc", "connection": "crm", "table": "b", "window": "all"},
        "c": {"type": "jdbc", "connection": "other", "table": "c", "window": "all"},
    }
    transform = {name: {"from": name} for name in told}
    write = {"strategy": "snapshot"}
    load = {name: {"type": "delta", "path": f"data/{name}", "from": name, "write": write} for name in told}
    file = {"schedule": "manual", "extract": told, "transform": transform, "load": load}
    loaded = load_mapping(file, name="shop", environment=str(environment))
    assert loaded.pipeline is not None, loaded.errors
    plan = loaded.pipeline.plan(
        loaded.pipeline.window_of("2026-01-01/2026-01-02"), Attempt(number=1, token="t", run="r")
    )
    made = guard_of([plan], loaded.pipeline.environment.breakers, "me", print)
    assert made is not None
    assert {name: (c, o.failures, o.when_open) for name, of in made.sources.items() for c, o in of.items()} == {
        "a": ("crm", 5, "skip"),
        "b": ("crm", 7, "fail"),
    }
    without = file | {"extract": told | {"a": {key: item for key, item in own.items() if key != "breaker"}}}
    again = load_mapping(without, name="shop", environment=str(environment)).pipeline
    assert again is not None
    assert again.fingerprint == loaded.pipeline.fingerprint
    environment.unlink()


def test_every_kind_of_source_is_guarded_by_the_connections_that_it_is_reached_by(project: Any) -> None:
    environment = project / "config/environments/reached.yaml"
    more = """\
roots: [data, "s3a://raw", "s3a://free", "s3a://books"]
stores:
  s3a://raw: {connection: minio, endpoint: "http://127.0.0.1:9"}
  s3a://books: {connection: archive, endpoint: "http://127.0.0.1:9"}
catalogs:
  polaris: {type: rest, warehouse: air, connection: polaris}
  books: {type: jdbc, warehouse: "s3a://books/air", connection: mart}
breakers: {minio: {}, archive: {}, polaris: {}, mart: {}, crm: {}}
"""
    text = (project / "config/environments/local.yaml").read_text()
    environment.write_text("\n".join(line for line in text.splitlines() if not line.startswith("roots:")) + "\n" + more)
    from airflow_provider_etl.breaker.guard import guard_of
    from spark_jobs.plan import Attempt

    whole, columns = {"window": "all"}, {"a": {"type": "int"}}
    told = {
        "drops": {"type": "files", "path": "s3a://raw/${window.key}.csv", "format": "csv", "columns": columns},
        "lake": {"type": "table", "path": "s3a://raw/lake", **whole},
        "free": {"type": "table", "path": "s3a://free/lake", **whole},
        "disk": {"type": "table", "path": "data/lake", **whole},
        "orders": {"type": "jdbc", "connection": "crm", "table": "orders", **whole},
        "served": {"type": "iceberg", "catalog": "polaris", "table": "air.flights", **whole},
        "kept": {"type": "iceberg", "catalog": "books", "table": "air.flights", **whole},
    }  # fmt: skip
    write = {"strategy": "snapshot"}
    load = {name: {"type": "delta", "path": f"data/to/{name}", "from": name, "write": write} for name in told}
    file = {"schedule": "manual", "extract": told, "transform": {name: {"from": name} for name in told}, "load": load}
    loaded = load_mapping(file, name="reached", environment=str(environment))
    assert loaded.pipeline is not None, loaded.errors
    window = loaded.pipeline.window_of("2026-01-01/2026-01-02")
    plan = loaded.pipeline.plan(window, Attempt(number=1, token="t", run="r"))
    made = guard_of([plan], loaded.pipeline.environment.breakers, "me", print)
    assert made is not None
    assert {name: sorted(of) for name, of in made.sources.items()} == {
        "drops": ["minio"], "lake": ["minio"], "orders": ["crm"], "served": ["polaris"], "kept": ["archive", "mart"]
    }  # fmt: skip
    assert (made.stores["s3a://raw"], made.servers) == ("minio", {"polaris"})
    environment.unlink()


@pytest.mark.parametrize("skips", [True, False])
def test_a_breaker_that_opens_during_a_replay_loses_nothing_of_what_is_loaded(
    project: Any, monkeypatch: pytest.MonkeyPatch, skips: bool
) -> None:
    from airflow_provider_etl import QuarantineReplayOperator
    from airflow_provider_etl.compat import AirflowSkipException

    file = {
        "schedule": "@daily",
        "start": "2026-01-01",
        "extract": {"a": {"type": "table", "path": "data/${window.start:%Y-%m-%d}"}},
        "load": {"lake": {"type": "delta", "path": "data/lake/again", "write": {"strategy": "append"}}},
    }
    environment = project / "config/environments/local.yaml"
    pipeline = load_mapping(file, name="again", environment=str(environment)).pipeline
    assert pipeline is not None
    windows = [pipeline.window_of(f"2026-01-0{day}/2026-01-0{day + 1}") for day in (1, 2, 3)]
    calls: list[int] = []

    class Replay(QuarantineReplayOperator):
        """One whose second application is refused."""

        def _reports(self, context: Any, engine: Any, plans: Any) -> Any:  # noqa: ARG002 - the form is the operator's
            calls.append(len(plans))
            if len(calls) > 1:
                raise AirflowSkipException("open") if skips else InfrastructureError("open")
            return [{"state": "succeeded"}, {"state": "failed"}]

    ti: Any = SimpleNamespace(map_index=-1, max_tries=0, try_number=1)
    operator = Replay(task_id="replay", pipeline="again.yaml")
    monkeypatch.setattr(Replay, "dag_id", "d", raising=False)
    context: Any = {"ti": ti, "run_id": "r"}
    reports = operator._replayed(context, pipeline, windows)
    assert [reports[window]["state"] for window in windows] == ["succeeded", "failed", "failed"]
    assert reports[windows[2]]["error"]["kind"] == "infrastructure"
    assert calls == [3, 1]
    uncut = dataclasses.replace(windows[0], end=windows[0].end - timedelta(hours=6))
    for asked in (windows, [uncut, *windows]):
        with pytest.raises(AirflowSkipException if skips else InfrastructureError, match="open"):
            operator._replayed(context, pipeline, asked)
    assert calls == [3, 1, 3, 3], "of a window that can't be planned no application has told anything"
