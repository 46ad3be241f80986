"""A test file is read as strictly as a pipeline file: every problem has its place, a reason and a remedy."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from airflow_provider_etl.testing.samples import Prepared
from tests.spec.conftest import Project
from tests.testing.conftest import CASES, PIPELINE, Read

Told = Callable[[str], list[str]]


DAY = "    window: 2013-01-02"
DATASETS = "      datasets:\n        result: [{id: 1}]"


def change(old: str, new: str) -> str:
    assert old in CASES
    return CASES.replace(old, new)


def sample(read: Read, orders: str, name: str = "orders", pipeline: str = PIPELINE) -> Prepared:
    """What a source finds, from the YAML of its sample."""
    text = CASES.replace("\n        - {id: 1, at: 2013-01-02T01:00}", f" {orders}").replace(
        "      orders:", f"      {name}:"
    )
    if name != "orders":
        text = text.replace("sources:\n  rates: {rows: [], columns: {rate: double}}", "sources: {orders: []}")
    cases = read(text, pipeline)
    assert cases.cases, [str(item) for item in cases.diagnostics]
    return cases.cases[0].runs[-1].samples[name]


def test_a_good_file_is_its_cases(read: Read) -> None:
    cases = read(CASES)
    assert not cases.diagnostics
    (case,) = cases.cases
    assert (case.name, case.line) == ("first", 4)
    assert str(case.runs[0].window) == "2013-01-02T05:00:00Z/2013-01-03T05:00:00Z"
    assert case.runs[0].samples["rates"].columns == {"rate": "double"}
    assert [(row.cells, row.line) for row in case.datasets["result"].rows] == [({"id": "1"}, 11)]


def test_without_a_window_it_is_the_schedules_first(read: Read) -> None:
    (case,) = read(change("    window: 2013-01-02\n", "")).cases
    assert str(case.runs[0].window) == "2013-01-01T05:00:00Z/2013-01-02T05:00:00Z"


def test_errors_of_shape_hide_no_errors_of_names_and_windows(read: Read) -> None:
    text = CASES.replace("name: first", "nam: first").replace("2013-01-02\n", "2013-13-01\n")
    text = (
        text.replace("      orders:", "      order:")
        .replace("result: [{id: 1}]", "resul: []")
        .replace("  rates:", "  rate:")
    )
    assert [" ".join(str(item).split(":", 3)[1:3]) + " " + item.code for item in read(text).diagnostics] == [
        "2 3 unknown-source",
        "4 5 unknown-key",
        "5 13 invalid-window",
        "7 7 unknown-source",
        "11 9 unknown-dataset",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told_"),
    [
        ("cases:", "case:", ["3:1 unknown-key case"]),
        ("name: first", "nam: first", ["4:5 unknown-key cases[0].nam"]),
        ("window: 2013-01-02", "window: 2013-01-02T07:00", ["5:13 invalid-window cases[0].window"]),
        ("window: 2013-01-02", "window: tomorrow", ["5:13 invalid-window cases[0].window"]),
        ("window: 2013-01-02", "window: [2013-01-02]", ["5:13 wrong-type cases[0].window"]),
        ("      orders:", "      order:", ["7:7 unknown-source cases[0].sources.order"]),
        ("  rates: {rows: [], columns: {rate: double}}", "  rates: []", ["2:3 missing-key sources.rates"]),
        ("rows: [], columns", "rows: [], text: x, columns", ["2:3 invalid-value sources.rates"]),
        ("rows: [], columns: {rate: double}", "text: x", ["2:17 invalid-value sources.rates.text"]),
        ("rows: [], columns: {rate: double}", "file: ../x", ["2:17 path-outside-roots sources.rates.file"]),
        ("rows: [], columns: {rate: double}", "file: nowhere", ["2:17 file-unreadable sources.rates.file"]),
        ("{id: 1, at", "{id: [1], at", ["8:16 wrong-type cases[0].sources.orders[0].id"]),
        ("{id: 1, at", "{idd: 1, at", ["8:12 sample-column cases[0].sources.orders[0].idd"]),
        ("\n      orders:\n        - {id: 1, at: 2013-01-02T01:00}", " {}", ["6:5 missing-sample cases[0].sources"]),
        ("result: [{id: 1}]", "resul: []", ["11:9 unknown-dataset EXPECT.datasets.resul"]),
        ("datasets:", "tables:", ["11:9 unknown-load EXPECT.tables.result"]),
        ("result: [{id: 1}]", "result: {exact: true}", ["11:9 invalid-value EXPECT.datasets.result"]),
        ("result: [{id: 1}]", "result: {csv: 'id,at'}\n      error: x", ["12:14 invalid-value EXPECT.error"]),
        ("result: [{id: 1}]", "result: {csv: ''}", ["11:23 invalid-value EXPECT.datasets.result.csv"]),
        (DATASETS, "      checks: {kay: pass}", ["10:16 unknown-check EXPECT.checks.kay"]),
        ("result: [{id: 1}]", "result: {tolerance: -1}", ["11:29 out-of-range EXPECT.datasets.result.tolerance"]),
        (DATASETS, "      quarantine: none", ["10:19 unknown-value EXPECT.quarantine"]),
        (DATASETS, "      quarantine: [{lines: 3}]", ["10:21 unknown-key EXPECT.quarantine[0].lines"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(told: Told, old: str, new: str, told_: list[str]) -> None:
    found = [item.partition(" |")[0] for item in told(change(old, new))]
    wanted = [item.replace("EXPECT", "cases[0].expect") for item in told_]
    assert found == wanted or (new == "case:" and wanted[0] in found)


def test_a_near_miss_says_what_was_meant(told: Told) -> None:
    assert "did you mean 'orders'?" in told(change("      orders:", "      order:"))[0]
    assert "did you mean 'result'?" in told(change("result: [{id: 1}]", "resul: []"))[0]
    assert "did you mean 'key'?" in told(change("datasets:\n        result: [{id: 1}]", "checks: {kay: pass}"))[0]


def test_a_name_twice_is_told_at_the_second_case(told: Told) -> None:
    (found,) = told(CASES + CASES.partition("cases:\n")[2])
    assert found.startswith("12:11 duplicate-case cases[1].name | case 'first' stands here twice, first in line 4")


@pytest.mark.parametrize("text", ["", "[]", "cases: []", "cases: {}", "cases: [", "a: b: c", "cases:\n  - x"])
def test_a_file_that_is_none_is_told_and_nothing_is_raised(read: Read, text: str) -> None:
    cases = read(text)
    assert not cases.cases
    assert cases.diagnostics


def test_every_beginning_of_a_file_is_a_verdict(read: Read) -> None:
    """An editor or a copy may have written half of it."""
    for end in range(0, len(CASES), 7):
        cases = read(CASES[:end])
        assert cases.cases or cases.diagnostics


def test_a_pipeline_without_windows_of_its_own_needs_one(read: Read) -> None:
    cases = read(change("    window: 2013-01-02\n", ""), PIPELINE.replace('"@daily"', "manual"))
    assert [(item.line, item.code) for item in cases.diagnostics] == [(1, "missing-key")] or [
        item.code for item in cases.diagnostics
    ] == ["missing-key"]


# A schedule would want a default: nobody fills a form then.
PARAMS = PIPELINE.replace('"@daily"', "manual").replace("extract:", "params: {limit: {type: integer}}\nextract:", 1)


@pytest.mark.parametrize(
    ("params", "told_"),
    [
        ("", ["4:5 invalid-param cases[0] | parameter limit has no value"]),
        ("    params: {limit: x}\n", ["5:5 invalid-param cases[0].params | "]),
        ("    params: {limt: 1, limit: 1}\n", ["5:14 unknown-param cases[0].params.limt | 'limt' is no param"]),
    ],
)
def test_parameters_have_a_value_in_each_case(read: Read, params: str, told_: list[str]) -> None:
    cases = read(change(DAY, f"{params}{DAY}/2013-01-03"), PARAMS)
    found = [f"{item.line}:{item.column} {item.code} {item.key} | {item.message}" for item in cases.diagnostics]
    assert len(found) == len(told_)
    assert all(item.startswith(wanted) for item, wanted in zip(found, told_, strict=True)), found


def test_a_case_s_parameters_reach_its_pipeline(read: Read) -> None:
    (case,) = read(change(DAY, f"    params: {{limit: 7}}\n{DAY}/2013-01-03"), PARAMS).cases
    assert dict(case.pipeline.values) == {"limit": 7}


# -- samples ------------------------------------------------------------------------------------------------------


def test_rows_become_the_file_that_the_source_reads(read: Read) -> None:
    made = sample(read, '[{id: 1, note: "a, b"}, {id: 007, note: ~}, {note: say "x", extra: NO}]')
    assert made.text == 'id,at,note,extra\n1,,"a, b",\n007,,,\n,,"say ""x""",NO\n'


