"""What becomes of errors of databases: which are tried again, and what is said of the others."""

from __future__ import annotations

import pymysql  # noqa: TID253 - the cases are its errors
import pytest

from spark_jobs.connections import Connection
from spark_jobs.jdbc.sessions import Told, summed
from spark_jobs.load.databases.mariadb import MariaDB
from spark_jobs.load.databases.plain import Plain
from spark_jobs.load.databases.telling import plain

TRANSIENT = frozenset({"SQLTransientException"})


def test_who_has_waited_an_hour_for_a_lock_waits_no_other_one() -> None:
    database = MariaDB(connection=Connection(id="db", kind="mysql"))
    waited, deadlock = (pymysql.err.OperationalError(number, "try again") for number in (1205, 1213))
    assert not database.passes(waited)
    assert not database.lost(waited)
    assert database.explained(waited, "facts").kind == "infrastructure", "Airflow tries again"
    assert database.passes(deadlock)


@pytest.mark.parametrize(
    ("chain", "passes", "lost"),
    [
        ([Told(text="a", kinds=TRANSIENT), Told(text="b", state="42000")], True, False),
        ([Told(text="a", state="40001"), Told(text="b")], True, False),
        ([Told(text="a", state="08006"), Told(text="b", state="58030")], False, True),
        ([Told(text="a", kinds=frozenset({"SQLRecoverableException"})), Told(text="b")], False, True),
        ([Told(text="a"), Told(text="b", state="08004")], False, False),
        ([Told(text="a", state="08001"), Told(text="b", state="08004")], False, False),
        ([Told(text="a", state="40002")], False, False),
        ([Told(text="a", kinds=TRANSIENT), Told(text="b", state="40002")], False, False),
    ],
)
def test_a_wrapper_may_know_what_the_cause_does_not(chain: list[Told], passes: bool, lost: bool) -> None:
    found = summed(chain)
    assert found is not None
    assert (found.text, found.passes, found.lost) == (chain[-1].text, passes, lost)
    assert summed([]) is None


def test_a_rule_that_a_commit_breaks_is_about_the_data() -> None:
    found = summed([Told(text="a", state="40002"), Told(text="b", state="23505")])
    assert found is not None
    assert Plain(connection=Connection(id="db", kind="jdbc")).explained(found, "facts").kind == "data"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Column `mart`.`_etl_stage_68f_ab`.`n` is wrong", "Column `n` is wrong"),
        ('value for "ETL"."_ETL_STAGE_68F_AB"."N" is too long', 'value for "N" is too long'),
        ('Table "_ETL_STAGE_68F_AB" not found', "Table the staging table not found"),
        ("Table/View 'ETL._ETL_STAGE_68F_AB' does not exist.", "Table/View 'the staging table' does not exist."),
        ('value for "ETL"."FACTS"."N" is too long', 'value for "ETL"."FACTS"."N" is too long'),
    ],
)
def test_nobody_hears_of_a_staging_tables_name(said: str, told: str) -> None:
    assert plain(said) == told
