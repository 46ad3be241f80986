"""Sessions of any JDBC driver, as Python's DB-API has them: the driver runs in the JVM of Spark's driver.

Parameters are `%s`, and a tuple of them is always given. Moments are wall-clock times without a zone. JDBC reads and
writes them by the clock of the JVM, which skips an hour of spring in most zones: so it must be UTC's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Self, TypeVar

from spark_jobs.errors import ConfigError
from spark_jobs.jdbc.address import Address

_READ_COMMITTED: Final = 2  # java.sql.Connection.TRANSACTION_READ_COMMITTED
_SERIALIZABLE: Final = 8
_MARK: Final = re.compile(r"%([s%])")
_WHOLE: Final = frozenset({-6, 4, 5, -5})  # java.sql.Types
_DATE, _TIMESTAMP = 91, 93
_TEXTS: Final = frozenset({1, 12, -1, -9, -15, -16, 2005, 2011})
_LOST: Final = frozenset(
    {"SQLNonTransientConnectionException", "SQLTransientConnectionException", "SQLRecoverableException"}
)
_TRANSIENT: Final = "SQLTransientException"
_KINDS: Final = (*sorted(_LOST), _TRANSIENT)
_RULE: Final = "40002"  # a rule of the table that is looked at by the commit: no other try keeps it

T = TypeVar("T")


class DriverError(Exception):
    """What a JDBC driver raised.

    Args:
        text: its words.
        state: the SQLSTATE; empty where the driver says none.
        passes: whether the same transaction may simply be tried again: a deadlock, a lock waited for too long.
        lost: whether the connection broke.
    """

    def __init__(self, text: str, state: str = "", *, passes: bool = False, lost: bool = False) -> None:
        super().__init__(text)
        self.text, self.state, self.passes, self.lost = text, state, passes, lost


@dataclass(frozen=True, kw_only=True)
class Told:
    """A java.sql.SQLException.

    Args:
        text: its words.
        state: its SQLSTATE; empty where it has none.
        kinds: classes of java.sql that it is one of, of those that say whether another try makes sense.
    """

    text: str
    state: str = ""
    kinds: frozenset[str] = frozenset()


def driver_error(error: Exception) -> DriverError | None:
    """What a driver raised beneath an error of py4j or of Spark; None where none did."""
    from py4j.java_gateway import is_instance_of
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    cause, found = getattr(error, "java_exception", None) or getattr(error, "_origin", None), list[Told]()
    while cause is not None:
        if is_instance_of(gateway, cause, "java.sql.SQLException"):
            kinds = frozenset(name for name in _KINDS if is_instance_of(gateway, cause, f"java.sql.{name}"))
            text = str(cause.getMessage() or cause.getClass().getSimpleName())
            found.append(Told(text=text, state=str(cause.getSQLState() or ""), kinds=kinds))
        cause = cause.getCause()
    return summed(found)


def summed(chain: Sequence[Told]) -> DriverError | None:
    """What SQLExceptions that cause each other mean together; None where there are none.

    Args:
        chain: the outermost first; the innermost knows best what happened, but a wrapper may know whether it passes.
    """
    if not chain:
        return None
    inner = chain[-1]
    lost = any(item.kinds & _LOST or item.state.startswith("08") for item in chain)
    refused = any(item.state.startswith("08004") for item in chain)  # the server said no
    passes = any(_TRANSIENT in item.kinds or item.state.startswith("40") or item.state == "HYT00" for item in chain)
    broken = any(item.state == _RULE for item in chain)
    state = _RULE if broken else inner.state
    return DriverError(" ".join(inner.text.split()), state, passes=passes and not broken, lost=lost and not refused)


def connect(address: Address) -> Session:
    """A session, not in autocommit, that sees what others have committed.

    Raises:
        DriverError: the database can't be reached, or refuses.
        ConfigError: there is no JVM here, its clock isn't UTC's, there is no such driver in it, or the database knows
            no transactions.
    """
    from py4j.protocol import Py4JJavaError

    jvm, where = _jvm(), address.url
    _refuse_zone(jvm, where)
    registry = jvm.org.apache.spark.sql.execution.datasources.jdbc.DriverRegistry
    properties = jvm.java.util.Properties()
    for key, value in address.properties.items():
        properties.setProperty(key, value)
    try:
        registry.register(address.driver)
    except Py4JJavaError as error:
        raise _missing(error, address) from None
    made = _told(lambda: registry.get(address.driver).connect(address.url, properties))
    if made is None:
        raise ConfigError(f"{address.driver} takes no such URL", where=where, remedy="see the connection's subprotocol")
    session = Session(made, jvm)
    try:
        _told(lambda: _begin(session, where))
    except (ConfigError, DriverError):
        session.close()
        raise
    return session


def _begin(session: Session, where: str) -> None:
    told, java = session.metadata, session.java
    if not told.supportsTransactions():
        raise ConfigError("the database knows no transactions", where=where, expected="one that does")
    java.setAutoCommit(False)
    committed = told.supportsTransactionIsolationLevel(_READ_COMMITTED)
    java.setTransactionIsolation(_READ_COMMITTED if committed else _SERIALIZABLE)


def _refuse_zone(jvm: Any, where: str) -> None:
    zones = jvm.java.util.TimeZone
    found = zones.getDefault()
    if not found.hasSameRules(zones.getTimeZone("UTC")):
        raise ConfigError(
            f"the clock of Spark's Java is that of {found.getID()}, by which a driver would shift times",
            where=where,
            expected="UTC",
            remedy="start Java with -Duser.timezone=UTC, as engines do",
        )


def _missing(error: Exception, address: Address) -> Exception:
    if "ClassNotFoundException" not in str(error):
        return error
    return ConfigError(
        f"the driver {address.driver} isn't there",
        where=address.url,
        remedy="put its jar into the engine's `jars`",
    )


def _jvm() -> Any:
    try:
        from pyspark import SparkContext
    except ImportError:  # a worker of Airflow may have none
        context = None
    else:
        context = SparkContext._active_spark_context
    if context is None:
        raise ConfigError(
            "no Spark runs here, by whose Java a database of type jdbc is asked",
            expected="a session of Spark in this process",
        )
    return context._jvm


def _told(ask: Callable[[], T]) -> T:
    """Do something with the driver; what it raises is ours."""
    from py4j.protocol import Py4JJavaError

    try:
        return ask()
    except Py4JJavaError as error:
        found = driver_error(error)
        if found is None:
            raise
        raise found from None


class Session:
    """A connection of Python's DB-API.

    Args:
        java: a java.sql.Connection.
        jvm: py4j's view of the JVM.
    """

    def __init__(self, java: Any, jvm: Any) -> None:
        self.java, self.jvm = java, jvm

    @property
    def metadata(self) -> Any:
        """The java.sql.DatabaseMetaData."""
        return self.java.getMetaData()

    def told(self, ask: Callable[[], T]) -> T:
        """Ask the driver something.

        Raises:
            DriverError: it says no.
        """
        return _told(ask)

    def cursor(self) -> Cursor:
        """A cursor; there may be several."""
        return Cursor(self)

    def commit(self) -> None:
        """Commit."""
        _told(self.java.commit)

    def rollback(self) -> None:
        """Undo what wasn't committed."""
        _told(self.java.rollback)

    def close(self) -> None:
        """Undo what wasn't committed, and end; a driver may refuse to end amid a transaction."""
        with suppress(DriverError):
            _told(self.java.rollback)
        _told(self.java.close)


