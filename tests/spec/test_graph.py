"""Who reads what: every name is known, nothing reads itself, every source says which rows are a window's."""

from __future__ import annotations

import pytest

from tests.spec.conftest import PIPELINE, Project

HEAD, _, REST = PIPELINE.partition("transform:\n")
LOAD = REST[REST.index("load:") :]
STEP = "{filter: amount > 0}"


def named(transform: str, check: str = "", load: str = LOAD) -> str:
    return f"{HEAD}transform:\n{transform}{check}{load}"


def places(told: list[str]) -> list[str]:
    return [line.split(" |")[0] for line in told]


def test_named_datasets_follow_one_another(project: Project) -> None:
    text = named(
        f"  paid: {{from: orders, steps: [{STEP}]}}\n  daily: {{from: paid}}\n",
        "check:\n  paid: [not_null: [id]]\n  daily: [row_count: {min: 1}]\n",
        LOAD.replace("type: delta", "type: delta\n    from: daily"),
    )
    pipeline = project.pipeline(text)
    assert [(name, item.source, len(item.steps)) for name, item in pipeline.transform.items()] == [
        ("paid", "orders", 1),
        ("daily", "paid", 0),
    ]
    assert [(name, len(checks)) for name, checks in pipeline.check.items()] == [("paid", 1), ("daily", 1)]
    assert pipeline.load["lake"][0] == "daily"


def test_the_only_dataset_and_result_need_no_from(project: Project) -> None:
    assert project.pipeline(named("  paid: {from: orders}\n")).load["lake"][0] == "paid"
    text = named("  paid: {from: orders}\n  result: {from: paid}\n")
    assert project.pipeline(text).load["lake"][0] == "result"


def test_without_transform_the_only_source_is_the_result(project: Project) -> None:
    pipeline = project.pipeline(HEAD + LOAD)
    assert pipeline.transform["result"].source == "orders"


def test_the_load_must_choose_among_datasets(project: Project) -> None:
    told = project.told(named("  a: {from: orders}\n  b: {from: orders}\n"))
    assert any(
        line.startswith("13:3 missing-key load.lake | key 'from' is missing | name one of a, b") for line in told
    )


@pytest.mark.parametrize(
    ("transform", "told"),
    [
        ("  a: {from: b}\n  b: {from: a}\n", ["10:13 dataset-cycle transform.a.from"]),
        ("  a: {from: a}\n", ["10:13 dataset-cycle transform.a.from"]),
        ("  a: {from: b}\n  b: {from: orders}\n", ["10:13 unknown-dataset transform.a.from"]),
        ("  a: {from: ordres}\n", ["10:13 unknown-dataset transform.a.from"]),
        ("  a: {}\n", ["10:3 missing-key transform.a"]),
        ("  a: {from: orders, step: []}\n", ["10:21 unknown-key transform.a.step"]),
        ("  a: {from: orders, steps: {}}\n", ["10:28 wrong-type transform.a.steps"]),
        ("  a: [from: orders]\n", ["10:6 wrong-type transform.a"]),
        ("  orders: {from: orders}\n", ["10:3 name-clash transform.orders"]),
        ("  Orders: {from: orders}\n", ["10:3 name-clash transform.Orders"]),
        ("  a-b: {from: orders}\n", ["10:3 invalid-name transform.a-b"]),
        ("  größe: {from: orders}\n", ["10:3 invalid-name transform.größe"]),
        ("  Input: {from: orders}\n", ["10:3 invalid-name transform.Input"]),
        ("  - from: orders\n  - clean\n", ["11:5 wrong-type transform[1]"]),
        ("  - from: orders\n  - {}\n", ["11:5 one-key transform[1]"]),
        ("  - from: orders\n  - from: orders\n", ["11:5 unknown-key transform[1].from"]),
        ("  - from: [orders]\n", ["10:11 wrong-type transform[0].from"]),
        ("  - filter: a > 1\n", ["10:5 missing-key transform[0]"]),
        ("  []\n", ["9:1 missing-key transform"]),
    ],
)
def test_a_graph_that_cannot_be_is_told_at_its_place(project: Project, transform: str, told: list[str]) -> None:
    load = LOAD.replace("type: delta", "type: delta\n    from: a") if "  b:" in transform else LOAD
    found = [place for place in places(project.told(named(transform, load=load))) if "unused" not in place]
    assert found == told


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("check:\n  reslt: [not_null: [id]]\n", "12:3 unknown-dataset check.reslt"),
        ("check:\n  orders: [not_null: [id]]\n", "12:3 unknown-dataset check.orders"),
        ("check:\n  - references: {column: a, dataset: ordrs}\n", "12:38 unknown-dataset check[0].references.dataset"),
        ("check: not_null\n", "11:8 wrong-type check"),
        ("check:\n  result: not_null\n", "12:11 wrong-type check.result"),
        ("check:\n  - not_null: [id]\n    unique: [id]\n", "12:5 one-key check[0]"),
    ],
)
def test_a_check_names_a_dataset_that_there_is(project: Project, check: str, told: str) -> None:
    found = places(project.told(named("  - from: orders\n", check)))
    assert found == [told]


