"""What lint says of columns and types, held against a real Spark: it raises no alarm where Spark would run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import lazily
from tests.spec.conftest import PIPELINE, Project
from tests.spec.test_columns import APPEND, CLASHING, CLOCKS, HEAD, LEFT_ALONE, NO_CLOCKS
from tests.spec.test_columns import QUERIES as VALID

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
ORDERS = "id int, Customer string, amount decimal(10,2), day date, at timestamp, paid boolean"
CUSTOMERS = "customer string, name string, id string"
NAMES = ["id", "Customer", "amount", "day", "at", "paid", "name", "customer", "total", "AMOUNT", "amuont", "Id"]
NEW = ["total", "x", "id", "AMOUNT"]
CASES = 150
QUERIES = (  # ? is a column
    "SELECT ?, ? AS b FROM input",
    "SELECT *, ? AS b FROM input",
    "SELECT i.?, c.? FROM input i JOIN customers c ON i.? = c.?",
    "SELECT ? FROM input JOIN customers USING (?)",
    "WITH a AS (SELECT ? AS k, ? FROM input) SELECT k, ? FROM a ORDER BY ?",
    "SELECT ?, count(*) AS n FROM input GROUP BY ? HAVING count(?) > 0",
    "SELECT ? AS x, x IS NULL AS y FROM input WHERE ? IN (SELECT ? FROM customers)",
    "SELECT s.* FROM (SELECT ?, ? AS z FROM input) s WHERE z IS NULL ORDER BY s.z",
    "SELECT ? FROM input UNION ALL SELECT ? FROM customers",
    "SELECT ?, e FROM input LATERAL VIEW explode(array(?)) t AS e",
)
CERTAIN = {"unknown-column", "column-collision", "ambiguous-column", "type-mismatch", "unknown-type"}


@pytest.fixture(scope="module")
def orders(spark: SparkSession) -> DataFrame:
    return spark.sql(
        "SELECT 1 AS id, CAST(NULL AS STRING) AS Customer, CAST(2 AS DECIMAL(10,2)) AS amount,"
        " DATE '2013-01-01' AS day,"
        " TIMESTAMP '2013-01-01 05:00' AS at, true AS paid"
    )


@pytest.fixture(scope="module")
def customers(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], CUSTOMERS)


def some_step(random: Random) -> dict[str, Any]:
    def name() -> str:
        return random.choice(NAMES[:8] if random.random() < 0.85 else NAMES)

    def value() -> str:
        forms = [f"{name()} IS NULL", f"{name()} = {name()}", f"coalesce({name()}, {name()}) IS NOT NULL", name(),
                 f"{name()} > {random.choice(['1', '2.5', 'DATE ' + chr(39) + '2013-01-01' + chr(39), 'true'])}",
                 f"count(*) OVER (PARTITION BY {name()})", f"{name()} + 1", f"NOT {name()}"]  # fmt: skip
        return random.choice(forms)

    keys = list(dict.fromkeys(name() for _ in range(2)))
    steps: list[dict[str, Any]] = [
        {"select": keys},
        {"drop": keys[:1]},
        {"rename": {name(): random.choice(NEW)}},
        {"derive": {random.choice(NEW): value()}},
        {"filter": value()},
        {"dedupe": {"keys": keys, "order_by": [name()]}},
        {"cast": {name(): "string"}},
        {"aggregate": {"by": keys, "values": {random.choice(NEW): f"max({name()})"}}},
        {"join": {"with": "customers", "on": [name()], "how": random.choice(["left", "inner", "semi", "full"])}},
        {"join": {"with": "customers", "on": {name(): name()}, "columns": ["name"]}},
        {"sql": re.sub(r"\?", lambda _: name(), random.choice(QUERIES))},
        {"clean": {"trim": [name()]}},
    ]
    return random.choice(steps)


def cases() -> Iterator[list[dict[str, Any]]]:
    for seed in range(CASES):
        random = Random(seed)  # noqa: S311 - the same cases every time
        yield [some_step(random) for _ in range(random.randint(1, 3))]


def linted(project: Project, steps: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """(what is certain, everything that is an error) of the steps."""
    listed = "".join(f"  - {json.dumps(step)}\n" for step in steps)
    text = f"{HEAD.replace('NEW', 'freeze')}transform:\n  - from: orders\n{listed}{APPEND}"
    errors = [item for item in project.load(text).errors if item.key.startswith("transform")]
    return [str(item) for item in errors if item.code in CERTAIN], [str(item) for item in errors]


def refused(orders: DataFrame, customers: DataFrame, steps: list[dict[str, Any]]) -> str:
    """Why Spark refuses the steps; empty where it doesn't."""
    try:
        _ = lazily(orders, *steps, customers=customers).rows.schema
    except ConfigError as error:
        return str(error)
    return ""