def test_values_stand_in_a_csv_as_they_are_written(read: Read) -> None:
    assert sample(read, "[{id: 1.10, at: 2013-01-02T01:00, note: 12:30:45}]").text == (
        "id,at,note\n1.10,2013-01-02T01:00,12:30:45\n"
    )


def test_null_is_what_the_source_says_it_is(read: Read) -> None:
    pipeline = PIPELINE.replace('null_values: ["", NA]', "null_values: [NA, x]")
    assert sample(read, "[{id: 1, note: ~}]", pipeline=pipeline).text == "id,at,note\n1,NA,NA\n"


def test_a_lonely_null_is_a_record_and_no_blank_line(read: Read) -> None:
    pipeline = PIPELINE.replace("      at: {type: timestamp}\n      note: {type: string}\n", "")
    assert sample(read, "[{id: ~}]", pipeline=pipeline).text == 'id\n""\n'


def test_the_dialect_of_the_source_counts(read: Read) -> None:
    pipeline = PIPELINE.replace("format: csv", "format: csv\n    separator: ';'\n    quote: \"'\"")
    assert sample(read, "[{id: 1, note: it's; so}]", pipeline=pipeline).text == "id;at;note\n1;;'it''s; so'\n"


def test_json_lines_keep_numbers_as_they_are_written(read: Read) -> None:
    pipeline = PIPELINE.replace('format: csv\n    null_values: ["", NA]', "format: json")
    made = sample(read, '[{id: 1, note: 2013-01-02, deep: {a: [1.10, true, ~, "2"]}}, {}]', pipeline=pipeline)
    assert made.text is not None
    first, second = made.text.splitlines()
    assert first == '{"id": 1, "note": "2013-01-02", "deep": {"a": [1.10, true, null, "2"]}}'
    assert json.loads(second) == {}


