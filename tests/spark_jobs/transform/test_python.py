"""`python`: rows through a function of the deployment's own, which must be allowed; they are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import Beside, Ran, run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
HERE = "tests.spark_jobs.transform.functions"


def called(rows: DataFrame, name: str, allowed: str = HERE, **more: Any) -> Ran:
    step = {"python": {"function": f"{HERE}:{name}"} | more}
    return run(rows, {"filter": "n > 0"}, step, beside=Beside(plan={"allowed_python": (allowed,)}))


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(0,), (1,), (2,)], "n int")


def test_an_allowed_function_gets_the_rows_and_its_options(rows: DataFrame) -> None:
    promise = {"n": "int", "margin": "double", "names": "string"}
    done = called(rows, "with_margin", "tests", options={"rate": 0.5, "names": ["a", "b"]}, columns=promise)
    assert (done.columns, sorted(done.rows)) == (["n", "margin", "names"], [(1, 0.5, "a,b"), (2, 1.0, "a,b")])
    assert done.counts.filtered == 1
    assert done.counts.reshaped == [{"step": "python", "rows_in": 2, "rows_out": 2}]
    assert called(rows, "doubled").counts.reshaped == [{"step": "python", "rows_in": 2, "rows_out": 4}]


def test_a_function_that_stops_early_does_not_hide_rows_from_the_counts(spark: SparkSession) -> None:
    done = called(spark.range(5000).selectExpr("int(id) AS n").repartition(3), "first_rows", options={"count": 2})
    assert done.counts.filtered == 1
    assert done.counts.reshaped == [{"step": "python", "rows_in": 4999, "rows_out": 2}]


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("with_margin", {"allowed": "tests.spark_jobs.transform.func"}, "doesn't allow python steps from tests."),
        ("with_margin", {"allowed": "os"}, "expected a module of os; name it in [etl] allowed_python"),
        ("imported", {}, "doesn't allow python steps from posixpath"),
        ("nosuch", {}, "can't be imported: AttributeError"),
        ("number", {}, "is int; expected a function"),
        ("with_margin", {}, "can't be called so: missing a required argument: 'rate'"),
        ("with_margin", {"options": {"rat": 1}}, "python.options"),
        ("with_margin", {"options": {"rows": 1, "rate": 1}}, "multiple values for argument 'rows'"),
        ("broken", {}, "functions:broken fails: ValueError: it broke"),
        ("unknown", {}, "unknown column 'nosuch'"),
        ("rows_of", {}, "gives list; expected a DataFrame"),
        ("doubled", {"columns": {"n": "bigint"}}, "gives 'n int'; expected n bigint"),
        ("doubled", {"columns": {"n": "int", "m": "int"}}, "gives 'n int'; expected n int, m int"),
    ],
)
def test_what_may_not_run_or_can_not_is_an_error_of_the_file(
    rows: DataFrame, name: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        called(rows, name, **more)
    assert words in str(error.value)
    assert str(error.value).startswith("transform.result[1].python")
