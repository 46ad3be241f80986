"""What becomes of errors of databases: which are tried again, and what is said of the others."""

from __future__ import annotations

import pymysql  # noqa: TID253 - the cases are its errors

from spark_jobs.connections import Connection
from spark_jobs.load.databases.mariadb import MariaDB


def test_who_has_waited_an_hour_for_a_lock_waits_no_other_one() -> None:
    database = MariaDB(connection=Connection(id="db", kind="mysql"))
    waited, deadlock = (pymysql.err.OperationalError(number, "try again") for number in (1205, 1213))
    assert not database.passes(waited)
    assert not database.lost(waited)
    assert database.explained(waited, "facts").kind == "infrastructure", "Airflow tries again"
    assert database.passes(deadlock)
