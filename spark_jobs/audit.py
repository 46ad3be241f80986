"""`audit_columns`: where a row came from, and when it was read. They are no part of what the row says.

So they decide nothing: not whether two rows are equal (`clean`, `dedupe`), not whether something has changed (`track`,
`merge`, a repeat of a window), and raw records of the quarantine don't show them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.flow import Flow
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructType

SOURCE: Final = "_source"
EXTRACTED_AT: Final = "_extracted_at"
AUDIT: Final = (SOURCE, EXTRACTED_AT)
TYPES: Final = {SOURCE: "string", EXTRACTED_AT: "timestamp"}
# What stands before the @ of Azure's URIs is the container. A password may have an @ too: the last one counts.
_SECRETS: Final = r"^(?!(?i:abfss?|wasbs?)://)([A-Za-z][A-Za-z0-9+.-]*://)[^/]*@"


def wanted(source: Any) -> bool:
    """Whether a source gets audit columns."""
    return bool(getattr(source, "audit_columns", False))


def refuse_taken(columns: Iterable[str], where: str) -> None:
    """See that no column of a source is called as an audit column, letter case aside.

    Raises:
        ConfigError: one is.
    """
    taken = next((name for name in columns if name.lower() in AUDIT), None)
    if taken is not None:
        raise ConfigError(
            f"the source has a column {taken!r} itself",
            where=f"{where}.audit_columns",
            expected=f"no {' and no '.join(AUDIT)} beside those that audit_columns adds",
            remedy="leave it out by `columns` or a query, or don't ask for audit_columns",
        )


def origin(place: Column) -> Column:
    """`_source` of a row: its place without the user and password that a URI may carry."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.regexp_replace(place, _SECRETS, "$1").alias(SOURCE)


def audited(flow: Flow, name: str, plan: Plan, where: str) -> Flow:
    """A source with audit columns; one that can't say of each row where it came from is called by its name.

    Args:
        flow: the source; SOURCE is there where it could.
        name: the source's name.
        plan: says when the rows are read: one instant for all of them.
        where: place in the pipeline file.

    Raises:
        ConfigError: a column of the source is called so itself.
    """
    from pyspark.sql import functions as F  # noqa: N812

    rows = flow.rows
    refuse_taken([column for column in rows.columns if column != SOURCE], where)
    if SOURCE not in rows.columns:
        rows = rows.withColumn(SOURCE, F.lit(name))
    instant = F.lit(read_at(plan).isoformat()).cast("timestamp")
    return replace(flow, rows=rows.withColumn(EXTRACTED_AT, instant))


def read_at(plan: Plan) -> datetime:
    """The instant at which an attempt was submitted that reads the sources, in UTC."""
    from spark_jobs.ledger import attempt_time

    return attempt_time(plan.attempt.since)


def found_in(schema: StructType) -> tuple[str, ...]:
    """The audit columns of a dataset; none where only one of them is there, or of another type: then it is data."""
    kinds = {field.name: field.dataType.typeName() for field in schema}
    return AUDIT if all(kinds.get(name) == kind for name, kind in TYPES.items()) else ()


def without(rows: DataFrame, names: Iterable[str]) -> list[str]:
    """Those of some columns of a dataset that are no audit columns."""
    apart = found_in(rows.schema)
    return [name for name in names if name not in apart]
