"""Columns followed through the steps: what can't exist is told at its place, what isn't certain is never an error."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.spec.conftest import PIPELINE, Project

APPEND = """\
load:
  lake: {type: delta, path: data/lake/orders, write: {strategy: append}}
"""
HEAD = """\
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
    new_columns: NEW
    columns:
      id: {type: int, required: true}
      Customer: {type: string}
      amount: {type: "decimal(10,2)"}
      day: {type: date}
      at: {type: timestamp}
      paid: {type: boolean}
  customers:
    type: files
    path: ${env.raw}/customers.csv
    format: csv
    window: all
    new_columns: freeze
    columns:
      customer: {type: string}
      name: {type: string}
      id: {type: string}
"""
LOAD = """\
load:
  lake:
    type: delta
    path: ${env.lake}/orders
    write: {strategy: replace_window, column: at}
"""


def pipeline(*steps: str, new: str = "freeze", check: str = "", load: str = LOAD) -> str:
    listed = "".join(f"  - {step}\n" for step in ("from: orders", *steps))
    return f"{HEAD.replace('NEW', new)}transform:\n{listed}{check}{load}"


def found(project: Project, text: str) -> list[str]:
    """What is told; that the second source isn't used is none of these tests' business."""
    return [line for line in project.told(text) if "unused-dataset" not in line]


def codes(told: list[str]) -> list[str]:
    return [line.split(" |")[0] for line in told]


def only(project: Project, *steps: str, new: str = "freeze", load: str = LOAD) -> str:
    """The one diagnostic."""
    (told,) = found(project, pipeline(*steps, new=new, load=load))
    return told


@pytest.mark.parametrize(
    ("step", "place", "near"),
    [
        ("select: [id, amuont]", "28:18 unknown-column transform[1].select[1]", "did you mean 'amount'?"),
        ("drop: [ammount]", "28:12 unknown-column transform[1].drop[0]", "'amount'"),
        ("rename: {Amount: a}", "28:14 unknown-column transform[1].rename.Amount", "letter case counts here"),
        ("cast: {amnt: int}", "28:12 unknown-column transform[1].cast.amnt", "'amount'"),
        ("clean: {trim: [Customr]}", "28:20 unknown-column transform[1].clean.trim[0]", "'Customer'"),
        ("dedupe: {keys: [ids]}", "28:21 unknown-column transform[1].dedupe.keys[0]", "'id'"),
        (
            "dedupe: {keys: [id], order_by: [amont desc]}",
            "28:37 unknown-column transform[1].dedupe.order_by[0]",
            "'amount'",
        ),
        ("filter: amuont > 0", "28:13 unknown-column transform[1].filter", "did you mean 'amount'?"),
        ('filter: "id > 0 AND amuont > 0"', "28:25 unknown-column transform[1].filter", "'amount'"),
        ('derive: {x: "coalesce(amuont, 0)"}', "28:27 unknown-column transform[1].derive.x", "'amount'"),
        (
            "join: {with: customers, on: {Customer: nam}, columns: [name]}",
            "28:44 unknown-column transform[1].join.on.Customer",
            "'name'",
        ),
        (
            "join: {with: customers, on: {Custumer: name}, columns: [name]}",
            "28:34 unknown-column transform[1].join.on",
            "'Customer'",
        ),
        ("join: {with: customers, on: {Customer: name}, columns: [idd]}", "28:61 unknown-column", "'id'"),
        ("sql: SELECT amuont AS at FROM input", "28:17 unknown-column transform[1].sql", "'amount'"),
        ("sql: SELECT i.amuont AS at FROM input i", "28:17 unknown-column transform[1].sql", "'amount'"),
    ],
)
def test_a_column_that_cannot_exist_is_told_with_the_one_that_was_meant(
    project: Project, step: str, place: str, near: str
) -> None:
    told = found(project, pipeline(step, load=APPEND))
    assert len(told) == 1
    assert told[0].startswith(place)
    assert near in told[0]


@pytest.mark.parametrize("new", ["freeze", "discard", "quarantine"])
def test_a_closed_contract_makes_it_an_error_and_an_open_one_a_warning(project: Project, new: str) -> None:
    assert codes([only(project, "filter: extra > 0", new=new)]) == ["28:13 unknown-column transform[1].filter"]
    loaded = project.load(pipeline("filter: extra > 0", new="evolve"))
    told = [item for item in loaded.diagnostics if item.code != "unused-dataset"]
    assert [(item.code, item.severity) for item in told] == [("column-not-promised", "warning")]
    assert loaded.pipeline is not None


def test_a_foreign_expectation_names_the_column_that_was_meant(project: Project) -> None:
    check = "check: [expect_column_max_to_be_between: {column: amuont, max_value: 9}]\n"
    told = project.load(pipeline("filter: amount > 0", new="evolve") + check).diagnostics
    assert ("column-not-promised", "warning") in {(item.code, item.severity) for item in told}
    assert [item.hint for item in told if "amuont" in item.message] == ["did you mean 'amount'?"]


def test_without_a_contract_nothing_is_known_and_nothing_told(project: Project) -> None:
    text = PIPELINE.replace(
        "- filter: amount > 0", "- filter: any_thing > 0\n  - drop: [other]\n  - dedupe: {keys: [k]}"
    )
    assert found(project, text) == []


@pytest.mark.parametrize(
    ("steps", "gone"),
    [
        (("drop: [x]", "filter: x > 1"), "12:13"),
        (("rename: {x: y}", "filter: x > 1"), "12:13"),
        (("select: [a]", "filter: x > 1"), "12:13"),
        (("aggregate: {by: [a], values: {n: count(*)}}", "filter: x > 1"), "12:13"),
        (("sql: SELECT a FROM input", "filter: x > 1"), "12:13"),
    ],
)
def test_what_a_step_took_away_is_gone_whatever_the_source_has(
    project: Project, steps: tuple[str, ...], gone: str
) -> None:
    listed = "\n  - ".join(steps)
    told = found(project, PIPELINE.replace("- filter: amount > 0", f"- {listed}"))
    assert next(line.split()[:2] for line in told if "unknown-column" in line) == [gone, "unknown-column"]


@pytest.mark.parametrize(
    "steps",
    [
        ("rename: {id: order_id}", "filter: ORDER_ID > 0"),
        ("rename: {id: amount, amount: id}", "filter: amount = 1"),
        ("derive: {late: day > at}", "filter: late"),
        ("derive: {x: id + 1}", "drop: [x]", "derive: {x: id}", "filter: x > 1"),
        ("derive: {n: row_number() OVER (PARTITION BY Customer ORDER BY at)}", "filter: n = 1"),
        ("join: {with: customers, on: {Customer: customer}, columns: [name]}", "filter: NAME = 'x'"),
        ("join: {with: customers, on: {Customer: customer}, how: semi}", "filter: id > 0"),
        ("aggregate: {by: [id, at], values: {n: count(*), s: sum(amount)}}", "filter: n > 1 AND s > 0"),
        ("sql: 'SELECT *, id AS x FROM input'", "filter: x > 0 AND amount > 0"),
        ("sql: SELECT i.*, c.name FROM input i JOIN customers c ON i.Customer = c.customer", "filter: name = 'x'"),
        ("sql: WITH a AS (SELECT id AS k, at FROM input) SELECT k + 1 AS kk, at FROM a", "filter: kk > 1"),
        ("sql: SELECT id + 1 AS a, a + 1 AS b, at FROM input ORDER BY b",),
        ("sql: SELECT id, max(at) AS at FROM input GROUP BY ID HAVING max(amount) > 1",),
        ("sql: SELECT id, at FROM input i WHERE EXISTS (SELECT 1 FROM customers c WHERE c.customer = i.Customer)",),
        ("sql: SELECT at, c.x FROM input CROSS JOIN LATERAL (SELECT id AS x) c",),
        ("sql: 'SELECT at, x FROM input LATERAL VIEW explode(array(1, 2)) t AS x'",),
        ("sql: SELECT customer, name, at FROM input JOIN customers USING (customer)",),
        ("sql: SELECT at, explode(array(id)) AS e FROM input UNION ALL SELECT at, id FROM input",),
        ("sql: 'SELECT at, (SELECT max(name) FROM customers c WHERE c.customer = Customer) AS n FROM input'",),
        ("filter: exists(array(id), x -> x > id)",),
        ("derive: {x: 'transform(array(id), y -> y + 1)', z: 'struct(id AS k).k', w: \"date_trunc('day', at)\"}",),
        ("derive: {x: 'timestampdiff(DAY, at, at)', y: extract(year FROM day), w: 'dateadd(MONTH, 1, day)'}",),
        ("derive: {x: '`id` + 1', y: current_user}",),
    ],
)
def test_what_spark_resolves_passes(project: Project, steps: tuple[str, ...]) -> None:
    text = pipeline(*steps, load=APPEND).replace("y: current_user", "y: id")
    assert found(project, text) == []


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        (("rename: {id: amount}",), "28:13 column-collision transform[1].rename"),
        (("rename: {id: AMOUNT}",), "28:13 column-collision transform[1].rename"),
        (("derive: {ID: id + 1}",), "28:13 column-collision transform[1].derive"),
        (
            ("aggregate: {by: [id, at], values: {ID: count(*)}}",),
            "28:39 column-collision transform[1].aggregate.values",
        ),
        (("join: {with: customers, on: {Customer: customer}}",), "28:18 column-collision transform[1].join.with"),
        (
            ("sql: SELECT * FROM input i JOIN customers c ON i.Customer = c.customer",),
            "28:10 column-collision transform[1].sql",
        ),
        (
            ("sql: SELECT id, at FROM input i JOIN customers c ON i.Customer = c.customer",),
            "28:17 ambiguous-column transform[1].sql",
        ),
    ],
)
def test_names_that_cannot_be_told_apart_are_told(project: Project, steps: tuple[str, ...], code: str) -> None:
    assert code in codes(found(project, pipeline(*steps)))


def test_checks_and_loads_see_what_the_steps_left(project: Project) -> None:
    check = "check:\n  - not_null: [idd]\n  - references: {column: Customer, dataset: customers, key: nme}\n"
    told = found(project, pipeline("drop: [at]", check=check))
    assert [line for line in codes(told) if "unknown-column" in line] == [
        "30:16 unknown-column check[0].not_null[0]",
        "31:61 unknown-column check[1].references.key",
        "36:47 unknown-column load.lake.write.column",
    ]


def test_named_datasets_are_followed_one_by_one(project: Project) -> None:
    text = (
        HEAD.replace("NEW", "freeze")
        + "transform:\n  a: {from: orders, steps: [select: [id, at]]}\n"
        + "  b: {from: a, steps: [join: {with: customers, on: [id], how: anti}, filter: amount > 1]}\n"
        + LOAD.replace("type: delta", "type: delta\n    from: b")
    )
    told = found(project, text)
    assert "28:78 unknown-column transform.b.steps[1].filter" in codes(told)


def expression(text: str) -> str:
    return f"derive: {{x: {json.dumps(text)}}}"


CLASHING = [
    "amount > 'many'",
    "id = 'x1'",
    "id IN (2, 'two')",
    "id BETWEEN 1 AND 'nine'",
    "day > 5",
    "5 < at",
    "day = amount",
    "paid = 'maybe'",
    "paid > 1",
    "paid = day",
    "day > '2013-02-30'",
    "at > 'first of may'",
    "NOT amount",
    "id AND paid",
    "coalesce(amount, 0) = 'none'",
    "cast(Customer as int) = 'x'",
    "year(day) = 'MMXIII'",
    "CASE WHEN paid THEN 1 ELSE 2 END = 'x'",
    "sum(amount) OVER (PARTITION BY id) > 'x'",
]


@pytest.mark.parametrize("text", CLASHING)
def test_a_comparison_that_can_never_hold_is_told(project: Project, text: str) -> None:
    assert [line.split()[1] for line in found(project, pipeline(expression(text)))] == ["type-mismatch"]


LEFT_ALONE = [
    "amount > '10'",
    "amount > '1e3'",
    "id = ' 7 '",
    "day > '2013-01-01'",
    "day > '2013-1-1'",
    "day > '2013'",
    "at > '2013-01-01T05:00:00+01:00'",
    "at > '2013-01-01 05:00'",
    "day < at",
    "paid = 'true'",
    "paid = 'Y'",
    "Customer = 5",
    "Customer > day",
    "amount = id",
    "amount > NULL",
    "day - day > interval 1 day",
    "date_add(day, 1) = '2013-01-02'",
    "nosuch(day) = 5",
    "if(paid, 1, 'x') = 'y'",
    "(day IS NULL) = paid",
    "Customer LIKE 'x%'",
    "datediff(day, day) > 3",
    "to_date(Customer) > '2013-01-01'",
    "round(amount, 1) = 5",
    "count(*) OVER () > 1",
]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_spark_casts_is_left_alone(project: Project, text: str) -> None:
    assert found(project, pipeline(expression(text))) == []


CLOCKS = [
    "at > 'yesterday'",
    "day = 'today'",
    "day < 'today UTC'",
    "cast('now' AS timestamp) > at",
    "cast('tomorrow UTC' AS timestamp) > at",
    "cast('yesterday+01:00' AS date) > day",
    "timestamp'today Europe/Berlin' > at",
    "date_trunc('day', 'now') > at",
    "trunc('now', 'month') > day",
    "date_add('today', 1) > day",
    "date_sub('today', 1) > day",
    "dateadd(day, 1, 'now') > at",
    "add_months('today', 1) > day",
    "months_between('now', at) > 1",
    "last_day('today') > day",
    "next_day('today', 'MON') > day",
    "datediff('today', day) > 1",
    "datediff(day, at, 'now') > 1",
    "timestampdiff(day, at, 'now') > 1",
    "date_format('now', 'yyyy') > Customer",
    "to_date('now') > day",
    "to_timestamp('now') > at",
    "date('now') > day",
    "year('today') > id",
    "quarter('today') > id",
    "dayofweek('today UTC') > id",
    "weekday('now') > id",
    "hour('now') > id",
    "date_part('year', 'now') > id",
    "extract(year FROM 'now') > id",
    "from_utc_timestamp('now', 'UTC') > at",
    "to_utc_timestamp('now', 'UTC') > at",
    "convert_timezone('Europe/Paris', 'now') > at",
    "day - 'today' > interval 1 day",
    "'now' - at > interval 1 day",
    "coalesce(at, 'now') > at",
    "coalesce('now', at) > at",
    "nvl(at, 'now') > at",
    "nvl2(Customer, at, 'now') > at",
    "nullif(at, 'now') > at",
    "array(at, 'now')[1] > at",
    "sequence('today', day)[0] > day",
    "lag(at, 1, 'now') OVER (ORDER BY id) > at",
    "CASE at WHEN 'now' THEN 1 ELSE 2 END > id",
    "if(paid, at, 'now') > at",
    "CASE WHEN paid THEN 'today' ELSE day END > day",
]
# Texts to Spark, clocks to nobody.
NO_CLOCKS = [
    "Customer = 'today'",
    "Customer IN ('now', 'today UTC')",
    "'now' = Customer",
    "concat(Customer, 'now') = 'today'",
    "coalesce(Customer, 'now') > 'a'",
    "if(paid, 'now', Customer) > Customer",
    "to_json(named_struct('now', Customer)) > 'a'",
    "CASE Customer WHEN 'now' THEN 1 ELSE 2 END > id",
    "lag(Customer, 1, 'now') OVER (ORDER BY id) > 'a'",
    "nullif(Customer, 'now') > 'a'",
    "concat_ws(',', array(Customer, 'now')) > 'a'",
]


@pytest.mark.parametrize("text", CLOCKS)
def test_words_that_spark_reads_as_the_clock_are_the_clock(project: Project, text: str) -> None:
    assert [line.split()[1] for line in found(project, pipeline(expression(text)))] == ["expression-clock"]
    assert found(project, pipeline(expression(text)) + "deterministic: false\n") == []


@pytest.mark.parametrize("text", NO_CLOCKS)
def test_the_same_words_are_texts_among_texts(project: Project, text: str) -> None:
    assert found(project, pipeline(expression(text))) == []


@pytest.mark.parametrize(
    ("check", "place"),
    [
        ("in_range: {column: amount, min: low}", "check[0].in_range.min"),
        ("in_range: {column: day, max: 2013-02-30x}", "check[0].in_range.max"),
        ("in_set: {column: paid, values: [a]}", "check[0].in_set.values"),
        ("in_set: {column: Customer, values: [1]}", "check[0].in_set.values"),
        ("matches: {column: id, regex: x}", "check[0].matches.column"),
        ("references: {column: id, dataset: customers}", "check[0].references.column"),
    ],
)
def test_checks_that_cannot_be_answered_are_told(project: Project, check: str, place: str) -> None:
    told = found(project, pipeline(check=f"check:\n  - {check}\n"))
    assert len(told) == 1
    assert told[0].split()[1:3] == ["type-mismatch", place]


def test_a_condition_that_is_no_condition_is_told(project: Project) -> None:
    assert only(project, "filter: amount + 1").startswith("28:13 type-mismatch transform[1].filter")


def test_a_load_by_a_column_that_is_no_time_is_told(project: Project) -> None:
    told = only(project, "filter: id > 0", load=LOAD.replace("column: at", "column: id"))
    assert told.startswith("33:47 type-mismatch load.lake.write.column")


def test_a_table_may_be_laid_out_by_its_scope_and_by_what_append_adds(project: Project) -> None:
    lines = "    partition_by: [country, _pipeline, day]\n    scope: {country: US}\n"
    append = LOAD.replace("{strategy: replace_window, column: at}", "{strategy: append}")
    assert found(project, pipeline("filter: id > 0", load=append + lines)) == []
    told = only(project, "filter: id > 0", load=append + lines.replace("day]", "dai]"))
    assert told.startswith("34:40 unknown-column load.lake.partition_by[2]")
    told = only(project, "filter: id > 0", load=append + "    scope: {id: US}\n")
    assert told.startswith("34:17 type-mismatch load.lake.scope.id")


def test_types_that_spark_does_not_know_are_told(project: Project) -> None:
    text = pipeline("cast: {id: bigintt}").replace("{type: date}", "{type: datee}")
    assert codes(found(project, text)) == [
        "13:12 unknown-type extract.orders.columns.day",
        "28:16 unknown-type transform[1].cast.id",
    ]


def test_the_windows_column_must_be_a_time(project: Project) -> None:
    text = pipeline("filter: id > 0").replace("format: csv\n    new", "format: csv\n    window: {column: id}\n    new")
    assert codes(found(project, text)) == ["8:22 type-mismatch extract.orders.window.column"]


# Each of them runs on Spark (test_columns_spark.py), over a closed contract.
QUERIES = [
    "SELECT DISTINCT id, at FROM input",
    "SELECT id, count(*) AS n FROM input GROUP BY ALL",
    "SELECT day, paid, sum(amount) AS s, grouping_id() AS g FROM input GROUP BY CUBE (day, paid)",
    "SELECT day, paid, sum(amount) AS s FROM input GROUP BY GROUPING SETS ((day), (paid)) ORDER BY s",
    "SELECT id AS key, sum(amount) AS s FROM input GROUP BY key HAVING s > 0 ORDER BY key",
    "SELECT id, amount FROM input ORDER BY day, 2",
    "SELECT id, window.start AS st, window.end AS en, count(*) AS n FROM input GROUP BY id, window(at, '1 hour')",
    "SELECT window.start AS st, id, count(*) AS n FROM input GROUP BY window(at, '1 hour'), id ORDER BY window.start",
    "SELECT id, session_window.start AS st, count(*) AS n FROM input GROUP BY id, session_window(at, '5 minutes')",
    "SELECT hash(*) AS h, to_json(struct(*)) AS j, count(id) OVER () AS n FROM input",
    "SELECT first(id, true) AS a, last(day) IGNORE NULLS AS b, mode() WITHIN GROUP (ORDER BY id) AS c FROM input",
    "SELECT from_utc_timestamp(at, 'Europe/Paris') AS p, count(*) OVER () AS n FROM input",
    "SELECT * EXCEPT (paid) FROM input",
    "SELECT * FROM input NATURAL JOIN (SELECT id, 1 AS one FROM input)",
    "SELECT i.id, row_number() OVER w AS n FROM input i WINDOW w AS (PARTITION BY day ORDER BY at)",
    "SELECT * FROM (SELECT id, paid, amount FROM input) PIVOT (sum(amount) FOR paid IN (true AS yes, false AS no))",
    "SELECT * FROM (SELECT id, day FROM input) UNPIVOT (v FOR n IN (id))",
    "SELECT id, v.a + v.b AS c FROM input JOIN (VALUES (1, 2), (3, 4)) AS v(a, b) ON id = a",
    "SELECT id, x.n FROM input, LATERAL (SELECT count(*) AS n FROM customers c WHERE c.customer = input.Customer) x",
    "SELECT s.a, s.b.c FROM (SELECT struct(id AS a, struct(day AS c) AS b) AS s FROM input)",
    "SELECT named_struct('k', id).k AS k, map('a', id)['a'] AS v, array(id)[0] AS w FROM input",
    "SELECT filter(array(id, 2), x -> x > id) AS f, aggregate(array(id), 0, (acc, x) -> acc + x) AS g FROM input",
    "SELECT id FROM input WHERE (id, day) IN (SELECT max(id), max(day) FROM input)",
    "SELECT id FROM input i LEFT SEMI JOIN customers c ON i.Customer = c.customer WHERE id > 0",
    "SELECT id FROM input i LEFT ANTI JOIN customers c ON i.Customer = c.customer",
    "WITH input2 AS (SELECT id AS k FROM input), input3 AS (SELECT k + 1 AS l FROM input2) SELECT l FROM input3",
    "WITH t(a, b) AS (SELECT id, day FROM input) SELECT a, b FROM t",
    "SELECT id FROM input INTERSECT SELECT id FROM input EXCEPT SELECT 1",
    "(SELECT id FROM input) UNION ALL (SELECT id FROM input) ORDER BY id",
    "SELECT posexplode(array(id)) AS (p, v) FROM input",
    "SELECT id, e.k, e.v FROM input LATERAL VIEW explode(map('a', id)) e AS k, v",
    "SELECT id, t FROM input LATERAL VIEW OUTER explode(array(day)) AS t",
    "SELECT stack(2, 'a', id, 'b', id) AS (n, v) FROM input",
    "SELECT any_value(id) AS i, count_if(paid) AS p, max_by(id, at) AS m, first(day, true) AS f FROM input",
    "SELECT count(DISTINCT Customer) FILTER (WHERE paid) AS n FROM input",
    "SELECT percentile_approx(amount, 0.5) AS p, collect_list(id) AS l FROM input",
    "SELECT extract(YEAR FROM day) AS y, date_part('month', day) AS m, trunc(day, 'MM') AS t FROM input",
    "SELECT timestampadd(HOUR, 1, at) AS a, timestampdiff(DAY, at, at) AS d, dateadd(MONTH, 1, day) AS m FROM input",
    "SELECT CASE id WHEN 1 THEN 'a' ELSE 'b' END AS c, if(paid, 1, 0) AS i, nvl2(id, 1, 2) AS n FROM input",
    "SELECT cast(id AS string) || Customer AS t, try_cast(Customer AS int) AS i, id::bigint AS b FROM input",
    "SELECT id, amount * 1.1 AS x, -amount AS y, amount % 2 AS z, id DIV 2 AS w, ~id AS v, id & 1 AS u FROM input",
    "SELECT `id` AS `odd name`, `Customer` FROM `input`",
    "SELECT ID, cUSTOMER FROM INPUT I WHERE i.PAID AND NOT i.paid OR I.Id BETWEEN 1 AND 2",
    "SELECT a.id, b.id AS other FROM input a JOIN input b ON a.id = b.id AND a.day <=> b.day",
    "SELECT id, sum(amount) OVER (PARTITION BY Customer ORDER BY at ROWS 1 PRECEDING) AS before FROM input",
    "SELECT id, amount > (SELECT avg(amount) FROM input j WHERE j.day = input.day) AS above FROM input",
    "SELECT to_json(struct(*)) AS j FROM input",
    "SELECT id FROM input WHERE Customer LIKE ANY ('a%', 'b%') OR Customer RLIKE '^x' OR Customer ILIKE 'y%'",
    "SELECT id FROM input WHERE day IN (DATE '2013-01-01', '2013-01-02') AND at > TIMESTAMP '2013-01-01 00:00:00'",
    "SELECT id FROM input LIMIT 5",
    "FROM input SELECT id, day WHERE id > 0",
    "SELECT r.id AS n, i.id FROM input i CROSS JOIN range(3) r",
    "SELECT id FROM input WHERE day - INTERVAL 1 DAY < at AND at - at > INTERVAL '1' HOUR",
    "SELECT 1 AS one, 'x' AS x, NULL AS n, true AS t FROM input",
    "SELECT id, sum(amount) OVER () / count(*) OVER (PARTITION BY day) AS share FROM input",
    "SELECT (SELECT max(c.name) FROM customers c WHERE c.customer = i.Customer) AS n, i.* FROM input i",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_spark_runs_has_no_error(project: Project, query: str) -> None:
    loaded = project.load(pipeline(f"sql: {json.dumps(query)}", load=APPEND))
    # Spark runs what the order of rows decides; a pipeline file may not say it (tests/spec/test_sql.py).
    assert [str(item) for item in loaded.errors if item.code != "expression-order"] == []


def test_variables_in_queries_are_no_texts(project: Project) -> None:
    step = "sql: SELECT * FROM input WHERE at >= ${window.start} AND id > ${window.key}"
    assert found(project, pipeline(step)) == []


WORDS = """
a id Customer at paid day . , ( ) * + - / = <> <=> in between and or not null is like case when then else end select
from where input i join on using group by order having over partition cast as int date '2013-01-01' 'x' 1 2.5 explode
struct array map -> [ ] :: ${window.start} interval lateral view with union all exists values pivot limit `a b` true --
/* ; filter rows unnest natural semi @ # $ { }
"""


def test_nonsense_is_told_and_never_raised(project: Project) -> None:
    random, words = Random(7), WORDS.split()  # noqa: S311 - the same nonsense every time
    texts = [" ".join(random.choice(words) for _ in range(random.randint(1, 10))) for _ in range(200)]
    derived = {f"x{number}": text for number, text in enumerate(texts)}
    queries = [f"select {text} from input" for text in texts]  # noqa: S608 - nobody runs it
    steps = [f"derive: {json.dumps(derived)}", *(f"sql: {json.dumps(query)}" for query in queries)]
    told = {line.split()[1] for line in found(project, pipeline(*steps, load=APPEND))}
    assert {"expression-syntax", "unknown-column"} <= told


def test_the_dag_processor_follows_no_columns(project: Project) -> None:
    assert project.load(pipeline("select: [nosuch]"), expressions=False).pipeline is not None


@pytest.mark.parametrize("again", ["day", "Day"])
def test_a_table_can_not_be_laid_out_twice_by_one_column(project: Project, again: str) -> None:
    told = project.told(PIPELINE + f"    partition_by: [day, {again}]\n")
    assert told == [
        "19:25 duplicate-column load.lake.partition_by[1] | column 'day' stands here twice | keep one of them"
    ]


def test_the_windows_column_of_a_load_is_spelled_as_it_is(project: Project) -> None:
    """Spark would find it; the load asks the table's log for exactly this name, after all the work is done."""
    [told] = found(project, pipeline(load=LOAD.replace("column: at", "column: AT")))
    assert told.split(" | ")[1:] == ["letter case counts here: there is no column 'AT'", "write at"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("explode: {column: xs, key: k}", "explode.key | column 'xs' is an array: its elements have no keys"),
        ("explode: {column: pairs, as: v}", "explode.column | column 'pairs' is a map: its entries have keys"),
    ],
)
def test_only_maps_have_keys(project: Project, step: str, said: str) -> None:
    text = pipeline("select: [at, xs, pairs]", step).replace("format: csv", "format: json", 1)
    text = text.replace("day: {type: date}", 'xs: {type: "array<int>"}')
    text = text.replace("paid: {type: boolean}", 'pairs: {type: "map<string,int>"}')
    assert any(said in line for line in found(project, text)), found(project, text)
    rest = step.replace(", key: k", "").replace("as: v", "as: v, key: k")
    assert not found(project, text.replace(step, rest))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("order_by: [amount], values: {s: sum(id)}", "within counts in time, and 'amount' is decimal(10,2)"),
        ("order_by: [at, id], values: {s: sum(id)}", "within counts back from one timestamp or date"),
        ("order_by: [at], frame: [-1, 0], values: {s: sum(id)}", "frame says already which rows count"),
        ("order_by: [at], values: {s: first(id)}", "'s': rows of one moment have no order"),
        ("order_by: [at desc], values: {s: sum(id)}", ""),
    ],
)
def test_a_time_before_a_row_needs_a_moment_and_no_order_within_it(project: Project, options: str, said: str) -> None:
    told = found(project, pipeline(f"rank: {{within: 7d, {options}}}"))
    assert bool(told) == bool(said)
    assert all(said in line for line in told), told
