"""Rows as JSON that loses nothing, and the difference between two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spark_jobs.audit import AUDIT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHOWN: Final = 5
_FORMS: Final = {
    "ignoreNullFields": "false",
    "timeZone": "UTC",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


def told(rows: DataFrame, limit: int) -> dict[str, Any]:
    """Rows as JSON.

    Args:
        rows: the dataset.
        limit: how many rows are told.

    Returns:
        `columns`: name -> Spark SQL type; `rows`: a JSON text each, instants in UTC; `total`: how many there are.
    """
    found = [row[0] for row in _texts(rows).limit(limit + 1).collect()]
    total = len(found) if len(found) <= limit else rows.count()
    columns = {item.name: item.dataType.simpleString() for item in rows.schema}
    return {"columns": columns, "rows": found[:limit], "total": total}


def difference(before: DataFrame, after: DataFrame) -> dict[str, Any]:
    """How two states of a table differ, row for row, repeats counted.

    Returns:
        `rows`, `columns`: how much was compared; `rows_gone`, `rows_came`: how many differ; `gone`, `came`: the first.
    """
    gone = _texts(before).exceptAll(_texts(after)).localCheckpoint()
    came = _texts(after).exceptAll(_texts(before)).localCheckpoint()
    return {
        "rows": after.count(),
        "columns": len(after.columns),
        "rows_gone": gone.count(),
        "rows_came": came.count(),
        "gone": [row[0] for row in gone.orderBy("row").limit(_SHOWN).collect()],
        "came": [row[0] for row in came.orderBy("row").limit(_SHOWN).collect()],
    }


def _texts(rows: DataFrame) -> DataFrame:
    """A JSON text a row: sets of rows can't be compared where a column is a map."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    kept = rows.drop(*AUDIT)  # they differ from run to run on purpose
    return kept.select(F.to_json(F.struct("*"), _FORMS).alias("row"))
