"""A query may only read, and its values are bound; what a database says to it is asked in tests/airflow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_provider_etl.sensors.condition import Asking
from airflow_provider_etl.sensors.sql import bound, query_problem
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window
from tests.sensors.asking import NOW

WINDOW = Window(
    start=datetime(2013, 1, 1, 5, tzinfo=UTC), end=datetime(2013, 1, 2, 5, tzinfo=UTC), timezone="America/New_York"
)


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "  SELECT count(*) FROM t WHERE note = 'delete me; drop it' -- update\n",
        'WITH a AS (SELECT 1) SELECT "update" FROM a;',
        "values (1)",
        "select /* insert */ `drop`, [into] from t",
        "select * from t where at >= ${window.end} and who = ${env.WHO}",
    ],
)
def test_a_query_that_reads_may_be_asked(query: str) -> None:
    assert query_problem(query) == ""


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("delete from t", "is no SELECT"),
        ("", "is no SELECT"),
        ("explain select 1", "is no SELECT"),
        ("select 1; drop table t", "several statements"),
        ("with a as (delete from t returning 1) select * from a", "'delete' stands in a query that may only read"),
        ("select * into copy from t", "'into' stands"),
        ("select 1 /* */ ; -- \n truncate t", "several statements"),
        ("select ''''; drop table t --'", "several statements"),
    ],
)
def test_a_query_that_writes_may_not(query: str, told: str) -> None:
    assert told in query_problem(query)


def test_values_are_bound_and_never_pasted() -> None:
    asking = Asking(now=NOW, window=WINDOW, values={"env.who": "o'neil; --", "pipeline": "flights", "param.n": 3})
    query = (
        "select 1 from t where a >= ${window.start} and b < ${window.end} and c = ${window.key} "
        "and d = ${window.start:%Y-%m-%d %H} and e = ${env.who} and f = ${pipeline} and n > ${param.n}"
    )
    text, values = bound(query, asking, "?")
    assert text == "select 1 from t where a >= ? and b < ? and c = ? and d = ? and e = ? and f = ? and n > ?"
    assert values == (WINDOW.start, WINDOW.end, "2013-01-01", "2013-01-01 00", "o'neil; --", "flights", 3)


def test_a_percent_sign_is_doubled_only_for_drivers_that_format_with_it() -> None:
    asking = Asking(now=NOW, window=WINDOW)
    like = "select 1 from t where a like 'x%' and b = ${window.key}"
    assert bound(like, asking, "%s")[0] == "select 1 from t where a like 'x%%' and b = %s"
    assert bound(like, asking, "?")[0] == "select 1 from t where a like 'x%' and b = ?"
    assert bound("select 'x%'", asking, "%s") == ("select 'x%'", ())


def test_a_variable_without_a_value_is_told() -> None:
    with pytest.raises(ConfigError, match=r"\$\{env\.x\} has no value"):
        bound("select ${env.x}", Asking(now=NOW, window=WINDOW), "?")
    with pytest.raises(ConfigError, match="the run has no window"):
        bound("select ${window.end}", Asking(now=NOW), "?")
