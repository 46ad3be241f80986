"""Which environment is used, where relative paths start, and what is wrong in its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_etl.spec import load_file
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

CYCLE = "variable-cycle"
Change = Callable[[str, str], str]


def used(project: Project, asked: str | None = None) -> str:
    pipeline = load_file(project.write(PIPELINE), environment=asked).pipeline
    assert pipeline is not None
    return pipeline.environment.name


def test_the_argument_beats_the_variable_beats_airflows_file_beats_local(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("asked", "variable", "configured"):
        project.environment(ENVIRONMENT, name)
    assert used(project) == "local"
    (project.folder / "airflow").mkdir()
    # A plain ini file: percent signs, repeated and valueless keys of other sections are none of our business.
    config = "[core]\nfernet_key = 100%\n[logging]\nformat = %(asctime)s\n[etl]\nenvironment = configured\n"
    (project.folder / "airflow/airflow.cfg").write_text(config)
    assert used(project) == "configured"
    monkeypatch.setenv("AIRFLOW__ETL__ENVIRONMENT", "variable")
    assert used(project) == "variable"
    assert used(project, "asked") == "asked"


def test_a_changed_airflow_cfg_and_environment_file_are_seen(project: Project) -> None:
    (project.folder / "airflow").mkdir()
    config = project.folder / "airflow/airflow.cfg"
    project.environment(ENVIRONMENT, "other")
    config.write_text("[etl]\nenvironment = local\n")
    assert used(project) == "local"
    config.write_text("[etl]\nenvironment = other\n\n")
    assert used(project) == "other"
    project.environment(ENVIRONMENT.replace("data/raw", "data/raw2"), "other")
    pipeline = load_file(project.write(PIPELINE)).pipeline
    assert pipeline is not None
    assert pipeline.environment.variables["raw"] == "data/raw2"


def test_a_broken_airflow_cfg_is_airflows_to_report(project: Project) -> None:
    (project.folder / "airflow").mkdir()
    (project.folder / "airflow/airflow.cfg").write_text("no ini [[[\n=\n")
    assert used(project) == "local"


def test_a_name_is_searched_upwards_and_that_project_holds_the_paths(project: Project) -> None:
    deep = project.write(PIPELINE, "a/b/c/orders.yaml")
    pipeline = load_file(deep).pipeline
    assert pipeline is not None
    assert pipeline.environment.project == project.folder
    inner = Project(project.folder / "dags/a")
    pipeline = load_file(deep).pipeline
    assert pipeline is not None
    assert pipeline.environment.project == inner.folder


def test_a_path_is_taken_as_it_is(project: Project, tmp_path: Path) -> None:
    prod = project.environment(ENVIRONMENT, "prod")
    pipeline = load_file(project.write(PIPELINE), environment=str(prod)).pipeline
    assert pipeline is not None
    assert pipeline.environment.project == project.folder
    elsewhere = tmp_path / "etc" / "prod.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(ENVIRONMENT)
    pipeline = load_file(project.write(PIPELINE), environment=str(elsewhere)).pipeline
    assert pipeline is not None
    assert pipeline.environment.project == elsewhere.parent


@pytest.mark.parametrize("asked", ["prod", "no/such.yaml", "../local", ""])
def test_an_environment_that_is_nowhere_says_where_it_was_sought(project: Project, asked: str) -> None:
    loaded = load_file(project.write(PIPELINE), environment=asked)
    if asked:
        assert loaded.pipeline is None
        (found,) = loaded.errors
        assert (found.line, found.column, found.code) == (1, 1, "environment-missing")
        assert asked in found.message
    else:
        assert loaded.pipeline is not None


def test_a_file_in_a_broken_environment_still_tells_its_own_errors(project: Project, changed: Change) -> None:
    path = project.environment(ENVIRONMENT.replace("kind: local", "kind: lokal"))
    loaded = project.load(changed("format: csv", "format: cvs").replace("${env.raw}", "${env.nope}"))
    assert [(Path(item.path).name, item.code) for item in loaded.errors] == [
        ("local.yaml", "unknown-value"),
        ("orders.yaml", "unknown-value"),
    ]
    assert loaded.errors[0].path == str(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("variables:", "variable:", ["1:1 unknown-key variable"]),
        ("  staging: data/staging\n", "", ["1:1 missing-key variables"]),
        ("  quarantine: data/quarantine\n", "", ["1:1 missing-key variables"]),
        ("staging: data/staging", 'staging: " "', ["4:12 invalid-value variables.staging"]),
        ("staging: data/staging", "staging:", ["4:11 wrong-type variables.staging"]),
        ("roots: [data]\n", "", ["1:1 missing-key "]),
        ("roots: [data]", "roots: data", ["6:8 wrong-type roots"]),
        ("roots: [data]", "roots: []", ["6:8 invalid-value roots"]),
        ("raw: data/raw", "raw: 1.10", ["2:8 quote-needed variables.raw"]),
        ("raw: data/raw", "raw: ${env.lak}/raw", ["2:8 unknown-variable variables.raw"]),
        ("raw: data/raw", "raw: data/${lake}", ["2:13 unknown-variable variables.raw"]),
        ("raw: data/raw", "raw: ${env.lake", ["2:8 unknown-variable variables.raw"]),
        ("raw: data/raw", "raw: ${env.raw}/raw", ["2:8 variable-cycle variables.raw"]),
        ("jars: jars", "jars: '${env.raw}'", ["8:52 variable-misplaced engines.local.jars"]),
        ("raw: data/raw", "raw: {a: b}", ["2:8 wrong-type variables.raw"]),
        ("kind: local", "kind: locl", ["8:17 unknown-value engines.local.kind"]),
        ("kind: local, ", "", ["8:3 missing-key engines.local"]),
        ("cores: 2", "cores: 0", ["8:31 out-of-range engines.local.cores"]),
        ("memory: 2g", "memory: 2 GB", ["8:42 invalid-value engines.local.memory"]),
        ("small: true", "smal: true", ["8:58 unknown-key engines.local.smal"]),
        ("small: true", "small: yes", ["8:65 wrong-type engines.local.small"]),
        ("roots:", "defaults: x\nroots:", ["6:11 wrong-type defaults"]),
        ("roots:", "roots: [a]\nroots:", ["7:1 duplicate-key roots"]),
    ],
)
def test_the_environments_file_is_read_as_strictly(project: Project, old: str, new: str, told: list[str]) -> None:
    assert old in ENVIRONMENT
    path = project.environment(ENVIRONMENT.replace(old, new))
    loaded = project.load(PIPELINE)
    assert loaded.pipeline is None
    assert [f"{item.line}:{item.column} {item.code} {item.key}" for item in loaded.errors] == told
    assert {item.path for item in loaded.errors} == {str(path)}


@pytest.mark.parametrize("text", ["", "[]", "a: b: c", "!!python/object:x {}"])
def test_an_environment_that_is_no_mapping_is_told_in_its_file(project: Project, text: str) -> None:
    path = project.environment(text)
    assert {item.path for item in project.load(PIPELINE).errors} == {str(path)}


def test_defaults_stand_under_the_file(project: Project, changed: Change) -> None:
    defaults = "defaults: {owner: data, tags: [a], retries: {attempts: 7, delay: 10s}, schedule: {every: 5m}}\n"
    project.environment(ENVIRONMENT + defaults)
    pipeline = project.pipeline(changed("start: 2013", "tags: [b]\nretries: {delay: 3m}\nstart: 2013"))
    assert (pipeline.owner, pipeline.tags) == ("data", ("b",))
    assert (pipeline.retries.attempts, pipeline.retries.delay.total_seconds()) == (7, 180)


LATE = PIPELINE.replace("${window.start:%Y-%m-%d}.csv", "").replace(
    "format: csv",
    """format: csv
    window: {column: at}
    columns: {id: {type: int}, amount: {type: int}, at: {type: timestamp, required: true}}""",
)


@pytest.mark.parametrize("said", ["depends_on_previous: true\n", "lookback: 1d\n"])
def test_a_default_of_windows_at_a_time_gives_way_to_what_lets_one_run(project: Project, said: str) -> None:
    project.environment(ENVIRONMENT + "defaults: {max_active_windows: 8}\n")
    assert project.pipeline(said + LATE).max_active_windows == 1
    assert project.pipeline(LATE).max_active_windows == 8
    project.write("max_active_windows: 8\n" + LATE, "_base.yaml")
    assert "conflicting-keys max_active_windows" in project.told(f"extends: _base.yaml\n{said}")[0]


def test_a_default_lookback_gives_way_where_no_source_has_a_use_for_it(project: Project) -> None:
    plain = project.pipeline(PIPELINE)
    project.environment(ENVIRONMENT + "defaults: {lookback: 2d}\n")
    assert project.told(PIPELINE) == []
    unused = project.pipeline(PIPELINE)
    assert (unused.lookback, unused.max_active_windows) == (None, 4)
    assert unused.fingerprint == plain.fingerprint
    used = project.pipeline(LATE)
    assert (used.lookback, used.max_active_windows) == (timedelta(days=2), 1)
    assert "lookback-unused lookback" in project.told("lookback: 2d\n" + PIPELINE)[0]


def test_a_file_that_can_not_have_a_default_is_told_how_to_be_without_it(project: Project) -> None:
    project.environment(ENVIRONMENT + "defaults: {lookback: 2d}\n")
    text = "max_active_windows: 3\n" + LATE
    [told] = project.told(text)
    assert told.startswith("1:21 conflicting-keys max_active_windows")
    assert "leave max_active_windows out, or say 1; or lookback: null, without that of /" in told
    pipeline = project.pipeline("lookback: null\n" + text)
    assert (pipeline.lookback, pipeline.max_active_windows) == (None, 3)


def test_an_error_in_the_defaults_is_told_in_the_environments_file(project: Project) -> None:
    path = project.environment(ENVIRONMENT + "defaults:\n  ownr: data\n  retries: {attempts: many}\n")
    loaded = project.load(PIPELINE)
    assert [(item.path, item.line, item.column, item.key) for item in loaded.errors] == [
        (str(path), 10, 3, "defaults.ownr"),
        (str(path), 11, 23, "defaults.retries.attempts"),
    ]


def test_variables_and_roots_may_be_made_of_variables_in_any_order(project: Project) -> None:
    text = ENVIRONMENT.replace("raw: data/raw", "raw: ${env.base}/raw").replace(
        "lake: data", "lake: ${env.raw}-${env.base}"
    )
    project.environment(
        text.replace("variables:\n", 'variables:\n  base: "data"\n').replace("[data]", '["${env.base}"]')
    )
    pipeline = project.pipeline()
    assert pipeline.environment.variables["raw"] == "data/raw"
    assert pipeline.environment.variables["lake"] == "data/raw-data/lake"
    assert pipeline.environment.roots == (str(project.folder / "data"),)
    assert pipeline.extract["orders"].path.startswith("data/raw/orders/")


def test_a_circle_of_variables_is_told_at_each_of_them_with_its_way(project: Project) -> None:
    text = ENVIRONMENT.replace("raw: data/raw", "raw: a/${env.lake}").replace("lake: data/lake", "lake: ${env.staging}")
    project.environment(text.replace("staging: data/staging", "staging: x${env.raw}"))
    loaded = project.load(PIPELINE)
    assert loaded.pipeline is None
    assert {(item.line, item.code) for item in loaded.errors} <= {(2, CYCLE), (3, CYCLE), (4, CYCLE)}
    assert "raw -> lake -> staging -> raw" in loaded.errors[-1].message
    assert "in a circle" in loaded.errors[0].message


def test_variables_that_double_one_another_do_not_fill_the_memory(project: Project) -> None:
    doubled = "".join(f"  v{place}: ${{env.v{place + 1}}}${{env.v{place + 1}}}\n" for place in range(40))
    project.environment(ENVIRONMENT.replace("variables:\n", f"variables:\n{doubled}  v40: xx\n"))
    loaded = project.load(PIPELINE)
    assert any("more than 4096 characters" in item.message for item in loaded.errors)


def test_a_missing_variable_is_told_in_the_pipeline_file_with_those_that_there_are(
    project: Project, changed: Change
) -> None:
    (found,) = project.told(changed("${env.raw}", "${env.rawe}"))
    assert found.startswith(
        "7:11 unknown-variable extract.orders.path | '${env.rawe}' is unknown | did you mean 'env.raw'?"
    )
    assert "env.lake" in found