def test_lint_and_spark_agree_on_random_steps(project: Project, orders: DataFrame, customers: DataFrame) -> None:
    seen = {"both": 0, "neither": 0, "spark alone": 0}
    for steps in cases():
        certain, errors = linted(project, steps)
        why = refused(orders, customers, steps)
        assert why or not errors, f"a false alarm: {steps}: {errors}"
        seen["both" if certain else "spark alone" if why else "neither"] += 1
    assert seen["both"] > CASES / 5
    assert seen["neither"] > CASES / 10
    assert seen["spark alone"] < CASES / 10, seen


@pytest.mark.parametrize("query", VALID)
def test_spark_takes_the_queries_that_lint_passes(orders: DataFrame, customers: DataFrame, query: str) -> None:
    assert refused(orders, customers, [{"sql": query}]) == ""


@pytest.mark.parametrize("text", CLASHING)
def test_spark_refuses_or_fails_on_what_lint_calls_a_mismatch(orders: DataFrame, text: str) -> None:
    from pyspark.errors import PySparkException

    with pytest.raises((ConfigError, PySparkException)):
        lazily(orders.fillna({"Customer": "5"}), {"derive": {"x": text}}).rows.collect()


@pytest.mark.parametrize("text", [text for text in LEFT_ALONE if "nosuch" not in text and "'y'" not in text])
def test_spark_takes_what_lint_leaves_alone(orders: DataFrame, text: str) -> None:
    lazily(orders, {"derive": {"x": text}}).rows.collect()


@pytest.mark.parametrize(
    ("text", "clock"), [*((text, True) for text in CLOCKS), *((text, False) for text in NO_CLOCKS)]
)
def test_spark_puts_the_time_in_the_place_of_what_lint_calls_the_clock(
    orders: DataFrame, text: str, *, clock: bool
) -> None:
    rows = lazily(orders.localCheckpoint(), {"derive": {"x": text}}).rows
    plan = str(rows._jdf.queryExecution().optimizedPlan().toString()).lower()
    assert bool(re.search(r"\b(now|today|yesterday|tomorrow)\b", plan)) is not clock
    rows.collect()


def examples(spark: SparkSession) -> Iterator[str]:
    """The values in the examples of Spark's own functions, where each is one and reads no table."""
    for (name,) in spark.sql("SHOW SYSTEM FUNCTIONS").collect():
        told = "\n".join(row[0] for row in spark.sql(f"DESCRIBE FUNCTION EXTENDED `{name}`").collect())
        for text in re.findall(r"> SELECT (.*?);\s*\n", told, re.DOTALL):
            if not re.search(r"\bFROM\b|\bAS\s+\w+\s*(,|$)", text, re.IGNORECASE):
                yield text


def test_no_example_of_sparks_own_functions_is_refused_as_no_expression(project: Project, spark: SparkSession) -> None:
    steps = {f"x{number}": text for number, text in enumerate(examples(spark))}
    assert len(steps) > 500
    told = project.told(PIPELINE.replace("- filter: amount > 0", f"- derive: {json.dumps(steps)}"))
    wrong = {"expression-syntax", "expression-statement", "expression-many", "expression-empty"}
    assert [line for line in told if line.split()[1] in wrong] == []
