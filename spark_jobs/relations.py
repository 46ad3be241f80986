"""Tables in texts of SQL that people wrote: they read the datasets that they are given, and no other table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

from spark_jobs.connect.plans import plan_of
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Words without which no table is read, in capitals.
_READS: Final = re.compile("FROM|TABLE")
# As Spark shows what its parser found: [lake, ns, orders].
_WRITTEN: Final = re.compile(r"UnresolvedRelation \[([^\]]*)\]")
# As it shows what a catalog gave: spark_catalog.default.orders; a name with a dot of its own stands in backticks.
_NAME: Final = r"(?:`(?:[^`]|``)+`|[^`.\s]+)"
_FOUND: Final = re.compile(rf"^[\s:+-]*'?SubqueryAlias ({_NAME}(?:\.{_NAME})+)$", re.MULTILINE)


def refuse_tables(rows: DataFrame, text: str, where: str) -> None:
    """See that an expression reads no table. Nothing has run yet.

    Args:
        rows: what Spark makes of it.
        text: what was written.
        where: place in the pipeline file.

    Raises:
        ConfigError: it has a query that reads one.
    """
    if _READS.search(text.upper()):
        _refuse(_WRITTEN.findall(plan_of(rows, "logical")), where, "no table, in an expression")


def refuse_others(rows: DataFrame, text: str, tables: Iterable[DataFrame], names: Collection[str], where: str) -> None:
    """See that a query reads the tables that it is given, and nothing of a catalog. Nothing has run yet.

    Args:
        rows: what Spark makes of it.
        text: what was written.
        tables: what it may read.
        names: what they are called in it.
        where: place in the pipeline file.

    Raises:
        ConfigError: it reads another one.
    """
    if not _READS.search(text.upper()):
        return
    expected = "the datasets that the query is given"
    _refuse((name for name in _WRITTEN.findall(plan_of(rows, "logical")) if ", " in name), where, expected)
    found = set(_FOUND.findall(plan_of(rows, "analyzed"))) - set(names)
    if found:
        given = {name for table in tables for name in _FOUND.findall(plan_of(table, "analyzed"))}
        _refuse(sorted(found - given), where, expected)


def _refuse(names: Iterable[str], where: str, expected: str) -> None:
    for name in names:
        told = name.replace(", ", ".")
        raise ConfigError(f"it reads the table {told}", where=where, expected=expected, remedy="make it a source")