def test_join_names_a_source_or_an_earlier_dataset(project: Project) -> None:
    told = project.told(named("  - from: orders\n  - join: {with: custmers, on: [id]}\n"))
    assert places(told) == ["11:18 unknown-dataset transform[1].join.with"]
    later = project.told(
        named("  a: {from: orders, steps: [join: {with: b, on: [id]}]}\n  b: {from: orders}\n", load="")
    )
    assert "10:42 unknown-dataset transform.a.steps[0].join.with" in places(later)


def test_an_unused_source_is_a_warning_and_no_error(project: Project) -> None:
    extra = "  spare: {type: files, path: data/x, format: csv, window: all}\n"
    loaded = project.load(PIPELINE.replace("transform:", f"{extra}transform:"))
    assert loaded.pipeline is not None
    assert [(item.line, item.code, item.severity) for item in loaded.diagnostics] == [(9, "unused-dataset", "warning")]
    assert loaded.errors == ()
    used = PIPELINE.replace("transform:", f"{extra}transform:").replace(
        "filter: amount > 0", "sql: SELECT i.* FROM input i JOIN spare s ON i.id = s.id"
    )
    assert project.told(used) == []


@pytest.mark.parametrize("schedule", ['"@daily"', "manual", "{assets: [x]}"])
def test_every_source_says_which_rows_belong_to_a_window(project: Project, schedule: str) -> None:
    silent = PIPELINE.replace("${window.start:%Y-%m-%d}", "all").replace('"@daily"', schedule)
    told = project.told(silent)
    assert places(told) == ["5:3 window-missing extract.orders"]
    assert "window: all" in told[0]
    for window in ("all", "{column: at}"):
        assert project.told(silent.replace("format: csv", f"format: csv\n    window: {window}")) == []


def test_a_window_column_is_checked(project: Project) -> None:
    told = project.told(PIPELINE.replace("format: csv", "format: csv\n    window: {colum: at}"))
    assert places(told) == ["9:14 unknown-key extract.orders.window.colum"]
    told = project.told(PIPELINE.replace("format: csv", "format: csv\n    window: al"))
    assert "did you mean 'all'?" in told[0]


@pytest.mark.parametrize("verb", ["extract", "load"])
@pytest.mark.parametrize("value", ["{}", "[]", "text", "", "{a: text}", "{a: {}}", "{a: {type: [x]}}"])
def test_sources_and_destinations_of_any_shape_are_told(project: Project, verb: str, value: str) -> None:
    begin = PIPELINE.index(f"{verb}:\n")
    end = PIPELINE.index("transform:\n") if verb == "extract" else len(PIPELINE)
    told = project.told(f"{PIPELINE[:begin]}{verb}: {value}\n{PIPELINE[end:]}")
    assert told
    assert all(line.split()[1] in {"wrong-type", "missing-key", "unknown-dataset", "unused-dataset"} for line in told)


def test_two_loads_of_one_table_are_an_error(project: Project) -> None:
    second = LOAD.removeprefix("load:\n").replace("lake:", "copy:").replace("${env.lake}/orders", "data/lake/./orders")
    told = project.told(PIPELINE + second)
    assert places(told) == ["21:11 destination-shared load.copy.path"]
    assert project.told(PIPELINE + second.replace("./orders", "copies")) == []


def test_a_sources_zone_is_not_the_machines(project: Project) -> None:
    told = project.told(PIPELINE.replace("format: csv", "format: csv\n    timezone: localtime"))
    assert places(told) == ["9:15 unknown-timezone extract.orders.timezone"]
    assert "is another timezone on every machine" in told[0]


def test_a_sources_zone_is_checked(project: Project) -> None:
    told = project.told(PIPELINE.replace("format: csv", "format: csv\n    timezone: Europe/Berln"))
    assert places(told) == ["9:15 unknown-timezone extract.orders.timezone"]
    assert "did you mean 'Europe/Berlin'?" in told[0]