class Cursor:
    """A cursor of Python's DB-API; rows are fetched at once, so that ledgers may be asked but no large tables."""

    def __init__(self, connection: Session) -> None:
        self.connection, self.rowcount = connection, -1
        self._rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        """Itself: nothing is to be closed."""
        return self

    def __exit__(self, *_told: object) -> None:
        """Nothing is open between two statements."""

    def execute(self, statement: str, values: Sequence[Any] = (), *, seconds: int = 0) -> None:
        """Run a statement.

        Args:
            statement: SQL.
            values: its parameters.
            seconds: how long it may take, where the driver can end it; 0 for no limit.

        Raises:
            DriverError: it fails, or takes longer.
        """
        _told(lambda: self._execute(statement, values, seconds))

    def _execute(self, statement: str, values: Sequence[Any], seconds: int) -> None:
        sql = _MARK.sub(lambda mark: "?" if mark[1] == "s" else "%", statement)
        prepared = self.connection.java.prepareStatement(sql)
        try:
            if seconds:
                _limit(prepared, seconds)
            for place, value in enumerate(values, 1):
                prepared.setObject(place, self._java(value))
            rows = prepared.execute()
            self.rowcount = -1 if rows else int(prepared.getUpdateCount())
            self._rows = list(_rows(prepared.getResultSet())) if rows else []
        finally:
            prepared.close()

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        found, self._rows = self._rows, []
        return found

    def _java(self, value: Any) -> Any:
        sql = self.connection.jvm.java.sql
        if isinstance(value, datetime):
            return sql.Timestamp.valueOf(value.isoformat(sep=" "))
        return sql.Date.valueOf(value.isoformat()) if isinstance(value, date) else value


def _limit(prepared: Any, seconds: int) -> None:
    try:
        _told(lambda: prepared.setQueryTimeout(seconds))
    except DriverError as error:
        if not error.state.startswith("0A"):  # a driver needn't know how
            raise


def _rows(result: Any) -> Any:
    told = result.getMetaData()
    kinds = [told.getColumnType(place) for place in range(1, told.getColumnCount() + 1)]
    while result.next():
        yield tuple(_value(result, place, kind) for place, kind in enumerate(kinds, 1))


def _value(result: Any, place: int, kind: int) -> Any:
    if kind in _WHOLE:
        number = result.getLong(place)
        return None if result.wasNull() else int(number)
    if kind in _TEXTS:
        return result.getString(place)
    found = result.getTimestamp(place) if kind == _TIMESTAMP else result.getObject(place)
    if isinstance(found, Decimal) and found.as_tuple().exponent == 0:
        return int(found)  # where there is no other type for whole numbers
    if found is None or kind not in {_DATE, _TIMESTAMP}:
        return found
    return (datetime if kind == _TIMESTAMP else date).fromisoformat(found.toString())
