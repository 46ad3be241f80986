"""Expectations by Great Expectations' names: read as the check that they are, or refused at their place."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path

import pytest

from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.catalogue.rule import completed
from airflow_provider_etl.spec.expectations import arguments
from airflow_provider_etl.spec.pipeline import Pipeline
from spark_jobs import kinds
from spark_jobs.check.gx_foreign import FOREIGN, IGNORED, REQUIRED
from spark_jobs.check.gx_guard import _refuse_references
from spark_jobs.check.gx_names import EXPECTATIONS, OTHERS
from spark_jobs.check.gx_values import spark_type, strftime, strftime_of
from spark_jobs.errors import ConfigError
from tests.spec.conftest import ENVIRONMENT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    (tmp_path / "config/environments").mkdir(parents=True)
    (tmp_path / "config/environments/local.yaml").write_text(ENVIRONMENT)
    return tmp_path


def told(folder: Path, *checks: str) -> tuple[Pipeline | None, list[str]]:
    path = folder / "orders.yaml"
    path.write_text(completed("check:\n" + "".join(f"  - {item}\n" for item in checks)))
    loaded = load_file(path, expressions=True)
    return loaded.pipeline, [
        f"{item.line}:{item.column} {item.code} {item.message} | {item.hint}" for item in loaded.diagnostics
    ]


@pytest.mark.parametrize(
    ("text", "kind", "options"),
    [
        (
            "expect_column_values_to_be_between: {column: amount, min_value: 1, strict_max: true, max_value: 9}",
            "in_range",
            {"column": "amount", "min": 1, "max": 9, "strict_max": True},
        ),
        (
            "expect_column_values_to_not_be_null: {column: id, on_fail: quarantine, severity: info, name: there}",
            "not_null",
            {"columns": ["id"], "on_fail": "quarantine", "severity": "info", "name": "there"},
        ),
        (
            "expect_column_pair_values_a_to_be_greater_than_b: {column_A: id, column_B: amount, or_equal: true}",
            "compare",
            {"column": "id", "is": "greater_or_equal", "other": "amount", "ignore_nulls": "all"},
        ),
        (
            "expect_column_values_to_be_in_type_list: {column: amount, type_list: [IntegerType, FractionalType]}",
            "type",
            {"column": "amount", "types": ["int", "float", "double", "decimal"]},
        ),
        (
            """expect_column_quantile_values_to_be_between:
                {column: amount, quantile_ranges: {quantiles: [0.5, 0.9], value_ranges: [[1, null], [null, 7.5]]}}""",
            "quantile",
            {"column": "amount", "ranges": {"0.5": {"min": 1}, "0.9": {"max": 7.5}}},
        ),
        (
            "expect_column_proportion_of_non_null_values_to_be_between: {column: id, min_value: 0.9, strict_min: true}",
            "null_share",
            {"column": "id", "max": 0.1, "strict_max": True},
        ),
        (
            'expect_column_values_to_match_strftime_format: {column: customer, strftime_format: "%Y-%m-%d"}',
            "parseable_date",
            {"column": "customer", "format": "yyyy-M-d"},
        ),
        (
            "expect_table_columns_to_match_set: {column_set: [id], exact_match: false}",
            "columns",
            {"columns": ["id"], "others": True},
        ),
        (
            "expect_column_pair_values_a_to_be_greater_than_b: {column_A: id, column_B: amount, mostly: null}",
            "compare",
            {"column": "id", "is": "greater", "other": "amount", "ignore_nulls": "all"},
        ),
        (
            "expect_column_mean_to_be_between: {column: id, min_value: 1, max_value: null, strict_max: null}",
            "mean",
            {"column": "id", "min": 1},
        ),
        (
            "expect_compound_columns_to_be_unique: {column_list: [id], ignore_row_if: null}",
            "unique",
            {"columns": ["id"], "ignore_nulls": "all"},
        ),
        ("expect_table_row_count_to_equal: {value: 3}", "row_count", {"min": 3, "max": 3}),
        (
            "expect_column_values_to_be_unique: {column: id, row_condition: null, condition_parser: spark}",
            "unique",
            {"columns": ["id"]},
        ),
    ],
)
def test_an_expectation_is_the_check_that_means_the_same(
    folder: Path, text: str, kind: str, options: dict[str, object]
) -> None:
    pipeline, problems = told(folder, text)
    assert problems == []
    assert pipeline is not None
    ((found, check),) = pipeline.check["result"]
    assert found == kind
    assert kinds.dump(check) == {"name": text.split(":", maxsplit=1)[0]} | options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (
            "expect_column_max_to_be_between: {column: amount, max_value: 9, on_fail: warn, severity: info}",
            {"kwargs": {"column": "amount", "max_value": 9}, "on_fail": "warn", "severity": "info"},
        ),
        (
            "expect_column_values_to_not_be_null: {column: id, row_condition: amount > 1, condition_parser: spark}",
            {"kwargs": {"column": "id", "row_condition": "amount > 1", "condition_parser": "spark"}},
        ),
        (
            "expect_column_distinct_values_to_be_in_set: {column: ordered_at, value_set: [2013-01-01, 1, a, true]}",
            {"kwargs": {"column": "ordered_at", "value_set": ["2013-01-01", 1, "a", True]}},
        ),
        (
            """expect_column_kl_divergence_to_be_less_than:
                {column: id, threshold: 0.1, min_value: null,
                partition_object: {values: [1, 2], weights: [0.5, 0.5]}}""",
            {
                "kwargs": {
                    "column": "id",
                    "partition_object": {"values": [1, 2], "weights": [0.5, 0.5]},
                    "threshold": 0.1,
                }
            },
        ),
    ],
)
def test_what_has_no_equal_asks_great_expectations_itself(folder: Path, text: str, options: dict[str, object]) -> None:
    pipeline, problems = told(folder, text)
    assert problems == []
    assert pipeline is not None
    ((found, check),) = pipeline.check["result"]
    name = text.split(":", maxsplit=1)[0]
    assert (found, kinds.dump(check)) == ("expectation", {"type": name, "name": name} | options)
    again = kinds.build(type(check), json.loads(json.dumps(kinds.dump(check))))
    assert again == check


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "expect_column_values_to_be_betwen: {column: id}",
            "24:5 unknown-kind * did you mean 'expect_column_values_to_be_between'[?]",
        ),
        (
            "expect_column_values_to_match_like_pattern: {column: customer, like_pattern: a%}",
            "24:5 unknown-kind *has no equal in this release*a condition*",
        ),
        ("expect_column_mx_to_be_between: {column: id}", "24:5 unknown-kind *'expect_column_max_to_be_between'[?]"),
        ("expect_column_max_to_be_between: {column: id, max_valu: 3}", "24:51 unknown-key *'max_value'*"),
        ("expect_column_max_to_be_between: {column: idd, max_value: 3}", "24:47 unknown-column *did you mean 'id'[?]"),
        ("expect_column_most_common_value_to_be_in_set: {column: id}", "24:5 missing-key key 'value_set'*"),
        (
            "expect_column_most_common_value_to_be_in_set: {column: id, value_set: {$PARAMETER: known}}",
            "24:75 invalid-value *is a parameter*",
        ),
        (
            "expect_column_max_to_be_between: {column: id, max_value: 3, on_fail: quarantine}",
            "24:74 option-conflict on_fail: *names none to set aside*",
        ),
        (
            "expectation: {type: expect_column_values_to_be_null, kwargs: {colum: id}}",
            "24:* option-conflict kwargs: *no argument 'colum'; did you mean 'column'[?]*",
        ),
        (
            "expectation: {type: expect_column_values_to_be_null, kwargs: {column: id, mostly: 7}}",
            "24:* option-conflict kwargs: mostly is 7, and not a share*",
        ),
        (
            "expect_column_values_to_be_null: {column: id, row_condition: id > 1, condition_parser: pandas}",
            "24:* option-conflict kwargs: condition_parser is 'pandas'*",
        ),
        (
            "expect_column_max_to_be_between: {column: id, strict_min: true}",
            "24:* option-conflict kwargs: *needs min_value, max_value or both*",
        ),
        ("expectation: {type: expect_column_mx_to_be_between}", "24:25 option-conflict type: *did you mean*"),
        ("expect_column_values_to_be_in_set: {column: id}", "24:5 missing-key key 'value_set' is missing*"),
        (
            "expect_column_mean_to_be_between: {column: id, min_value: 3, max_value: 1}",
            "24:77 option-conflict max_value: it is smaller than min_value, 3*",
        ),
        ("expect_column_values_to_be_increasing: {column: id}", "24:5 unknown-kind *monotonic: {column*"),
        ("expect_column_mean_to_be_between: {column: amuont, min_value: 1}", "24:48 unknown-column *'amount'*"),
        ("expect_column_mean_to_be_between: {column: amount, min_valu: 1}", "24:56 unknown-key *'min_value'*"),
        (
            "expect_column_mean_to_be_between: {column: amount}",
            "24:5 option-conflict *give min_value, max_value or both*",
        ),
        ("expect_column_mean_to_be_between: {min_value: 1}", "24:5 missing-key key 'column'*"),
        ("expect_column_mean_to_be_between: [amount]", "24:39 wrong-type *"),
        ("expect_column_values_to_be_of_type: {column: id, type_: Foo}", "24:61 invalid-value *'Foo' is no type*"),
        ("expect_column_values_to_be_unique: {column: id, mostly: 1.5}", "24:61 out-of-range *"),
        ("expect_column_values_to_match_regex: {column: customer, regex: '('}", "24:68 option-conflict *no regular*"),
        ("mean: {column: customer, min: 1}", "24:20 type-mismatch *"),
        ("type: {column: amount, types: [itn]}", "24:35 option-conflict *'itn' is no type of Spark*"),
        ("columns: [id, nme]", "24:14 unknown-column *always fail*"),
        ("quantile: {column: amount, ranges: {1.5: {max: 1}}}", "24:40 option-conflict *no share*"),
        ("row_count: {same_as: result}", "24:26 option-conflict *the checked dataset itself*"),
        ("row_count: {same_as: orders, tolerance: much}", "24:45 option-conflict *neither 10 nor 1%*"),
        ("row_count: {min: 1, middle: mean}", "24:33 option-conflict *`last` is missing*"),
        ("row_count: {same_as: orders, middle: mean}", "24:42 option-conflict *`last` is missing*"),
        ("row_count: {last: 7, on_fail: warn}", "24:23 option-conflict *`tolerance` is missing*"),
        (
            "row_count: {last: 7, tolerance: 1%, same_as: orders, on_fail: warn}",
            "24:23 option-conflict *same_as is given too*",
        ),
        ("anomaly: {column: amount, on_fail: warn}", "24:23 option-conflict *rows are of no column*"),
        ("anomaly: {of: mean, on_fail: warn}", "24:19 option-conflict *`column` is missing*"),
        ("anomaly: {of: mean, column: customer, on_fail: warn}", "24:33 type-mismatch *"),
        ("anomaly: {of: null_share, column: amuont, on_fail: warn}", "24:39 unknown-column *'amuont'*"),
        ("anomaly: {last: 5, needs: 6, on_fail: warn}", "24:31 option-conflict *looks back at 5 windows*"),
        ("unique: {columns: [id], approximate: 0.01, on_fail: quarantine}", "24:42 option-conflict *names no row*"),
    ],
)
def test_what_can_t_be_is_one_error_at_its_place(folder: Path, text: str, problem: str) -> None:
    _, problems = told(folder, text)
    assert len(problems) == 1
    assert fnmatch.fnmatchcase(problems[0], problem), problems


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("row_count: {last: 7, tolerance: 50%}", "24:5"),
        ("anomaly: {of: null_share, column: id, on_fail: stop}", "24:52"),
        ("row_count: {last: 7, tolerance: 50%, on_fail: ask}", "24:51"),
        ("row_count: {last: 7, tolerance: 50%, on_fail: warn}", None),
        ("row_count: {min: 1}", None),
    ],
)
def test_a_check_that_looks_back_and_decides_wants_windows_in_their_order(
    folder: Path, text: str, place: str | None
) -> None:
    _, problems = told(folder, text)
    assert [item.split(" ")[:2] for item in problems] == ([[place, "history-needs-order"]] if place else [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "expect_column_proportion_of_non_null_values_to_be_between: {column: id, min_value: most}",
            "24:88 invalid-value 'most' is no share from 0 to 1*",
        ),
        (
            "expect_column_proportion_of_non_null_values_to_be_between: {column: id, max_value: 90}",
            "24:88 invalid-value 90 is no share from 0 to 1*",
        ),
        *(
            (
                "expect_column_pair_values_a_to_be_greater_than_b: {column_A: id, column_B: amount, or_equal: "
                + word
                + "}",
                "24:98 invalid-value *is neither true nor false*",
            )
            for word in ("no", '"false"', "[1]", "0")
        ),
        (
            "expect_table_columns_to_match_set: {column_set: [id], exact_match: no}",
            "24:72 invalid-value 'no' is neither true nor false*",
        ),
        (
            "expect_compound_columns_to_be_unique: {column_list: [id], ignore_row_if: [never]}",
            "24:78 invalid-value *is none of*",
        ),
        (
            "expect_column_values_to_be_in_type_list: {column: id, type_list: [[IntegerType]]}",
            "* invalid-value *no type*",
        ),
        ("expect_column_values_to_be_of_type: {column: id, type_: {a: 1}}", "* invalid-value *no type of PySpark*"),
        (
            "expect_column_values_to_match_strftime_format: {column: customer, strftime_format: [a]}",
            "* invalid-value *is no pattern*",
        ),
        (
            """expect_column_quantile_values_to_be_between:
                {column: amount, quantile_ranges: {quantiles: [0.5], value_ranges: [[1, 2]]},
                allow_relative_error: {}}""",
            "* invalid-value *a number from 0 to 1*",
        ),
        *(
            (f"matches: {{column: customer, regex: '{bad}'}}", f"* option-conflict *is no regular expression: *{why}*")
            for bad, why in {
                "a{99999999999999}": "",
                "*a": "nothing to repeat",
                "*.csv": "nothing to repeat",
                "(?:+)": "nothing to repeat",
                "a{2,1}": "min repeat",
                "\\": "end of pattern",
                "[z-a]": "character range",
                "(?i": "missing",
                "(?P<x>a)": "Java has",
                "a{2": "no repetition",
                "^{a}$": "no repetition",
                "a{,3}": "no repetition",
            }.items()
        ),
        (
            "expect_column_values_to_match_regex_list: {column: customer, regex_list: ['(']}",
            "* option-conflict *is no regular expression*",
        ),
        (
            "parseable_date: {column: customer, format: '%d.%m.%Y %H:%M'}",
            "* option-conflict *in Spark's letters it is dd.MM.yyyy HH:mm*",
        ),
        ("parseable_date: {column: customer, format: '%G-%V'}", "* option-conflict *'%G-%V' is Python's*"),
        ("unique: [id, id]", "* option-conflict *named twice*"),
        ("compare: {column: amount, is: less, other: amount}", "* option-conflict *the column itself*"),
    ],
)
def test_an_argument_of_another_type_is_an_error_at_its_place(folder: Path, text: str, problem: str) -> None:
    test_what_can_t_be_is_one_error_at_its_place(folder, text, problem)


@pytest.mark.parametrize(
    ("kind", "kwargs", "problem"),
    [
        (
            "expect_column_mean_to_be_between",
            "column: amount",
            "* option-conflict *needs min_value, max_value *",
        ),
        ("expect_column_max_to_be_between", "column: amount", "* option-conflict *needs min_value, max_value *"),
        (
            "expect_column_max_to_be_between",
            "column: amount, max_value: {$PARAMETER: most}",
            "* option-conflict *$PARAMETER stands for a value*",
        ),
        (
            "expect_column_values_to_be_in_set",
            "column: amount, condition_parser: spark, value_set: [1, [{$PARAMETER: most}]]",
            "* option-conflict *$PARAMETER stands for a value*",
        ),
        (
            "expect_column_max_to_be_between",
            'column: amount, max_value: 9, row_condition: "amount > 1;"',
            "* expression-many one *is left over*",
        ),
    ],
)
def test_arguments_that_great_expectations_would_take_for_nothing(
    folder: Path, kind: str, kwargs: str, problem: str
) -> None:
    test_what_can_t_be_is_one_error_at_its_place(
        folder, f"expectation: {{type: {kind}, kwargs: {{{kwargs}}}}}", problem
    )


def test_a_property_of_a_schema_may_be_called_as_a_reference() -> None:
    _refuse_references({"properties": {"$ref": {"type": "string"}, "a": {"$ref": "#/properties/$ref"}}}, "here")
    for leads in ("file:///etc/passwd", "https://example.org/schema"):
        with pytest.raises(ConfigError, match="out of the schema"):
            _refuse_references({"properties": {"$ref": {"$ref": leads}}}, "here")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("SELECT reflect('java.lang.Runtime', 'x') FROM {batch}", "24:* expression-code reflect runs code*"),
        ("FROM {batch} SELECT TRANSFORM (id) USING 'sh'", "* expression-* *"),
        ("SELECT TRANSFORM (id) USING 'sh' FROM {batch}", "* expression-code TRANSFORM * runs a program*"),
        ("SELECT * FROM csv.`/etc/passwd`", "* query-table *is no dataset*a query reads {batch}*"),
        ("SELECT * FROM {batch} JOIN orders USING (id)", "* query-table 'orders' is no dataset*"),
        ("INSERT OVERWRITE DIRECTORY '/tmp/x' USING csv SELECT * FROM {batch}", "24:* expression-syntax *"),
        ("DROP TABLE {batch}", "* query-statement DROP stands where one SELECT is wanted*"),
        ("SELECT * FROM {batch} WHERE ordered_at < now()", "* expression-clock 'now*| compare in a `sql` step, which*"),
        ("SELECT * FROM {batch} WHERE customer LIKE '{%'", "* invalid-value *{{*"),
        ("SELECT {batch.__class__} FROM {batch}", "24:* invalid-value *stands for nothing*"),
        ("SELECT * FROM {batch", "* invalid-value *{{*"),
    ],
)
@pytest.mark.parametrize(
    "form", ["unexpected_rows_expectation: {%s}", "expectation: {type: unexpected_rows_expectation, kwargs: {%s}}"]
)
def test_a_query_for_great_expectations_is_one_select_over_its_rows(
    folder: Path, form: str, query: str, problem: str
) -> None:
    _, problems = told(folder, form % f'unexpected_rows_query: "{query}"')
    assert len(problems) == 1, problems
    assert fnmatch.fnmatchcase(problems[0], problem), problems


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {batch} WHERE amount < 0;",
        "WITH low AS (SELECT id FROM {batch}) SELECT id, count(*) AS n FROM low GROUP BY id",
        "SELECT * FROM {batch} WHERE customer RLIKE 'x{{3}}'",
    ],
)
def test_a_query_over_the_batch_is_taken(folder: Path, query: str) -> None:
    assert told(folder, f'unexpected_rows_expectation: {{unexpected_rows_query: "{query}"}}')[1] == []


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("\"reflect('java.lang.Runtime', 'x') IS NULL\"", "*expression-code reflect runs code*"),
        ('"EXISTS (SELECT 1 FROM csv.`/etc/passwd`)"', "*expression-statement *subquery*"),
        ("\"id IN (SELECT TRANSFORM (id) USING 'sh' FROM orders)\"", "*expression-statement *"),
        (
            '"ordered_at < now()"',
            "*expression-clock *| compare in a `sql` step, which may name ${window.start}, or say *",
        ),
        ('"amount >"', "*expression-syntax *"),
        ('{type: pass_through, pass_through_filter: "java_method(id)"}', "*expression-code *"),
    ],
)
def test_a_condition_for_great_expectations_is_one_expression(folder: Path, condition: str, problem: str) -> None:
    text = f"expect_column_values_to_be_null: {{column: id, row_condition: {condition}, condition_parser: spark}}"
    _, problems = told(folder, text)
    assert len(problems) == 1, problems
    assert fnmatch.fnmatchcase(problems[0], problem), problems


def test_a_condition_in_great_expectations_own_form_is_no_sql(folder: Path) -> None:
    text = "expect_column_values_to_be_null: {column: id, row_condition: 'col(\"id\").notNull()', condition_parser: %s}"
    assert told(folder, text % "great_expectations")[1] == []


def test_groups_as_deep_as_python_can_t_read_are_left_to_java(folder: Path) -> None:
    deep = "(" * 2000 + ")" * 2000
    pipeline, problems = told(folder, f'matches: {{column: customer, regex: "{deep}"}}')
    assert (pipeline is not None, problems) == (True, [])


def test_every_expectation_of_great_expectations_is_known() -> None:
    from great_expectations.expectations import core

    snake = {name for name in dir(core) if name.startswith("expect_")}
    assert snake == {name for name in {*EXPECTATIONS, *FOREIGN, *OTHERS} if name.startswith("expect_")}


def test_every_argument_of_great_expectations_is_known() -> None:
    from great_expectations.expectations import core
    from great_expectations.expectations.expectation import Expectation

    every = {item.expectation_type: item for item in vars(core).values() if isinstance(item, type)}
    alone = {"expect_table_row_count_to_equal_other_table"}  # its other table is none of Great Expectations'
    for name in {*EXPECTATIONS, *FOREIGN} - alone:
        theirs = {*every[name].__fields__} - {*Expectation.__fields__, *IGNORED}
        assert {*arguments(name)} == theirs, name
        required = {key for key in theirs if every[name].__fields__[key].required}
        assert required <= REQUIRED, name


def test_strftime_s_patterns_are_spark_s() -> None:
    assert strftime("%d.%m.%y %H:%M") == "d.M.yy H:m"
    assert strftime("%Y%m%dT%H%M%S.%f") == "yyyyMMdd'T'HHmmss.SSSSSS"
    assert strftime("%F at %I o'clock %p") == "yyyy-M-d' at 'h' o''clock 'a"
    for pattern in ("%Y-%m-%d", "%Y%m%d", "%d.%m.%y at %H:%M", "%I o'clock %p"):
        assert strftime_of(strftime(pattern)) == pattern
    assert strftime_of("yyyy-MM-dd XXX") is None
    for refused in ("%A", "%Q"):
        with pytest.raises(ValueError, match="no equal"):
            strftime(refused)
    assert strftime("%Y%%F") == "yyyy%'F'"  # a percent sign, and a letter
    with pytest.raises(ValueError, match="% at the end"):
        strftime("%Y-%")
    assert spark_type("LongType") == ("bigint",)


def test_the_schema_for_editors_knows_them() -> None:
    from airflow_provider_etl.spec.json_schema import json_schema

    text = json.dumps(json_schema())
    assert all(f'"{name}"' in text for name in {*EXPECTATIONS, *FOREIGN})


@pytest.mark.parametrize(
    "regex", ["a*+", "^*", "[[a-c]x]", r"\Q(?P<\E", "[(?P<]", r"\(?P<x", "(?<x>a)", "[a-z&&[^b]]", r"\p{L}+"]
)
def test_what_java_takes_is_no_error_whatever_python_thinks_of_it(folder: Path, regex: str) -> None:
    assert told(folder, f"matches: {{column: customer, regex: '{regex}'}}")[1] == []