def test_a_table_gets_the_types_that_its_values_say(read: Read) -> None:
    rows = "[{a: 1, b: 1.5, c: true, d: x, e: 2013-01-02, f: 2013-01-02T01:00, g: ~, h: '2013-01-02'}, {b: 2}]"
    made = sample(read, rows, "rates")
    assert made.columns == {
        "a": "bigint", "b": "double", "c": "boolean", "d": "string", "e": "date", "f": "timestamp", "g": "string",
        "h": "string",
    }  # fmt: skip
    assert made.rows[1] == '{"b": 2}'
    assert sample(read, "{rows: [{a: 1}], columns: {a: 'decimal(10,2)'}}", "rates").columns == {"a": "decimal(10,2)"}


def test_values_that_say_no_type_are_told(told: Told) -> None:
    text = CASES.replace("{rows: [], columns: {rate: double}}", "[{rate: 1}, {rate: x}]")
    (found,) = told(text)
    assert found.startswith("2:12 invalid-value sources.rates[0].rate | the values of 'rate' don't say which type")
    assert found.endswith("give `columns: {rate: string}`")


def test_a_sample_file_lies_beside_the_test_file(read: Read, project: Project) -> None:
    project.write("id\n1\n", "samples/orders.csv")
    made = sample(read, "{file: samples/orders.csv}")
    assert made.file == str(project.folder / "dags/samples/orders.csv")


def test_an_expected_csv_knows_the_line_of_each_row(read: Read) -> None:
    csv = "result:\n          csv: |\n            id, note\n\n            1,  a\n            2,\n"
    (case,) = read(change("result: [{id: 1}]", csv)).cases
    assert [(row.cells, row.line) for row in case.datasets["result"].rows] == [
        ({"id": "1", "note": "a"}, 15),
        ({"id": "2", "note": None}, 16),
    ]


def test_an_expected_csv_with_a_ragged_line_is_told(told: Told) -> None:
    (found,) = told(change("result: [{id: 1}]", "result:\n          csv: |\n            id, note\n            1\n"))
    assert "line 14 has 1 fields, the header 2" in found


TEXT = "      orders:\n        text: |\n          a line\n"


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ("format: tsv", "id\tat\tnote\n1\t2013-01-02T01:00\t\n"),
        ("format: json_document", '[{"id": 1, "at": "2013-01-02T01:00"}]'),
        (
            "format: json_document\n    records: data.items",
            '{"data": {"items": [{"id": 1, "at": "2013-01-02T01:00"}]}}',
        ),
    ],
)
def test_rows_are_the_file_of_every_format_that_they_say_all_of(read: Read, options: str, written: str) -> None:
    found = sample(read, "[{id: 1, at: 2013-01-02T01:00}]", pipeline=PIPELINE.replace("format: csv", options))
    assert (found.text, found.format) == (written, options.split()[1])


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ("format: logs\n    pattern: logfmt", "give text: as the supplier sends it, or a file"),
        ("format: text", "give text: as the supplier sends it, or a file"),
        ("format: excel", "give a file"),
    ],
)
def test_rows_do_not_say_what_a_line_or_a_sheet_looks_like(read: Read, options: str, hint: str) -> None:
    pipeline = PIPELINE.replace("format: csv", options)
    if "text" in options:
        pipeline = pipeline.replace(PIPELINE[PIPELINE.index("    columns:") : PIPELINE.index("  rates:")], "")
        pipeline = pipeline.replace("columns: [id], name: key", "columns: [line], name: key")
    [found] = read(CASES.partition("    expect:")[0]).diagnostics if not pipeline else read(CASES, pipeline).diagnostics
    assert (found.code, found.hint) == ("invalid-value", hint)
    assert found.message == f"rows don't say what {options.split()[1]} looks like"
    given = CASES.replace(CASES[CASES.index("      orders:") : CASES.index("    expect:")], TEXT)
    told = read(given, pipeline).diagnostics
    assert [item.hint for item in told] == (["give a file"] if "excel" in options else [])
