"""HMAC-SHA256 (RFC 2104) by Spark's own functions, under a key that no plan, log or error text ever shows.

A literal in an expression would stand in all of them. So the two blocks that HMAC makes of its key come as the columns
of a one-row DataFrame, joined to every row: Spark shows their names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column, spare
from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_BLOCK: Final = 64  # bytes, of SHA-256
_SHORTEST: Final = 16  # characters


def secret_of(name: str, connections: Connections, where: str) -> bytes:
    """The key: the password of a connection.

    Raises:
        ConfigError: there is no such connection, or its password is too short for a key.
    """
    key = connections[name].password
    if len(key) < _SHORTEST:
        raise ConfigError(
            f"the password of connection {name!r} has {len(key)} characters",
            where=where,
            expected=f"a key of at least {_SHORTEST}: with a short one, who knows the method can try all of them",
            remedy="make one by chance, such as by `openssl rand -hex 32`",
        )
    return key.encode()


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """Rows beside which the key stands.

    Args:
        rows: the rows, with two more columns.
        inner, outer: their names: the key's blocks for the inner and the outer hash.
    """

    rows: DataFrame
    inner: str
    outer: str

    def digest(self, text: Column) -> Column:
        """The HMAC of a text's UTF-8, 64 hex digits; null of null."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        first = F.sha2(F.concat(column(self.inner), text.cast("binary")), 256)
        return F.sha2(F.concat(column(self.outer), F.unhex(first)), 256)


def keyed(rows: DataFrame, secret: bytes) -> Keyed:
    """Put a key beside rows.

    Args:
        rows: the rows.
        secret: the key.
    """
    from pyspark.sql import functions as F  # noqa: N812

    block = (hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    inner, outer = (spare(rows.columns, name) for name in ("inner", "outer"))
    values = [(bytearray(byte ^ 0x36 for byte in block), bytearray(byte ^ 0x5C for byte in block))]
    blocks = rows.sparkSession.createDataFrame(values, f"{inner} binary, {outer} binary").coalesce(1)
    return Keyed(rows=rows.crossJoin(F.broadcast(blocks)), inner=inner, outer=outer)
