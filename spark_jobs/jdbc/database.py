"""A database as Spark reads it: what columns there are, and rows in parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from spark_jobs.connections import Connection
from spark_jobs.errors import InfrastructureError
from spark_jobs.jdbc.address import Address, address_of
from spark_jobs.jdbc.dialect import Dialect, Found
from spark_jobs.jdbc.failures import meant
from spark_jobs.jdbc.mysql import MYSQL
from spark_jobs.jdbc.other import OTHER
from spark_jobs.jdbc.postgres import POSTGRES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DIALECTS: Final = {item.name: item for item in (POSTGRES, MYSQL, OTHER)}
EVERYTHING: Final = "1 = 1"
_PAUSES: Final = (1.0, 4.0)  # seconds before the second and the third try to reach a database

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database, read by transactions that can't write.

    Args:
        spark: the session.
        address: where it is.
        dialect: how it is spoken to.
        where: place in the pipeline file.
        fetch: rows that a driver takes at once.
        limit: milliseconds that a statement may take; 0 for no limit.
    """

    spark: SparkSession
    address: Address
    dialect: Dialect
    where: str
    fetch: int
    limit: int = 0

    @classmethod
    def of(cls, spark: SparkSession, connection: Connection, where: str, *, fetch: int, limit: int = 0) -> Database:
        """The database of a connection.

        Raises:
            ConfigError: the connection is no database's, or a part of it isn't allowed.
        """
        address = address_of(connection)
        dialect = DIALECTS[address.database]
        return cls(spark=spark, address=address, dialect=dialect, where=where, fetch=fetch, limit=limit)

    def columns(self, relation: str) -> list[Found]:
        """The columns of a table or of a query in parentheses; no row is read.

        Raises:
            EtlError: the database can't be reached or refuses, or a column's type is unknown.
        """
        rows = self._patiently(lambda: self._read(relation, [EVERYTHING]))
        return [
            Found(
                name=item.name,
                native=str(item.metadata.get("jdbcClientType", "")),
                spark=item.dataType.simpleString(),
                signed=bool(item.metadata.get("isSigned", True)),
            )
            for item in rows.schema
        ]

    def rows(self, query: str, parts: Sequence[str] = (EVERYTHING,)) -> DataFrame:
        """What a SELECT gives, lazily.

        Args:
            query: the SELECT.
            parts: conditions over its columns, each read by a task of its own.
        """
        with explained(self.where):
            return self._read(f"({query}) etl_rows", parts)

    def first(self, query: str) -> tuple[Any, ...]:
        """The first row of a SELECT.

        Raises:
            EtlError: as for `columns`.
        """
        row = self._patiently(lambda: self.rows(query).first())
        return tuple(row) if row is not None else ()

    def _read(self, relation: str, parts: Sequence[str]) -> DataFrame:
        options = {
            "driver": self.address.driver,
            "fetchsize": str(self.fetch),
            # What a database compares may not be what Spark compares: letter case, blanks, NaN.
            "pushDownPredicate": "false",
            "preferTimestampNTZ": "true",
        }
        properties = {**self.address.properties, **self.dialect.session(self.limit)}
        return self.spark.read.options(**options).jdbc(
            self.address.url, relation, predicates=list(parts), properties=properties
        )

    def _patiently(self, ask: Callable[[], T]) -> T:
        for pause in _PAUSES:
            try:
                with explained(self.where):
                    return ask()
            except InfrastructureError:
                time.sleep(pause)
        with explained(self.where):
            return ask()


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn what a database or its driver says into an error of ours."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        told = meant(str(error), where)
        if told is None:
            raise
        raise told from error
