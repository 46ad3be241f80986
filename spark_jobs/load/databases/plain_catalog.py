"""What java.sql.DatabaseMetaData says of a database and of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.jdbc.sessions import Session
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import STAGE, TableName
from spark_jobs.load.databases.plain_types import MICROSECONDS, TIMESTAMP, Described, Type, zoned

_PLAIN: Final = re.compile(r"[a-z0-9_]+")
_COUNTING: Final = re.compile(r"identity|serial", re.IGNORECASE)
_TABLES: Final = frozenset({"TABLE", "BASE TABLE"})


@dataclass(frozen=True, kw_only=True)
class Nature:
    """What a database is like.

    Args:
        product: its name and version.
        types: number of java.sql.Types -> the type.
        upper: whether names that stand without quotes become upper-case.
        exact: whether names in quotes differ by letter case.
        longest: how many characters a name may have; 0 where that isn't said.
    """

    product: str
    types: Mapping[int, Type]
    upper: bool
    exact: bool
    longest: int

    def folded(self, name: str) -> str:
        """A name in small letters as the database writes it; where letter case doesn't count, any name."""
        if not self.exact:
            return name.lower()
        return name.upper() if self.upper and _PLAIN.fullmatch(name) else name


def nature_of(session: Session, where: str) -> Nature:
    """What the driver says of the database.

    Raises:
        ConfigError: its names aren't quoted as standard SQL does it.
        DriverError: it can't be asked.
    """
    told = session.metadata
    product = f"{told.getDatabaseProductName()} {told.getDatabaseProductVersion()}".partition(" (")[0]
    if str(told.getIdentifierQuoteString()) != '"':
        raise ConfigError(f"{product} quotes names in a way of its own", where=where, expected='"name"')
    return Nature(
        product=product.partition(" - ")[0],
        types=types_of(_listed(told.getTypeInfo())),
        upper=bool(told.storesUpperCaseIdentifiers()),
        exact=bool(told.supportsMixedCaseQuotedIdentifiers()),
        longest=min(filter(None, (told.getMaxColumnNameLength(), told.getMaxTableNameLength())), default=0),
    )


def _listed(result: Any) -> list[tuple[str, int, int, int]]:
    return [(str(row.getString(1)), row.getInt(2), row.getInt(3), row.getInt(15)) for row in _each(result)]


def types_of(listed: Iterable[tuple[str, int, int, int]]) -> dict[int, Type]:
    """The first of each number comes nearest to it; of moments the first that has microseconds, and no zone.

    Args:
        listed: name, number of java.sql.Types, size and largest scale of each type that a driver knows, in its order.
    """
    found: dict[int, Type] = {}
    for name, code, size, scale in listed:
        cut = code == TIMESTAMP and (scale < MICROSECONDS or zoned(name))
        if code not in found and not cut and not _COUNTING.search(name):
            found[code] = Type(name=name, size=size, scale=scale)
    return found


def columns(cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
    """Name -> column, in order; None where there is no such table.

    Args:
        cursor: of a session.
        table: as the database writes it.

    Raises:
        ConfigError: the name is taken by something that is no table.
    """
    return cursor.connection.told(lambda: _columns(cursor.connection, table))  # type: ignore[no-any-return]


def _columns(session: Session, table: TableName) -> dict[str, Described] | None:
    place = _Place.of(session, table.schema)
    kind = next((row.getString(4) for row in place.tables(table.name) if _same(row.getString(3), table.name)), None)
    if kind is None:
        return None
    if kind not in _TABLES:
        raise ConfigError(f"it is a {kind.lower()}", where=str(table), expected="a table")
    found = place.columns(table.name)
    described = [_described(row) for row in found if _same(row.getString(3), table.name)]
    return {column.name: column for column in described}


def _described(row: Any) -> Described:
    name, code, kind, size, scale = row.getString(4), row.getInt(5), str(row.getString(6)), row.getInt(7), row.getInt(9)
    sizes = (
        ""
        if not size
        else f"({size},{scale})"
        if code in {2, 3}
        else f"({size})"
        if code in {1, 12, -9, -15, -2, -3}
        else ""
    )
    told = kind.replace("()", sizes) if "()" in kind else f"{kind}{sizes}"
    return Described(name=name, kind=told, code=code, size=size, scale=scale)


def computed(cursor: Cursor, table: TableName) -> set[str]:
    """Generated columns."""
    session = cursor.connection

    def ask() -> set[str]:
        found = _Place.of(session, table.schema).columns(table.name)
        return {row.getString(4) for row in found if row.getString(24) == "YES"}

    return session.told(ask)  # type: ignore[no-any-return]


def stages(cursor: Cursor, table: TableName) -> list[str]:
    """Staging tables beside a table, in small letters."""
    session = cursor.connection

    def ask() -> list[str]:
        place = _Place.of(session, table.schema)
        names = {row.getString(3).lower() for told in (STAGE, STAGE.upper()) for row in place.tables(told, "%")}
        return sorted(name for name in names if name.startswith(STAGE))

    return session.told(ask)  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A schema whose tables are asked for."""

    metadata: Any
    catalog: str | None
    schema: str | None

    @classmethod
    def of(cls, session: Session, schema: str) -> _Place:
        own = session.java.getSchema()
        return cls(metadata=session.metadata, catalog=session.java.getCatalog(), schema=schema or own)

    def tables(self, name: str, rest: str = "") -> Iterator[Any]:
        return _each(self.metadata.getTables(self.catalog, self._like(self.schema), self._like(name, rest), None))

    def columns(self, name: str) -> Iterator[Any]:
        return _each(self.metadata.getColumns(self.catalog, self._like(self.schema), self._like(name), None))

    def _like(self, name: str | None, rest: str = "") -> str | None:
        """A pattern that means a name and nothing else."""
        if name is None:
            return None
        escape = str(self.metadata.getSearchStringEscape() or "")
        return re.sub(r"[_%]|\\", lambda mark: f"{escape}{mark[0]}", name) + rest if escape else name + rest


def _each(result: Any) -> Iterator[Any]:
    try:
        while result.next():
            yield result
    finally:
        result.close()


def _same(one: str, other: str) -> bool:
    """Patterns may mean more than one name: letter case counts where the database's does, so it has been folded."""
    return one == other or one.lower() == other.lower() == other
