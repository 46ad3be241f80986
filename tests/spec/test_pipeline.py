"""A pipeline is immutable, picklable, and its plan and fingerprint say exactly what they should."""

from __future__ import annotations

import dataclasses
import json
import pickle
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec import find_files, load_file, load_mapping
from airflow_provider_etl.version import __version__
from spark_jobs.errors import ConfigError
from spark_jobs.plan import VERBS, Attempt, Plan
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

Change = Callable[[str, str], str]
ATTEMPT = Attempt(number=7, token="token", run="run")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [*find_files(ROOT / "dags/pipelines"), *find_files(ROOT / "examples")]

MAPPING: dict[str, Any] = {
    "description": "Orders, one day a window",
    "schedule": "@daily",
    "start": date(2013, 1, 1),
    "extract": {"orders": {"type": "files", "path": "${env.raw}/orders/${window.start:%Y-%m-%d}.csv", "format": "csv"}},
    "transform": [{"from": "orders"}, {"filter": "amount > 0"}],
    "check": [{"not_null": ["id"]}],
    "load": {"lake": {"type": "delta", "path": "${env.lake}/orders", "write": {"strategy": "append"}}},
}


def test_the_plan_is_complete_and_survives_json(project: Project) -> None:
    pipeline = project.pipeline()
    window = pipeline.window_of("2013-01-01")
    plan = pipeline.plan(window, ATTEMPT, verbs=("extract",), previous={"a": 1})
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert (plan.pipeline, plan.window, plan.attempt, plan.verbs) == ("orders", window, ATTEMPT, ("extract",))
    assert plan.staging == f"{project.folder}/data/staging"
    assert plan.quarantine == f"{project.folder}/data/quarantine"
    assert plan.extract["orders"].path == f"{project.folder}/data/raw/orders/2013-01-01.csv"
    assert plan.load["lake"][1].path == f"{project.folder}/data/lake/orders"
    assert plan.spark == {
        "master": "local[2]",
        "memory": "2g",
        "jars": f"{project.folder}/jars",
        "small": True,
        "conf": {},
        "archive": None,
        "retention_hours": 24.0,
    }
    assert pipeline.plan(window, ATTEMPT).verbs == VERBS


def test_a_window_that_the_schedule_does_not_cut_is_refused_where_the_path_names_it(
    project: Project, changed: Change
) -> None:
    """A run of an older schedule, another DAG's interval: a week would read one day's file and replace seven days."""
    pipeline = project.pipeline()
    week = pipeline.span_of("2013-01-01/2013-01-08")
    with pytest.raises(ConfigError, match="2013-01-01"):
        pipeline.demand_cut(week)
    pipeline.demand_cut(pipeline.window_of("2013-01-01"))
    by_column = changed("/${window.start:%Y-%m-%d}.csv\n", ".csv\n    window: {column: ordered_at}\n")
    project.pipeline(by_column).demand_cut(week)


def test_the_engine_of_the_environment_goes_into_the_plan(project: Project, changed: Change) -> None:
    project.environment(
        ENVIRONMENT + "  big: {kind: local, cores: 8, memory: 16g, jars: /opt/jars, archive: build/app.jsa, "
        "retention: 36h, conf: {spark.sql.shuffle.partitions: 64, spark.x: true, spark.y: 'NO'}}\n"
    )
    pipeline = project.pipeline(changed("start: 2013", "engine: big\nstart: 2013"))
    settings = pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT).spark
    assert settings["master"] == "local[8]"
    assert (settings["memory"], settings["jars"]) == ("16g", "/opt/jars")
    assert settings["archive"] == f"{project.folder}/build/app.jsa"
    assert settings["conf"] == {"spark.sql.shuffle.partitions": "64", "spark.x": "true", "spark.y": "NO"}
    assert (settings["small"], settings["retention_hours"]) == (False, 36.0)
    small = project.pipeline(changed("start: 2013", "engine: big\nresources: {size: tiny}\nstart: 2013"))
    assert small.plan(small.window_of("2013-01-01"), ATTEMPT).spark["small"]
    large = project.pipeline(changed("start: 2013", "resources: {size: large}\nstart: 2013"))
    assert not large.plan(large.window_of("2013-01-01"), ATTEMPT).spark["small"]


def test_the_units_are_what_the_ledger_is_asked_for(project: Project, changed: Change) -> None:
    pipeline = project.pipeline()
    window = pipeline.window_of("2013-01-01")
    unit, options = pipeline.units(window)["lake"]
    assert unit.key == "etl:orders:lake:2013-01-01T00:00:00Z/2013-01-02T00:00:00Z"
    assert options == {"type": "delta", "path": f"{project.folder}/data/lake/orders", "write": {"strategy": "append"}}
    assert unit == pipeline.plan(window, ATTEMPT).load["lake"][1].unit("lake", pipeline.plan(window, ATTEMPT))
    snapshot = project.pipeline(changed("append", "snapshot"))
    assert snapshot.units(window)["lake"][0].key == "etl:orders:lake:snapshot"


