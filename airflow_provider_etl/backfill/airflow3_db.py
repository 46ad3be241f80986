"""The metadata database of Airflow 3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from spark_jobs.errors import InfrastructureError

CHUNK: Final = 500  # values in one query


@contextmanager
def session() -> Iterator[Any]:
    """A session of the metadata database, committed at the end.

    Raises:
        InfrastructureError: the database can't be reached, isn't Airflow's, or is locked.
    """
    from airflow.utils.session import create_session

    try:
        with create_session(scoped=False) as db:
            yield db
    except SQLAlchemyError as error:
        raise InfrastructureError(
            f"Airflow's metadata database: {type(error).__name__}: {str(error).splitlines()[0]}",
            where="backfill",
            remedy="run the command where [database] sql_alchemy_conn is configured; airflow db check",
        ) from error


@contextmanager
def whole() -> Iterator[None]:
    """Let transactions be whole on SQLite too, from their first statement on.

    Its driver begins none before a savepoint, so that the first savepoint's release commits; and a transaction that
    has read before it writes is refused its lock at once, half-way, where one that begins with it waits.
    """
    from airflow import settings
    from sqlalchemy import event

    engine: Any = settings.engine

    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    if engine.dialect.name != "sqlite":
        yield
        return
    event.listen(engine, "begin", begin)
    try:
        yield
    finally:
        event.remove(engine, "begin", begin)


def utc(moment: datetime | None) -> Any:
    """A moment of the database in UTC; None stays None."""
    return None if moment is None else moment.astimezone(UTC)


def text(state: Any) -> str:
    """A state as text, whether it comes as one or as an enumeration's."""
    return str(getattr(state, "value", state) or "none")
