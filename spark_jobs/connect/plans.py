"""What Spark makes of a query, as text: classic sessions and thin clients alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from spark_jobs.connect import is_connect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_HEADS: Final = {"logical": "== Parsed Logical Plan ==", "analyzed": "== Analyzed Logical Plan =="}
_NEXT: Final = "\n== "


def plan_of(rows: DataFrame, stage: Literal["logical", "analyzed"]) -> str:
    """A plan, as Spark's parser or its analyzer leaves it."""
    frame: Any = rows
    if is_connect(rows.sparkSession):
        # PySpark shows a plan to people alone.
        told = str(frame._explain_string(extended=True))  # noqa: SLF001
        return told.split(_HEADS[stage], 1)[1].split(_NEXT, 1)[0]
    return str(getattr(frame._jdf.queryExecution(), stage)().toString())  # noqa: SLF001