def test_the_fingerprint_changes_with_what_decides_the_rows_and_with_nothing_else(project: Project) -> None:
    base = project.pipeline().fingerprint
    assert len(base) == 64
    same = {
        "description: Orders, one day a window": "description: Other\nowner: x\ntags: [a]\nretries: {attempts: 9}",
        "start: 2013-01-01": "start: 2014-01-01\ncatchup: true\nexecution: fused\nresources: {size: large}",
        "filter: amount > 0": 'filter: "amount > 0"  # in quotes',
        "format: csv": "format: csv\n    bad_records: quarantine",
        "${env.lake}": "data/lake",
    }
    for old, new in same.items():
        assert project.pipeline(PIPELINE.replace(old, new)).fingerprint == base, new
    others = {
        "amount > 0": "amount > 1",
        "[id]": "[id, amount]",
        "append": "snapshot",
        "%Y-%m-%d": "%Y%m%d",
        "format: csv": "format: csv\n    bad_records: fail",
        "start: 2013-01-01": "start: 2013-01-01\ntimezone: Europe/Berlin",
        "${env.lake}/orders": "${env.lake}/orders2",
    }
    found = {new: project.pipeline(PIPELINE.replace(old, new)).fingerprint for old, new in others.items()}
    assert len({base, *found.values()}) == len(found) + 1


def test_the_fingerprint_knows_the_package_and_the_environment(project: Project, monkeypatch: Any) -> None:
    base = project.pipeline().fingerprint
    project.environment(ENVIRONMENT.replace("lake: data/lake", "lake: data/lake2"))
    assert project.pipeline().fingerprint != base
    project.environment(ENVIRONMENT)
    monkeypatch.setattr("airflow_provider_etl.spec.pipeline.__version__", __version__ + ".dev1")
    assert project.pipeline().fingerprint != base


def test_a_pipeline_is_immutable_and_picklable(project: Project) -> None:
    pipeline = project.pipeline()
    assert pipeline.fingerprint
    again = pickle.loads(pickle.dumps(pipeline))  # noqa: S301 - our own bytes
    assert again == pipeline
    assert again.fingerprint == pipeline.fingerprint
    with pytest.raises(dataclasses.FrozenInstanceError):
        pipeline.name = "other"  # type: ignore[misc]
    for mapping in (
        pipeline.extract,
        pipeline.transform,
        pipeline.check,
        pipeline.load,
        pipeline.environment.variables,
    ):
        with pytest.raises(TypeError):
            mapping["x"] = 1  # type: ignore[index]


def test_a_mapping_is_read_by_the_same_rules(project: Project) -> None:
    loaded = load_mapping(MAPPING, name="orders", base=project.folder, expressions=True)
    assert loaded.diagnostics == ()
    assert loaded.pipeline is not None
    file = project.pipeline()
    assert loaded.pipeline == dataclasses.replace(file, path=None)
    assert loaded.pipeline.fingerprint == file.fingerprint


def test_a_mapping_may_hold_pythons_own_values(project: Project) -> None:
    mapping = MAPPING | {
        "start": datetime(2013, 1, 1, 12, tzinfo=UTC),
        "timeout": timedelta(minutes=90),
        "schedule": {"every": timedelta(hours=6)},
        "tags": ("1.10", "NO"),
        "catchup": True,
        "max_active_windows": 3,
        "freshness": None,
    }
    pipeline = load_mapping(mapping, name="orders", base=project.folder).pipeline
    assert pipeline is not None
    assert (pipeline.start, pipeline.timeout.task) == (datetime(2013, 1, 1, 12, tzinfo=UTC), timedelta(minutes=90))
    assert (pipeline.tags, pipeline.catchup, pipeline.max_active_windows) == (("1.10", "NO"), True, 3)


def test_what_is_wrong_in_a_mapping_is_told_by_its_key_path(project: Project) -> None:
    mapping = MAPPING | {"schedul": "@daily", "tags": [object()], "catchup": "yes", 3: 4, "timeout": 1.5}
    mapping["extract"] = {"orders": MAPPING["extract"]["orders"] | {"format": "cvs"}}
    loaded = load_mapping(mapping, name="orders", base=project.folder)
    assert loaded.pipeline is None
    assert {(item.path, item.line, item.column) for item in loaded.errors} == {("orders", 1, 1)}
    told = {(item.code, item.key) for item in loaded.errors}
    assert told >= {
        ("unknown-key", "schedul"),
        ("wrong-type", "tags[0]"),
        ("wrong-type", "catchup"),
        ("yaml-key", "3"),
        ("wrong-type", "timeout"),
        ("unknown-value", "extract.orders.format"),
    }


def test_a_mapping_that_contains_itself_is_an_error(project: Project) -> None:
    mapping: dict[str, Any] = dict(MAPPING)
    mapping["transform"] = mapping
    loaded = load_mapping(mapping, name="orders", base=project.folder)
    assert "yaml-too-deep" in {item.code for item in loaded.errors}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_pipeline_lints_without_a_word(path: Path, project: Project) -> None:
    loaded = load_file(path, expressions=True)
    assert [str(item) for item in loaded.diagnostics] == []


def test_a_file_is_read_in_five_milliseconds() -> None:
    path = ROOT / "dags/pipelines/flights.yaml"
    load_file(path)
    best = min(_seconds(path) for _ in range(20))
    assert best < 0.005


def _seconds(path: Path) -> float:
    begin = time.process_time()  # of this process: other work on the machine doesn't count
    load_file(path)
    return time.process_time() - begin


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("3", "3 stands where a mapping is wanted | write {attempts: 3}"),
        ("true", "true stands where a mapping is wanted"),
        ("2013-01-01", "2013-01-01 stands where a mapping is wanted"),
        ("often", "text 'often' stands where a mapping is wanted"),
        ('"3"', "text '3' stands where a mapping is wanted"),
        ("null", "nothing stands where a mapping is wanted"),
        ("[3]", "a list stands where a mapping is wanted"),
    ],
)
def test_what_stands_in_a_mappings_place_is_told_as_what_it_is(project: Project, value: str, told: str) -> None:
    path = project.write(PIPELINE + f"retries: {value}\n")
    [found] = project.load(path.read_text()).diagnostics
    assert " | ".join(part for part in (found.message, found.hint) if part) == told
