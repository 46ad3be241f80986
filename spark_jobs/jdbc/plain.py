"""A connection of a JDBC driver, spoken to as Python's DB-API: the driver's jar is in Spark's JVM, and nowhere else.

It works where the JVM gateway does: in a classic session's driver, never on executors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Self

from spark_jobs.jdbc.address import Address

_MARKS: Final = re.compile(r"%[s%]")
_MOMENTS: Final = (93, 2014)  # java.sql.Types: TIMESTAMP, TIMESTAMP_WITH_TIMEZONE
_TEXTS: Final = (12, -1, -9, -16, 2005, 2011, 1, -15)


class JdbcError(Exception):
    """What a driver says.

    Args:
        text: its words.
        state: the SQLSTATE, or nothing.
    """

    def __init__(self, text: str, state: str) -> None:
        super().__init__(text)
        self.text, self.state = text, state


@contextmanager
def _told() -> Iterator[None]:
    """Turn the exception of a driver into ours; another one stays."""
    from py4j.protocol import Py4JJavaError

    try:
        yield
    except Py4JJavaError as error:
        cause = error.java_exception
        while cause is not None and not hasattr(cause, "getSQLState"):
            cause = cause.getCause()
        told = cause if cause is not None else error.java_exception
        state = str(told.getSQLState() or "") if cause is not None else ""
        raise JdbcError(str(told.getMessage() or told.toString()).strip().splitlines()[0], state) from None


def connect(address: Address) -> JdbcConnection | None:
    """A connection, not in autocommit; None where no Spark is running here.

    Args:
        address: of the database.

    Raises:
        JdbcError: the driver isn't there, or can't connect.
    """
    from pyspark.sql import SparkSession

    spark = SparkSession.getActiveSession() or SparkSession._instantiatedSession
    if spark is None:
        return None
    jvm: Any = spark._jvm
    with _told():
        driver = _driver(jvm, address.driver)
        properties = jvm.java.util.Properties()
        for key, value in address.properties.items():
            properties.setProperty(key, value)
        made = driver.connect(address.url, properties)
        made.setAutoCommit(False)
    return JdbcConnection(jvm, made)


def _driver(jvm: Any, name: str) -> Any:
    from py4j.protocol import Py4JJavaError

    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    try:
        return loader.loadClass(name).newInstance()  # py4j calls no varargs without an argument
    except Py4JJavaError:
        raise JdbcError(f"the driver {name} isn't there: put its jar into the engine's `jars`", "42000") from None


class JdbcConnection:
    """A connection.

    Args:
        jvm: Spark's.
        made: a java.sql.Connection.
    """

    def __init__(self, jvm: Any, made: Any) -> None:
        self.jvm, self.made = jvm, made

    def cursor(self) -> JdbcCursor:
        """What runs statements."""
        return JdbcCursor(self)

    def commit(self) -> None:
        """Commit."""
        with _told():
            self.made.commit()

    def rollback(self) -> None:
        """Undo what wasn't committed."""
        with _told():
            self.made.rollback()

    def close(self) -> None:
        """End the session."""
        with _told():
            self.made.close()

    def columns(self, schema: str, table: str) -> list[tuple[str, str]]:
        """(name, type as `number:NAME:size:scale`) of a table's columns, in order."""
        with _told():
            about = self.made.getMetaData()
            escape = str(about.getSearchStringEscape() or "")
            named = re.sub(r"([_%])", lambda mark: escape + mark[1], table)
            found = about.getColumns(self.made.getCatalog(), schema or self.made.getSchema(), named, "%")
            rows = []
            while found.next():
                parts = [found.getInt("DATA_TYPE"), found.getString("TYPE_NAME")]
                parts += [found.getInt("COLUMN_SIZE"), found.getInt("DECIMAL_DIGITS")]
                rows.append((str(found.getString("COLUMN_NAME")), ":".join(map(str, parts))))
            return rows


class JdbcCursor:
    """Runs one statement after the other; parameters are `%s`."""

    def __init__(self, connection: JdbcConnection) -> None:
        self.connection, self.rowcount = connection, -1
        self._rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left open: rows are fetched at once."""

    def execute(self, sql: str, values: Sequence[Any]) -> None:
        """Run a statement, and fetch its rows: they are few here.

        Raises:
            JdbcError: the database refuses it.
        """
        asked = _MARKS.sub(lambda mark: "?" if mark[0] == "%s" else "%", sql)
        with _told():
            statement = self.connection.made.prepareStatement(asked)
            try:
                for place, value in enumerate(values, 1):
                    self._bind(statement, place, value)
                has_rows = statement.execute()
                self._rows = self._fetched(statement.getResultSet()) if has_rows else []
                self.rowcount = len(self._rows) if has_rows else int(statement.getUpdateCount())
            finally:
                statement.close()

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def _bind(self, statement: Any, place: int, value: Any) -> None:
        sql = self.connection.jvm.java.sql
        if isinstance(value, datetime):
            text = value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
            statement.setTimestamp(place, sql.Timestamp.valueOf(text))
        elif isinstance(value, date):
            statement.setDate(place, sql.Date.valueOf(value.isoformat()))
        elif isinstance(value, int) and not isinstance(value, bool):
            statement.setBigDecimal(place, self.connection.jvm.java.math.BigDecimal(str(value)))
        else:
            statement.setObject(place, value)

    @staticmethod
    def _fetched(found: Any) -> list[tuple[Any, ...]]:
        about = found.getMetaData()
        kinds = [about.getColumnType(place) for place in range(1, about.getColumnCount() + 1)]
        rows = []
        while found.next():
            rows.append(tuple(_value(found, place, kind) for place, kind in enumerate(kinds, 1)))
        return rows


def _value(found: Any, place: int, kind: int) -> Any:
    if kind in _TEXTS:
        return found.getString(place)
    if kind in _MOMENTS:
        moment = found.getTimestamp(place)
        # Java writes as many digits of a second as it needs, up to nine; the JVM is in UTC.
        whole, _, part = str(moment.toString()).partition(".") if moment is not None else ("", "", "")
        return datetime.fromisoformat(f"{whole}.{part[:6]:0<6}") if whole else None
    value = found.getObject(place)
    return int(value) if isinstance(value, Decimal) and value == int(value) else value
