"""`${…}` stands for what it says and nothing else, and no path leaves its root."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

Change = Callable[[str, str], str]
DAY = Window(start=datetime(2013, 7, 1, tzinfo=UTC), end=datetime(2013, 7, 2, tzinfo=UTC))
FILE = "${window.start:%Y-%m-%d}"


def planned(pipeline: Pipeline, window: Window = DAY) -> Plan:
    return pipeline.plan(window, Attempt(number=1, token="t", run="r"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("${window.start:%Y-%m-%d}", "2013-06-30"),
        ("${window.end:%Y/%m/%d %H}", "2013/07/01 20"),
        ("${window.start}", "2013-06-30T20:00:00-04:00"),
        ("${window.key}-${pipeline}", "2013-06-30T2000-orders"),
        ("${window.key}-${env.lake}", "2013-06-30T2000-data/lake"),
        ("${window.start:%-d.%-m}", "30.6"),
        ("$${window.start:%d}$", "$30$"),
        ("{{ ds }} ${window.start:%d}", "{{ ds }} 30"),
    ],
)
def test_window_variables_are_formatted_in_the_pipelines_zone(
    project: Project, changed: Change, variable: str, value: str
) -> None:
    text = changed(FILE, variable).replace("start: 2013", "timezone: America/New_York\nstart: 2013")
    plan = planned(project.pipeline(text))
    assert plan.extract["orders"].path == f"{project.folder}/data/raw/orders/{value}.csv"


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("${}", "7:29"),
        ("${window}", "7:29"),
        ("${window.start", "7:29"),
        ("${ window.start }", "7:29"),
        ("${window.start:}", "7:29"),
        ("${window.start:%Q}", "7:29"),
        ("${window.start:%c}", "7:29"),
        ("${window.start:%}", "7:29"),
        ("${window.key:%Y}", "7:29"),
        ("${env.HOME}", "7:29"),
        ("${HOME}", "7:29"),
        ("${param.day}", "7:29"),
        ("${window.key}${pipelin}", "7:42"),
        ("${a${window.key}}", "7:29"),
    ],
)
def test_an_unknown_variable_is_told_at_its_column(
    project: Project, changed: Change, variable: str, place: str
) -> None:
    told = project.told(changed(FILE, variable))
    assert [line.split(" |")[0] for line in told if "window-missing" not in line] == [
        f"{place} unknown-variable extract.orders.path"
    ]


def test_variables_where_nothing_is_substituted_are_an_error(project: Project, changed: Change) -> None:
    told = project.told(changed("amount > 0", "at > ${window.start}"))
    assert told[0].startswith("11:18 variable-misplaced transform[1].filter | ")
    told = project.told(changed("Orders, one day", "${env.raw}"))
    assert told[0].startswith("1:14 variable-misplaced description | ")
    assert project.told(changed("amount > 0", "name RLIKE 'a${'")) == []


def test_in_sql_variables_become_literals(project: Project, changed: Change) -> None:
    environment = ENVIRONMENT.replace("roots", '  name: "o\'neill\\\\"\nroots')
    project.environment(environment)
    query = (
        "SELECT * FROM input WHERE at >= ${window.start} AND at < ${window.end} "
        "AND k = ${window.key} AND n = ${env.name}"
    )
    plan = planned(project.pipeline(changed("filter: amount > 0", f"sql: {query}")))
    (_, sql) = plan.transform["result"].steps[0]
    assert sql.query == (
        "SELECT * FROM input WHERE at >= TIMESTAMP '2013-07-01T00:00:00Z' AND at < TIMESTAMP '2013-07-02T00:00:00Z' "
        "AND k = '2013-07-01' AND n = 'o\\'neill\\\\'"
    )


def test_a_variable_in_quotes_is_an_error(project: Project, changed: Change) -> None:
    told = project.told(changed("filter: amount > 0", "sql: SELECT * FROM input WHERE k = '${window.key}'"))
    assert told[0].startswith("11:40 variable-quoted transform[1].sql")


@pytest.mark.parametrize(
    "path",
    [
        "../${window.key}",
        "data/../../x/${window.key}",
        "/etc/passwd-${window.key}",
        "${env.raw}/../../../${window.key}",
        "${env.raw}/${window.start:../../..}/../x",
        "datax/${window.key}",
        "s3a://bucket/${window.key}",
        "s3a://other/data/../data/${window.key}",
        "s3a://lake/data/../${window.key}",
        "s3a://lake/data/%2e%2e/${window.key}",
        "s3a://lake/database/${window.key}",
        "S3A://LAKE/data/${window.key}",
        "file:///etc/${window.key}",
        "file:/etc/${window.key}",
        "hdfs:data/${window.key}",
        "${env.raw}/{..,x}/../${window.key}",
        "${env.raw}/{../../../etc,x}/${window.key}",
        "link/${window.key}",
        "data/link/${window.key}",
        '"data/\\0${window.key}"',
        '"  "',
    ],
)
def test_a_path_that_leaves_its_root_is_told_at_the_value(project: Project, changed: Change, path: str) -> None:
    project.environment(ENVIRONMENT.replace("[data]", "[data, s3a://lake/data]"))
    (project.folder / "data").mkdir()
    (project.folder / "data/link").symlink_to("/etc")
    (project.folder / "link").symlink_to("/etc")
    loaded = project.load(changed("${env.raw}/orders/${window.start:%Y-%m-%d}.csv", path))
    assert loaded.pipeline is None
    found = [item for item in loaded.errors if item.code == "path-outside-roots"]
    assert [(item.line, item.column) for item in found] == [(7, 11)]


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("data/a/../raw/x", "{0}/data/raw/x"),
        ("./data//raw/x", "{0}/data/raw/x"),
        ("{0}/data/x", "{0}/data/x"),
        ("file://{0}/data/x", "{0}/data/x"),
        ("s3a://lake/data/a/../x", "s3a://lake/data/x"),
        ("data/inner/x", "{0}/data/inner/x"),
        ("data/*/x{{1,2}}", "{0}/data/*/x{{1,2}}"),
        ("data/a:b", "{0}/data/a:b"),
        ("data/..x", "{0}/data/..x"),
    ],
)
def test_a_path_under_a_root_is_absolute_in_the_plan(
    project: Project, changed: Change, path: str, resolved: str
) -> None:
    project.environment(ENVIRONMENT.replace("[data]", "[data, s3a://lake/data]"))
    (project.folder / "data/raw").mkdir(parents=True)
    (project.folder / "data/inner").symlink_to("raw")
    given = path.format(project.folder)
    text = changed("${env.raw}/orders/${window.start:%Y-%m-%d}.csv", f'"{given}/${{window.key}}"')
    plan = planned(project.pipeline(text))
    assert plan.extract["orders"].path == resolved.format(project.folder) + "/2013-07-01"


def test_the_error_names_the_roots(project: Project, changed: Change) -> None:
    told = project.told(changed("${env.lake}", "/srv"))
    (place, message, hint) = told[0].split(" | ")
    assert place == "17:11 path-outside-roots load.lake.path"
    assert message == "'/srv/orders' leads to /srv/orders, outside the roots"
    assert hint == f"roots of environment local: {project.folder}/data"


def test_a_link_that_appears_after_lint_is_refused_when_the_plan_is_made(project: Project) -> None:
    pipeline = project.pipeline()
    (project.folder / "data").mkdir()
    (project.folder / "data/raw").symlink_to("/etc")
    with pytest.raises(ConfigError, match="outside the roots"):
        planned(pipeline)


def test_roots_hold_for_destinations_in_mappings_too(project: Project) -> None:
    told = project.told(PIPELINE.replace("${env.lake}/orders", "${env.lake}/../../orders"))
    assert told[0].startswith("17:11 path-outside-roots load.lake.path")
