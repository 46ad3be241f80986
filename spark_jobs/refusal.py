"""Rows set aside, in the shape that the quarantine keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from spark_jobs.audit import without
from spark_jobs.columns import column

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_SHOWN: Final = 100  # characters of a value that a message shows
_WRITTEN: Final = {
    "ignoreNullFields": "false",
    # Without these, times are cut to milliseconds: a row that is run again alone may be older than it was.
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


def shaped(  # noqa: PLR0913 - the columns of a refused row
    rows: DataFrame, raw: Sequence[str], *, dataset: str, stage: str, rules: Column, message: Column
) -> DataFrame:
    """Refused rows as aside.REFUSED wants them.

    Args:
        rows: the refused rows.
        raw: their own columns, which become the raw record, nulls included and those of `audit_columns` left out.
        dataset: the dataset that refuses them.
        stage: the verb that does.
        rules: array of the rules that they broke.
        message: why, in words.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    record = F.to_json(F.struct(*[column(name) for name in without(rows, raw)]), _WRITTEN)
    return rows.select(
        record.alias("raw"),
        F.lit(dataset).alias("dataset"),
        F.lit(stage).alias("stage"),
        rules.alias("rules"),
        message.alias("message"),
        F.lit(None).cast("string").alias("source_file"),
        F.lit(None).cast("bigint").alias("source_line"),
    )


def shown(name: str) -> Column:
    """A column's value for a message: quoted where it is text, cut where it is long, `null` where there is none."""
    from pyspark.sql import functions as F  # noqa: N812

    text = column(name).cast("string")
    cut = F.when(F.length(text) > _SHOWN, F.concat(F.substring(text, 1, _SHOWN), F.lit("…"))).otherwise(text)
    return F.coalesce(F.concat(F.lit("'"), cut, F.lit("'")), F.lit("null"))


def broken(rules: Sequence[tuple[Column, str, Column]]) -> tuple[Column, Column]:
    """The rules that a row broke, each once, and why.

    Args:
        rules: `(whether it is broken, its name, why in words)`.
    """
    from pyspark.sql import functions as F  # noqa: N812

    names = F.array_distinct(F.array_compact(F.array(*[F.when(bad, F.lit(name)) for bad, name, _ in rules])))
    return names, F.concat_ws("; ", *[F.when(bad, why) for bad, _, why in rules])
