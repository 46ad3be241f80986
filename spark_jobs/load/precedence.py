"""Which of two changes of a key counts: the same answer within one window, between windows, and whichever came first.

By sequence; at equal ones a delete before an upsert; then by the rows' content, every column by name. A column that a
row hasn't got is null, so a column that is added later changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import quote, spare
from spark_jobs.transform.order import orderable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructField, StructType

Terms = Sequence[str]
_SIGNED: Final = ("float", "double")


def content(fields: Iterable[StructField], prefix: str) -> list[str]:
    """What compares the content of two rows: Spark SQL terms, those of one column after the other, by name.

    Args:
        fields: columns that take part.
        prefix: such as `t.`.
    """
    found = []
    for field in sorted(fields, key=lambda field: field.name.lower()):
        name = f"{prefix}{quote(field.name)}"
        if not orderable(field):
            found.append(f"to_json(struct({name} AS value))")
            continue
        found.append(name)
        if field.dataType.typeName() in _SIGNED:
            found.append(f"CASE WHEN {name} = 0 THEN CAST({name} AS STRING) END")  # -0.0 equals 0.0
    return found


def terms(schema: StructType, sequence: Sequence[str], change: str, columns: Iterable[str], prefix: str = "") -> Terms:
    """All that orders changes of a key, the first term first.

    Args:
        schema: of the rows.
        sequence: columns that order them.
        change: a Spark SQL expression: what kind of change a row is.
        columns: whose content decides at last.
        prefix: such as `t.`.
    """
    wanted = {name.lower() for name in columns} - {name.lower() for name in sequence}
    fields = [field for field in schema if field.name.lower() in wanted]
    return [*[f"{prefix}{quote(name)}" for name in sequence], change, *content(fields, prefix)]


def compared(one: Terms, other: Terms, sign: str) -> str:
    """Terms compared one after the other, null before every value; a Spark SQL condition, never null."""
    return f"{_struct(one)} {sign} {_struct(other)}"


def _struct(values: Terms) -> str:
    named = ", ".join(f"'c{place}', {value}" for place, value in enumerate(values))
    return f"named_struct({named})"


def first(rows: DataFrame, keys: Sequence[str], order: Terms) -> DataFrame:
    """Of each key the row that counts.

    Args:
        rows: changes.
        keys: columns that name an entity.
        order: `terms` of the rows.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    rank = spare(rows.columns, "rank")
    best = [F.expr(term).desc_nulls_last() for term in order]
    ranked = F.row_number().over(Window.partitionBy(*[F.expr(quote(key)) for key in keys]).orderBy(*best))
    return rows.withColumn(rank, ranked).where(F.col(rank) == 1).drop(rank)
