"""Real databases that run in the JVM of Spark's driver: Apache Derby, which comes with Spark, and H2.

`python -m tests.servers.embedded` fetches H2's jar, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from airflow_provider_etl.cli import jars
from airflow_provider_etl.spec.locks import of_lock
from spark_jobs.connections import Connection
from spark_jobs.jdbc import sessions
from spark_jobs.jdbc.address import address_of
from tests.servers.guarded import PASSWORD, missing

ROOT: Final = Path(__file__).resolve().parent.parent.parent
JARS: Final = ROOT / ".cache/drivers"
LOCK: Final = Path(__file__).with_name("drivers.lock")
SCHEMA: Final = "ETL"
_DRIVERS: Final = {
    "derby": ("org.apache.derby.jdbc.EmbeddedDriver", "derby:memory", "create=true"),
    "h2": ("org.h2.Driver", "h2:mem", "DB_CLOSE_DELAY=-1"),
}


@dataclass(frozen=True)
class Embedded:
    """A database in the memory of Spark's driver; names without quotes are upper-case in both."""

    kind: ClassVar[str] = "jdbc"
    product: str
    password: str = field(repr=False, default=PASSWORD)

    def connection(self, name: str, **extra: Any) -> Connection:
        """As Airflow would know it."""
        driver, subprotocol, _ = _DRIVERS[self.product]
        told = {"driver": driver, "subprotocol": subprotocol, "embedded": True, **extra}
        return Connection(id=name, kind=self.kind, schema="tests", login=SCHEMA, password=self.password, extra=told)

    def run(self, *statements: str) -> None:
        """Run statements; those that begin with DROP may have nothing to drop."""
        made = self.session()
        try:
            for statement in statements:
                self._run(made, statement)
            made.commit()
        finally:
            made.close()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query gives; per cent signs are doubled."""
        made = self.session()
        try:
            with made.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()
        finally:
            made.close()

    def session(self) -> sessions.Session:
        """A session of its own."""
        return sessions.connect(address_of(self.connection("db")))

    def tables(self, like: str = "") -> list[str]:
        """Names of the tables that begin with a text, in small letters."""
        made = self.session()
        try:
            found, names = (
                made.metadata.getTables(None, SCHEMA if self.product == "derby" else "PUBLIC", None, None),
                [],
            )
            while found.next():
                names.append(str(found.getString(3)))
            return [name for name in names if name.lower().startswith(like)]
        finally:
            made.close()

    def clear(self) -> None:
        """Drop all tables."""
        self.run(*[f'DROP TABLE "{name}"' for name in self.tables()])

    def _run(self, made: sessions.Session, statement: str) -> None:
        with made.cursor() as cursor:
            cursor.execute(statement, ())


@contextmanager
def embedded(product: str, spark: Any) -> Iterator[Embedded]:
    """A fresh database until the end of the block.

    Args:
        product: derby or h2.
        spark: the session in whose JVM it runs.
    """
    if product == "h2" and not JARS.is_dir():
        missing("make drivers")
    driver, subprotocol, option = _DRIVERS[product]
    jvm = spark._jvm
    jvm.java.lang.System.setProperty("derby.stream.error.method", "java.io.OutputStream.nullOutputStream")
    jvm.java.lang.System.setProperty("derby.locks.waitTimeout", "5")
    jvm.org.apache.spark.sql.execution.datasources.jdbc.DriverRegistry.register(driver)
    properties = jvm.java.util.Properties()
    properties.setProperty("user", SCHEMA)
    properties.setProperty("password", PASSWORD)
    made = jvm.java.sql.DriverManager.getConnection(f"jdbc:{subprotocol}:tests;{option}", properties)
    try:
        yield Embedded(product)
    finally:
        made.close()


if __name__ == "__main__":
    for path in jars.fetch(JARS, of_lock(LOCK.read_text(encoding="utf-8"))):
        print(f"fetched  {path}")  # noqa: T201
