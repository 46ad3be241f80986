"""Every key is checked, and every mistake is told at its place with what would be right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_etl.spec import Assets, Cron, Every, Manual
from tests.spec.conftest import PIPELINE, Project

Change = Callable[[str, str], str]


def places(told: list[str]) -> list[str]:
    return [line.split(" |")[0] for line in told]


def test_the_valid_pipeline_has_no_diagnostic(project: Project) -> None:
    assert project.told(PIPELINE) == []


@pytest.mark.parametrize(
    ("old", "new", "told", "meant"),
    [
        ("schedule:", "schedul:", "2:1 unknown-key schedul", "schedule"),
        ("format: csv", "fromat: csv", "8:5 unknown-key extract.orders.fromat", "format"),
        ("format: csv", "format: cvs", "8:13 unknown-value extract.orders.format", "csv"),
        ("type: files", "type: fles", "6:11 unknown-kind extract.orders.type", "files"),
        ("- filter: amount", "- filtr: amount", "11:5 unknown-kind transform[1].filtr", "filter"),
        ("- not_null: [id]", "- notnull: [id]", "13:5 unknown-kind check[0].notnull", "not_null"),
        ("[id]", "{columns: [id], onfail: warn}", "13:31 unknown-key check[0].not_null.onfail", "on_fail"),
        ("[id]", "{columns: [id], on_fail: wran}", "13:40 unknown-value check[0].not_null.on_fail", "warn"),
        ("type: delta", "type: dleta", "16:11 unknown-kind load.lake.type", "delta"),
        ("strategy: append", "strategy: apend", "18:23 unknown-value load.lake.write.strategy", "append"),
        ("- from: orders", "- from: order", "10:11 unknown-dataset transform[0].from", "orders"),
        ("${env.raw}", "${env.row}", "7:11 unknown-variable extract.orders.path", "env.raw"),
        ("${window.start:%Y-%m-%d}", "${window.stat}", "7:29 unknown-variable extract.orders.path", "window.start"),
        ("start: 2013-01-01", "start: 2013-01-01\nengine: locl", "4:9 unknown-engine engine", "local"),
        ("start: 2013-01-01", "start: 2013-01-01\ntimezone: europe/berlin", "4:11 unknown-timezone", "Europe/Berlin"),
        ('"@daily"', '"@dayly"', "2:11 invalid-schedule schedule", "@daily"),
        ('"@daily"', "{evry: 15m}", "2:12 unknown-key schedule.evry", "every"),
    ],
)
def test_a_near_miss_at_any_level_is_told_at_its_place_with_what_was_meant(  # noqa: PLR0917
    project: Project, changed: Change, old: str, new: str, told: str, meant: str
) -> None:
    found = [line for line in project.told(changed(old, new)) if not line.startswith("5:3 unused")]
    assert len(found) == 1
    assert found[0].startswith(told)
    assert f"did you mean {meant!r}?" in found[0]


def test_unique_is_the_windows_alone_or_the_order_of_runs_would_show(project: Project, changed: Change) -> None:
    found = project.told(changed("not_null: [id]", "unique: {columns: [id], within: table}"))
    assert [line.split(" |")[0].split(" ")[1:3] for line in found] == [["unknown-key", "check[0].unique.within"]]


@pytest.mark.parametrize("key", ["branches", "hooks"])
def test_keys_of_later_releases_are_unknown(project: Project, key: str) -> None:
    assert project.told(f"{PIPELINE}{key}: x\n")[0].startswith(f"19:1 unknown-key {key} ")


@pytest.mark.parametrize(
    ("old", "told"),
    [
        ('schedule: "@daily"\n', "1:1 missing-key"),
        ("start: 2013-01-01\n", "1:1 missing-key"),
        ("    type: files\n", "5:3 missing-key extract.orders"),
        ("    format: csv\n", "5:3 missing-key extract.orders"),
        ("  - from: orders\n", "10:5 missing-key transform[0]"),
        ("    write: {strategy: append}\n", "15:3 missing-key load.lake"),
        ("strategy: append", "18:5 missing-key load.lake.write"),
    ],
)
def test_a_missing_key_is_told_at_the_key_that_holds_the_mapping(
    project: Project, changed: Change, old: str, told: str
) -> None:
    found = [line for line in project.told(changed(old, "")) if "missing-key" in line]
    assert len(found) == 1
    assert found[0].startswith(told)


def test_missing_verbs_are_told_together(project: Project) -> None:
    assert places(project.told('schedule: "@daily"\nstart: 2013-01-01\n')) == ["1:1 missing-key "] * 2


@pytest.mark.parametrize(
    ("scalar", "seen"),
    [
        ("NO", "a boolean"),
        ("on", "a boolean"),
        ("true", "a boolean"),
        ("1.10", "a number"),
        ("012", "a number"),
        ("0x1F", "a number"),
        ("1_000", "a number"),
        ("12:30:45", "a number"),
        (".inf", "a number"),
        ("1e999", "a number"),
        ("2024-13-01", "a date"),
        ("2024-01-01", "a date"),
    ],
)
def test_a_scalar_that_yaml_reads_as_something_else_is_no_text_until_it_is_quoted(
    project: Project, changed: Change, scalar: str, seen: str
) -> None:
    line = "description: Orders, one day a window"
    told = project.told(changed(line, f"description: {scalar}"))
    assert places(told) == ["1:14 quote-needed description"]
    assert f"{scalar} is {seen} to YAML" in told[0]
    assert f'write "{scalar}" in quotes' in told[0]
    assert project.pipeline(changed(line, f'description: "{scalar}"')).description == scalar
    assert project.pipeline(changed(line, f"description: '{scalar}'")).description == scalar


@pytest.mark.parametrize("scalar", ["y", "n", "1.2.3", "2013-01", "a:b", "-1a", "v1", "10%", "é"])
def test_other_plain_scalars_are_text(project: Project, changed: Change, scalar: str) -> None:
    text = changed("Orders, one day a window", scalar)
    assert project.pipeline(text).description == scalar


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('catchup: "false"', "4:10 wrong-type catchup"),
        ("catchup: yes", "4:10 wrong-type catchup"),
        ("catchup: 0", "4:10 wrong-type catchup"),
        ("catchup:", "4:9 wrong-type catchup"),
        ('max_active_windows: "2"', "4:21 wrong-type max_active_windows"),
        ("max_active_windows: 2.0", "4:21 wrong-type max_active_windows"),
        ("max_active_windows: 02", "4:21 wrong-type max_active_windows"),
        ("max_active_windows: 0", "4:21 out-of-range max_active_windows"),
        ("tags: demo", "4:7 wrong-type tags"),
        ("tags: {a: b}", "4:7 wrong-type tags"),
        ("tags: [[a]]", "4:8 wrong-type tags[0]"),
        ("tags: [null]", "4:8 wrong-type tags[0]"),
        (f"tags: [{'x' * 101}]", "4:8 invalid-value tags[0]"),
        ("retries: 3", "4:10 wrong-type retries"),
        ("retries: {delay: 10}", "4:18 wrong-type retries.delay"),
        ("retries: {delay: 10 m}", "4:18 wrong-type retries.delay"),
        ("retries: {delay: 99999999999d}", "4:18 wrong-type retries.delay"),
        ("timeout: 0s", "4:10 out-of-range timeout"),
        ("timeout: -5m", "4:10 wrong-type timeout"),
        ("execution: both", "4:12 unknown-value execution"),
        ("timezone: Mars/Olympus", "4:11 unknown-timezone timezone"),
        ("timezone: ../../etc/passwd", "4:11 unknown-timezone timezone"),
        ("timezone: America", "4:11 unknown-timezone timezone"),
        ("timezone: localtime", "4:11 unknown-timezone timezone"),
        ("timezone: /etc/localtime", "4:11 unknown-timezone timezone"),
        ("timezone: posixrules", "4:11 unknown-timezone timezone"),
        ("timezone: Factory", "4:11 unknown-timezone timezone"),
        ("timezone: posix/Europe/Berlin", "4:11 unknown-timezone timezone"),
        ("timezone: right/Europe/Berlin", "4:11 unknown-timezone timezone"),
        ("end: 2012-12-31", "4:6 inverted-dates end"),
        ("end: 2013-01-01", "4:6 inverted-dates end"),
        ("end: tomorrow", "4:6 relative-date end"),
        ("end: 2024-13-01", "4:6 wrong-type end"),
        ("end: 0001-01-01", "4:6 wrong-type end"),
        ("end: 9999-12-31", "4:6 wrong-type end"),
    ],
)
def test_a_wrong_value_is_told_at_the_value(project: Project, changed: Change, line: str, told: str) -> None:
    assert places(project.told(changed("start: 2013-01-01", f"start: 2013-01-01\n{line}"))) == [told]


def test_a_name_that_would_be_refused_too_is_no_advice(project: Project, changed: Change) -> None:
    [told] = project.told(changed("start: 2013-01-01", "start: 2013-01-01\ntimezone: /etc/localtime"))
    assert told.endswith("| an IANA name: Europe/Berlin")


def test_all_errors_of_a_file_are_told_at_once(project: Project) -> None:
    text = (
        PIPELINE.replace('"@daily"', '"99 * * * *"')
        .replace("start: 2013-01-01", "start: 2013-02-30\nowner: NO")
        .replace("format: csv", "format: protobuf")
        .replace("${env.raw}", "${env.nope}")
        .replace("amount > 0", "amount >")
        .replace("[id]", "{columns: [id], mostly: 7}")
        .replace("append", "prepend")
    )
    assert places(project.told(text)) == [
        "2:11 invalid-schedule schedule",
        "3:8 wrong-type start",
        "4:8 quote-needed owner",
        "8:11 unknown-variable extract.orders.path",
        "9:13 unknown-value extract.orders.format",
        "12:20 expression-syntax transform[1].filter",
        "14:39 out-of-range check[0].not_null.mostly",
        "19:23 unknown-value load.lake.write.strategy",
    ]


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ('"@hourly"', Cron("@hourly")),
        ("0 6 * * 1-5", Cron("0 6 * * 1-5")),
        ("{every: 15m}", Every(timedelta(minutes=15))),
        ("{assets: [flights.lake]}", Assets(("flights.lake",))),
        ("manual", Manual()),
    ],
)
def test_the_five_forms_of_a_schedule(project: Project, changed: Change, text: str, schedule: object) -> None:
    assert project.pipeline(changed('"@daily"', text)).schedule == schedule


@pytest.mark.parametrize(
    "text",
    [
        '"61 * * * *"',
        '"* * * *"',
        '"* * * * * *"',
        '"0 0 30 2 *"',
        '"@once"',
        '"@reboot"',
        '"a b c d e"',
        '"R * * * *"',
        '"H * * * *"',
        "15",
        '""',
        "[a]",
        "{every: 0m}",
        "{every: 15m, assets: [a]}",
        "{assets: []}",
        "{}",
    ],
)
def test_what_is_no_schedule_is_told_at_its_place(project: Project, changed: Change, text: str) -> None:
    told = project.told(changed('"@daily"', text))
    assert len(told) == 1, told
    assert told[0].startswith("2:")


def test_start_is_a_moment_of_the_pipelines_zone_and_may_carry_an_offset(project: Project, changed: Change) -> None:
    berlin = "timezone: Europe/Berlin"
    midnight = project.pipeline(changed("start: 2013-01-01", f"start: 2013-07-01\n{berlin}"))
    assert midnight.start == datetime(2013, 6, 30, 22, tzinfo=UTC)
    offset = project.pipeline(changed("start: 2013-01-01", f"start: 2013-07-01T00:00:00Z\n{berlin}"))
    assert offset.start == datetime(2013, 7, 1, tzinfo=UTC)


def test_a_start_that_the_clock_skips_or_repeats_is_an_error(project: Project, changed: Change) -> None:
    skipped = project.told(changed("start: 2013-01-01", "start: 2013-03-31T02:30\ntimezone: Europe/Berlin"))
    assert skipped[0].startswith("3:8 invalid-value start | the clock of Europe/Berlin skips 2013-03-31T02:30:00")
    twice = project.told(changed("start: 2013-01-01", "start: 2013-10-27T02:30\ntimezone: Europe/Berlin"))
    assert "repeats" in twice[0]
    assert "give an offset" in twice[0]


def test_manual_and_asset_pipelines_need_no_start(project: Project, changed: Change) -> None:
    text = changed('"@daily"', "manual").replace("start: 2013-01-01\n", "")
    assert project.pipeline(text).start is None


@pytest.mark.parametrize(
    "name", ["flüge.yaml", "my flights.yaml", "a..b.yaml", ".x.yaml", "-x.yaml", f"{'x' * 201}.yaml"]
)
def test_a_file_name_that_is_no_dag_id_is_told_at_the_top(project: Project, name: str) -> None:
    assert places(project.told(PIPELINE, name)) == ["1:1 invalid-name "]


@pytest.mark.parametrize("name", ["flights.v2.yaml", "flights-2.yml", "7days.yaml", f"{'x' * 200}.yaml"])
def test_file_names_that_airflow_takes(project: Project, name: str) -> None:
    loaded = project.load(PIPELINE, name)
    assert loaded.diagnostics == ()
    assert loaded.name == name.rpartition(".")[0]


def test_250_characters_are_refused_with_the_reason(project: Project) -> None:
    told = project.told(PIPELINE, f"{'x' * 250}.yaml")
    assert "has 250 characters, 200 is the most" in told[0]
