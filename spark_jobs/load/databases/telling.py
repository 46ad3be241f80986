"""A driver's error as one of ours."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError
from spark_jobs.hiding import cut

_LONG: Final = 500
# With what stands before it, where a column follows; databases fold its letters.
_STAGE: Final = re.compile(
    r"""((`[^`]*`|"[^"]*"|\w+)\.)?(`_etl_stage_\w+`|"_etl_stage_\w+"|\b_etl_stage_\w+)(?P<column>\.)?""", re.IGNORECASE
)


def plain(text: str) -> str:
    """A server's words without the name of a staging table, which nobody knows."""
    return cut(_STAGE.sub(lambda found: "" if found["column"] else "the staging table", text), _LONG)


def told(text: str, where: str, about: str, *, broken: bool) -> EtlError:
    """An error of ours.

    Args:
        text: the server's words.
        where: the table or connection.
        about: "data", "config" or "infrastructure".
        broken: whether the connection or the server is at fault, whatever it is about.
    """
    text = plain(text)
    if broken or about == "infrastructure":
        return InfrastructureError(text, where=where)
    if about == "config":
        return ConfigError(text, where=where, remedy="see the connection, its user's rights and the table's name")
    return DataError(
        text, where=where, expected="values that the table's columns can hold", remedy="cast, clean or filter before"
    )
