"""Rules about Spark SQL in a pipeline file."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import Rule

_FILTER: Final = "transform:\n  - from: orders\n  - filter: "
_SQL: Final = "transform:\n  - from: orders\n  - sql: "
_RIGHT: Final = f"{_FILTER}amount > 0\n"
_QUERY: Final = f"{_SQL}SELECT id, ordered_at FROM input\n"

RULES: Final = (
    Rule(
        code="expression-syntax",
        why="The text is no Spark SQL; the place is where the parser gave up.",
        wrong=f"{_FILTER}amount > (0\n",
        right=_RIGHT,
        mend="Mend the SQL.",
    ),
    Rule(
        code="expression-empty",
        why="The text of an expression or of a query is empty, or a comment and nothing else.",
        wrong=f'{_FILTER}""\n',
        right=_RIGHT,
        mend="Write one, or take the step out.",
    ),
    Rule(
        code="expression-many",
        why="One expression is wanted, and something is left over behind it: an alias, a second expression, a second"
        " statement. Spark would read `a b` as a renamed column.",
        wrong=f"{_FILTER}amount > 0 large\n",
        right=_RIGHT,
        mend="Take away what is left over; a column's name is its key in `derive`.",
    ),
    Rule(
        code="expression-statement",
        why="A statement, a subquery or a parameter stands where one scalar expression is wanted.",
        wrong=f"{_FILTER}id IN (SELECT id FROM orders)\n",
        right=_RIGHT,
        mend="Use a `join` or a `sql` step.",
    ),
    Rule(
        code="expression-code",
        why="The function, or `TRANSFORM … USING`, runs code of any kind, or `IDENTIFIER(…)` makes its name; or it reads files"
        " by their paths: `from_avro` and `from_xml` with options, `from_protobuf`. Authors of pipeline files aren't trusted"
        " to.",
        wrong=f"{_FILTER}java_method('java.lang.Math', 'random') = '1'\n",
        right=_RIGHT,
        mend="Use Spark SQL's other functions.",
    ),
    Rule(
        code="expression-clock",
        why="The expression reads the clock, chance, or where rows happen to lie: a window that is run again would give"
        " other rows, so nothing could be repeated or backfilled.",
        wrong=f"{_FILTER}ordered_at > current_timestamp() - INTERVAL 1 DAY\n",
        right=f"{_SQL}SELECT * FROM input WHERE ordered_at >= ${{window.start}}\n",
        mend="Use `${window.start}` and `${window.end}` in a query; or say `deterministic: false` and live with it.",
    ),
    Rule(
        code="expression-order",
        why="The order of rows decides what the call gives (`first`, `last`, `any_value`, `mode`, `collect_list`,"
        " `row_number` …), and nothing gives them one: Spark takes rows as its tasks end, so a window that is run again"
        " would have other values.",
        wrong=f"{_SQL}SELECT id, first(customer) AS customer, max(ordered_at) AS ordered_at FROM input GROUP BY id\n",
        right=f"{_SQL}SELECT id, max_by(customer, struct(ordered_at, amount)) AS customer, max(ordered_at) AS ordered_at"
        " FROM input GROUP BY id\n",
        mend="Say which one: `max_by(value, struct(when, key))`, `min(value)`, a window with ORDER BY, a `dedupe` step before;"
        " sort lists: `sort_array(collect_list(value))`.",
    ),
    Rule(
        code="query-statement",
        why="A `sql` step is one SELECT; anything else is refused, above all what writes.",
        wrong=f"{_SQL}INSERT INTO lake SELECT * FROM input\n",
        right=_QUERY,
        mend="Write a SELECT; loads write.",
    ),
    Rule(
        code="query-table",
        why="A query reads a table that is none of the pipeline's datasets. What it reads wouldn't be declared, checked or"
        " cut into windows.",
        wrong=f"{_SQL}SELECT id, ordered_at FROM prod.orders\n",
        right=_QUERY,
        mend="Read `input` or a dataset of the pipeline; make the table a source.",
    ),
)
