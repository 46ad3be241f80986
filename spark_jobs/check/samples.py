"""Values that failed, for those who ask for them: a few of each check, and none that is personal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, Literal

from spark_jobs.check.rule import Question
from spark_jobs.columns import column
from spark_jobs.flow import Context
from spark_jobs.privacy import Privacy

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ResultFormat = Literal["BOOLEAN_ONLY", "BASIC", "SUMMARY"]
MOST: Final = 20  # of one check, as Great Expectations has it


def unexpected(questions: Mapping[int, Question], rows: DataFrame, context: Context) -> dict[int, list[Any]]:
    """Up to 20 values that failed for each question, by one action.

    Args:
        questions: place -> one that has failed.
        rows: the staged dataset.
        context: names the dataset and its plan.

    Returns:
        Place -> values, or of several columns mappings of them; as JSON has them, whose NaN is a text. Nothing for a
        dataset that a mask or `pii` has to do with.
    """
    asked = {place: question for place, question in questions.items() if question.told}
    if not asked or Privacy(context.plan).forbids(context.dataset):
        return {}
    found: dict[int, list[Any]] = {place: [] for place in asked}
    parts = [_part(place, question, rows) for place, question in asked.items()]
    for place, text in reduce(lambda left, right: left.unionAll(right), parts).collect():
        values, names = json.loads(text), asked[place].told
        found[place].append(values[names[0]] if len(names) == 1 else values)
    return found


def _part(place: int, question: Question, rows: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    frame = question.prepare(rows) if question.prepare else rows
    values = F.struct(*[column(name) for name in question.told])
    text = F.to_json(values, {"ignoreNullFields": "false"})
    return frame.where(question.failing).limit(MOST).select(F.lit(place).alias("place"), text.alias("text"))
