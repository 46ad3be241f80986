"""An expression is exactly one scalar expression, a query exactly one SELECT over the pipeline's own datasets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.spec.conftest import PIPELINE, Project

Change = Callable[[str, str], str]


def filtered(text: str) -> str:
    return PIPELINE.replace("- filter: amount > 0", f"- filter: {json.dumps(text, ensure_ascii=False)}")


def queried(text: str) -> str:
    return PIPELINE.replace("- filter: amount > 0", f"- sql: {json.dumps(text)}")


@pytest.mark.parametrize(
    ("text", "offset", "code"),
    [
        ("a b", 2, "expression-many"),
        ("a AS b", 5, "expression-many"),
        ("(a) b", 4, "expression-many"),
        ("x * * y", 6, "expression-many"),
        ("1; drop table x", 1, "expression-many"),
        ("a;;", 1, "expression-many"),
        ("1 2", 2, "expression-syntax"),
        ("a, b", 1, "expression-syntax"),
        ("a = = b", 4, "expression-syntax"),
        ("a +", 2, "expression-syntax"),
        ("a limit 1", 2, "expression-syntax"),
        ("amount > (1", 10, "expression-syntax"),
        ("amount > 'x", 0, "expression-syntax"),
        ("*", 0, "expression-syntax"),
        ("a + *", 4, "expression-syntax"),
        ("NOT *", 4, "expression-syntax"),
        ("cast(* as boolean)", 5, "expression-syntax"),
        ("case when a then * end", 17, "expression-syntax"),
        ("4 > >> 1", 5, "expression-syntax"),
        ("cache table x", 0, "expression-statement"),
        ("comment on table x is 'y'", 0, "expression-statement"),
        ("t.*", 2, "expression-syntax"),
        ("", 0, "expression-empty"),
        ("-- nothing", 0, "expression-empty"),
        ("select 1", 0, "expression-statement"),
        ("(select max(a) from t)", 0, "expression-statement"),
        ("a in (select b from t)", 0, "expression-statement"),
        ("drop table x", 0, "expression-statement"),
        ("show tables", 0, "expression-statement"),
        ("set x = 1", 0, "expression-statement"),
        ("a := 1", 0, "expression-statement"),
        ("(a, b)", 0, "expression-statement"),
        ("values (1)", 0, "expression-statement"),
        ("a > :x", 0, "expression-statement"),
        ("a > ?", 0, "expression-statement"),
        ("{{ ds }}", 0, "expression-statement"),
        ("java_method('java.lang.Runtime', 'x')", 0, "expression-code"),
        ("a = reflect('a', 'b')", 4, "expression-code"),
        ("a = IDENTIFIER /**/ ('abs')", 4, "expression-code"),
        ("a = from_xml(b, 'a INT', map('rowValidationXSDPath', '/p')).a", 4, "expression-code"),
        ("a = From_Protobuf(b, 'A', '/p')", 4, "expression-code"),
    ],
)
def test_what_is_no_single_scalar_expression_is_told_at_its_column(
    project: Project, text: str, offset: int, code: str
) -> None:
    told = project.told(filtered(text))
    assert [line.split(" |")[0] for line in told] == [f"11:{14 + offset} {code} transform[1].filter"]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("at > now()", 5),
        ("at > NOW ( )", 5),
        ("at > `now`()", 5),
        ("current_date = at", 0),
        ("at = date_sub(current_date(), 1)", 14),
        ("coalesce(at, current_timestamp) > 1", 13),
        ("localtimestamp > at", 0),
        ("unix_timestamp() > 1", 0),
        ("rand() < 0.1", 0),
        ("rand(42) < 0.1", 0),
        ("uuid() = a", 0),
        ("at > timestamp 'now'", 15),
        ("at > date ' TODAY '", 10),
        ("at > timestamp'today UTC'", 14),
        ("at > timestamp_ntz'yesterday Europe/Berlin'", 18),
        ("at > timestamp_ltz 'tomorrow+01:00'", 19),
        ("at > date_trunc('day', 'now')", 23),
        ("at > date_add('today', 1)", 14),
        ("at > dateadd(day, 1, 'now')", 21),
        ("datediff(concat(a, ')', ','), 'yesterday') > 1", 30),
        ("date_format('now', 'yyyy') = a", 12),
        ("at > to_date('now')", 13),
        ("year('today UTC') = a", 5),
        ("extract(year from 'now') = 2013", 18),
        ("at > from_utc_timestamp('now', 'UTC')", 24),
        ("monotonically_increasing_id() > 1", 0),
        ("input_file_name() = a", 0),
        ("current_user = a", 0),
        ("at > current_t\u0131mestamp", 5),
        ("a = session_user", 4),
        ("user() = a", 0),
    ],
)
def test_what_a_repeat_would_answer_otherwise_is_refused(project: Project, text: str, offset: int) -> None:
    told = project.told(filtered(text))
    assert [line.split(" |")[0] for line in told] == [f"11:{14 + offset} expression-clock transform[1].filter"]
    assert "deterministic: false" in told[0]
    assert project.told(filtered(text) + "deterministic: false\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "amount > 0",
        "a IS NOT NULL AND NOT b",
        "unix_timestamp(at) > 1",
        "t.now > 1",
        "`now` > 1",
        "`current_date` = d",
        "t.current_date = d",
        "`session_user` = a",
        "t.session_user = a",
        "user = 'x'",  # a column's name, as far as a text alone can tell
        "name = 'now()'",
        "name = 'today'",
        "name IN ('now', 'today UTC')",
        "concat('now', name) = 'today'",
        "date_trunc('now', at) > d",
        "date_format(at, 'now') = 'now'",
        "to_date(name, 'now') > d",
        "upper('now') = coalesce(name, 'now')",
        "if(name = 'now', 'today', 'tomorrow') = name",
        "named_struct('now', 1).now = 1",
        "at > timestamp '2013-01-01'",
        "exists(xs, x -> x > 1)",
        "case when a then b end",
        "cast(a as decimal(10,2)) > 1.5",
        "a::int > 1",
        "xs[0].b = 1",
        "m['k'] RLIKE '^a'",
        "struct(a AS b).b = 1",
        "count(*) OVER (PARTITION BY a) > 1",
        "sum(a) FILTER (WHERE b) > 1",
        "a <=> b",
        "a -- the amount",
        "at >= at - INTERVAL 1 DAY",
        "a IN (1, 2)",
        "make_date(y, m, d) = d",
        "größe > 1 AND `naïve col` = 'ü'",
        "amount > 0;",
    ],
)
def test_spark_expressions_pass(project: Project, text: str) -> None:
    assert project.told(filtered(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "from_utc_timestamp(at, 'Europe/Paris')",
        "to_utc_timestamp(at, 'Europe/Paris')",
        "count(*) FILTER (WHERE b)",
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY f)",
        "mode() WITHIN GROUP (ORDER BY s)",
        "first(s, true)",
        "last(s) IGNORE NULLS",
        "last(s) RESPECT NULLS",
        "last(s) IGNORE NULLS OVER (PARTITION BY a ORDER BY b)",
        "hash(*)",
        "to_json(struct(*))",
        "count(DISTINCT *) > 1",
        "s IN (*)",
        "4 >>> 1",
        "a >>> 1 > 2",
        "X 'F0' = b",
        "comment = 'x'",
        "cache IS NOT NULL",
    ],
)
def test_a_call_with_something_behind_it_is_a_value(project: Project, changed: Change, text: str) -> None:
    assert project.told(changed("- filter: amount > 0", f"- derive: {{x: {json.dumps(text)}}}")) == []


def test_the_place_holds_in_blocks_folds_and_escapes(project: Project, changed: Change) -> None:
    block = changed("- filter: amount > 0", "- filter: |\n      amount > 0\n      AND at > now()")
    assert project.told(block)[0].startswith("13:16 expression-clock")
    folded = changed("- filter: amount > 0", "- filter: >-\n      amount > 0\n      AND at > now()")
    assert project.told(folded)[0].startswith("13:16 expression-clock")
    plain = changed("- filter: amount > 0", "- filter: amount > 0\n      AND at > now()")
    assert project.told(plain)[0].startswith("12:16 expression-clock")
    quoted = changed("- filter: amount > 0", "- filter: 'name = ''ü'' AND at > now()'")
    assert project.told(quoted)[0].startswith("11:36 expression-clock")
    escaped = changed("- filter: amount > 0", '- filter: "name = \\"x\\" AND at > now()"')
    assert project.told(escaped)[0].startswith("11:36 expression-clock")


def test_every_expression_of_a_mapping_is_told(project: Project, changed: Change) -> None:
    text = changed("- filter: amount > 0", '- derive: {day: "to_date(at", fine: "a + 1", now: now()}')
    assert [line.split(" |")[0] for line in project.told(text)] == [
        "11:28 expression-syntax transform[1].derive.day",
        "11:53 expression-clock transform[1].derive.now",
    ]


@pytest.mark.parametrize(
    ("text", "offset", "code"),
    [
        ("drop table x", 0, "query-statement"),
        ("insert into x select 1", 0, "query-statement"),
        ("select * into t from input", 0, "query-statement"),
        ("a + 1", 0, "query-statement"),
        ("select 1; select 2", 8, "expression-many"),
        ("select from where", 12, "expression-syntax"),
        ("select * from inputs", 14, "query-table"),
        ("select * from db.orders", 17, "query-table"),
        ("select * from csv.`/etc/passwd`", 18, "query-table"),
        ("select * from read_files('/etc')", 14, "query-table"),
        ("select * from table_changes_by_path('/etc', 0)", 14, "query-table"),
        ("select from_avro(a, '\"string\"', map('avroSchemaUrl', '/p')) from input", 7, "expression-code"),
        ("select * from (select * from secrets) s", 29, "query-table"),
        ("select now() as at from input", 7, "expression-clock"),
        ("select session_user as who from input", 7, "expression-clock"),
        ("select * from input tablesample (10 percent)", 20, "expression-clock"),
        ("select * from input TABLESAMPLE (5 ROWS) i join orders repeatable (1)", 20, "expression-clock"),
        ("select java_method('a', 'b') from input", 7, "expression-code"),
        ("select identifier('ab' || 's')(a) from input", 7, "expression-code"),
        ("", 0, "expression-empty"),
    ],
)
def test_what_is_no_single_select_over_the_datasets_is_told_at_its_column(
    project: Project, text: str, offset: int, code: str
) -> None:
    told = [line.split(" |")[0] for line in project.told(queried(text))]
    assert f"11:{11 + offset} {code} transform[1].sql" in told


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM input",
        "SELECT * FROM INPUT i JOIN Orders o ON i.id = o.id",
        "WITH big AS (SELECT * FROM input WHERE amount > 9) SELECT count(*) AS n FROM big",
        "SELECT a FROM input UNION ALL SELECT a FROM orders",
        "SELECT explode(xs) AS x FROM input",
        "SELECT * FROM input LATERAL VIEW explode(xs) t AS x",
        "SELECT i.*, r.id AS n FROM input i CROSS JOIN range(3) r",
        "SELECT * FROM (SELECT * FROM input) WHERE at >= ${window.start}",
        "SELECT count(*) AS n FROM input GROUP BY window(at, '1 hour')",
        "SELECT count(*) AS n FROM input GROUP BY s, Window (at, '1 hour')",
        "SELECT count(*) AS n FROM input GROUP BY ROLLUP (window(at, '1 hour'), s)",
        "SELECT count(*) AS n FROM input GROUP BY window.start",
        "SELECT s, sum(a) OVER w AS n FROM input WINDOW w AS (PARTITION BY s)",
        "SELECT * FROM input WHERE pmod(xxhash64(id), 100) < 10",
        "SELECT a AS session_user FROM input",
    ],
)
def test_selects_pass(project: Project, text: str) -> None:
    # The checks behind it would ask for a column that not every query gives.
    assert project.told(queried(text).replace("not_null: [id]", "row_count: {min: 1}")) == []


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM input TABLESAMPLE (10 PERCENT)",
        "SELECT * FROM input TABLESAMPLE (5 ROWS) REPEATABLE (1)",
        "SELECT * FROM input TABLESAMPLE (10 PERCENT) REPEATABLE (3)",
    ],
)
def test_who_draws_a_sample_is_told_how_to_draw_the_same_one_again(project: Project, query: str) -> None:
    [told] = project.told(queried(query))
    assert told.endswith("such as pmod(xxhash64(id), 100) < 10, or say `deterministic: false`")


def test_the_dag_processor_parses_no_sql(project: Project) -> None:
    assert project.load(filtered("a b"), expressions=False).pipeline is not None


@pytest.mark.parametrize(
    ("step", "place", "code"),
    [
        ("aggregate: {by: [a], values: {n: first(b)}}", "11:38", "expression-order"),
        ("aggregate: {by: [a], values: {n: 'last(b, true)'}}", "11:39", "expression-order"),
        ("aggregate: {by: [a], values: {n: any_value(b)}}", "11:38", "expression-order"),
        ("aggregate: {by: [a], values: {n: mode(b)}}", "11:38", "expression-order"),
        ("aggregate: {by: [a], values: {n: 'size(b) + last_value(b) IGNORE NULLS'}}", "11:49", "expression-order"),
        ("aggregate: {by: [a], values: {n: collect_list(b)}}", "11:38", "expression-order"),
        ("aggregate: {by: [a], values: {n: \"concat_ws('+', collect_set(b))\"}}", "11:54", "expression-order"),
        ("pivot: {by: [a], column: c, values: [x], aggregate: first(b)}", "11:57", "expression-order"),
        ("derive: {n: first(b) OVER (PARTITION BY a)}", "11:17", "expression-order"),
        ("derive: {n: lag(b) OVER (PARTITION BY a)}", "11:17", "expression-order"),
        ("sql: SELECT a, first(b) AS b FROM input GROUP BY a", "11:20", "expression-order"),
        ("sql: SELECT row_number() OVER (PARTITION BY a) AS n FROM input", "11:17", "expression-order"),
        ("sql: SELECT last(b) OVER w AS n FROM input WINDOW w AS (PARTITION BY a)", "11:17", "expression-order"),
    ],
)
def test_what_the_order_of_rows_decides_is_refused_where_they_have_none(
    project: Project, changed: Change, step: str, place: str, code: str
) -> None:
    text = changed("- filter: amount > 0", f"- {step}").replace("not_null: [id]", "row_count: {min: 1}")
    told = project.told(text)
    assert [line.split()[:2] for line in told] == [[place, code]]
    assert project.told(text + "deterministic: false\n") == []


@pytest.mark.parametrize(
    "step",
    [
        "aggregate: {by: [a], values: {n: 'max_by(b, struct(c, d))'}}",
        "aggregate: {by: [a], values: {n: sort_array(collect_list(b)), m: size(collect_set(b))}}",
        "aggregate: {by: [a], values: {n: 'mode(b, true)', m: mode() WITHIN GROUP (ORDER BY b)}}",
        "aggregate: {by: [a], values: {n: \"listagg(b, '+') WITHIN GROUP (ORDER BY b)\"}}",
        "rank: {by: [a], order_by: [b], values: {n: first(c), m: 'lag(c, 2)'}}",
        "derive: {n: first(b) OVER (PARTITION BY a ORDER BY c), m: sum(b) OVER (PARTITION BY a)}",
        "sql: SELECT last(b) IGNORE NULLS OVER w AS n FROM input WINDOW w AS (PARTITION BY a ORDER BY c)",
        "sql: SELECT first AS last, 'first(x)' AS t FROM input",
    ],
)
def test_what_has_an_order_or_needs_none_passes(project: Project, changed: Change, step: str) -> None:
    text = changed("- filter: amount > 0", f"- {step}").replace("not_null: [id]", "row_count: {min: 1}")
    assert project.told(text) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("by: [a, b], sets: [[a], [c]]", "'c' isn't in `by`"),
        ("by: [a, b], sets: [[a], []]", "'b' of `by` is in no set"),
        ("by: [a], sets: [[a], [a]]", "its rows would be doubled"),
        ("by: [a], sets: []", "there is no set"),
        ("sets: cube", "there is no column in `by`"),
    ],
)
def test_sets_of_columns_that_cannot_be(project: Project, changed: Change, options: str, words: str) -> None:
    step = f"- aggregate: {{{options}, values: {{n: count(*)}}}}"
    told = project.told(changed("- filter: amount > 0", step).replace("not_null: [id]", "row_count: {min: 1}"))
    assert len(told) == 1
    assert "option-conflict" in told[0]
    assert words in told[0]
