"""Rows that are added to a window that is loaded, in one commit that holds only while the ledger names that load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from spark_jobs.load.attempts import Attempting
from spark_jobs.transaction import Transaction

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def add_to_window(  # noqa: PLR0913, PLR0917 - what a commit is made of
    attempt: Attempting, path: str, rows: DataFrame, staged: int, options: Mapping[str, str], layout: Sequence[str]
) -> None:
    """Write a window anew: what it holds, and more rows. Nothing is done where the ledger names another attempt.

    Args:
        attempt: says to which attempt's rows these are added.
        path: the table's.
        rows: that come, with the table's columns.
        staged: how many they are.
        options: of the Delta writer; `replaceWhere` is the window.
        layout: columns that lay the table out.
    """
    spark, unit = attempt.context.spark, attempt.unit.key
    transaction = Transaction(spark, path)
    if transaction.units.get(unit) != attempt.context.plan.attempt.amends:
        return
    held = spark.read.format("delta").option("versionAsOf", transaction.version).load(path)
    held = held.where(options["replaceWhere"])
    entry = attempt.entry(held.count() + staged)
    transaction.replace(held.unionByName(rows, allowMissingColumns=True), options, layout)
    transaction.record({unit: attempt.number})
    transaction.commit(entry)
