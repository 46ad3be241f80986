"""Checks: one file per kind, all answered in one pass over what was staged."""

from typing import Final

CHECKS: Final = {
    "column_count": "spark_jobs.check.column_count:ColumnCount",
    "columns": "spark_jobs.check.columns:Columns",
    "compare": "spark_jobs.check.compare:Compare",
    "completeness": "spark_jobs.check.completeness:Completeness",
    "condition": "spark_jobs.check.condition:Condition",
    "distinct_count": "spark_jobs.check.distinct_count:DistinctCount",
    "distinct_share": "spark_jobs.check.distinct_share:DistinctShare",
    "freshness": "spark_jobs.check.freshness:Freshness",
    "in_range": "spark_jobs.check.in_range:InRange",
    "in_set": "spark_jobs.check.in_set:InSet",
    "length": "spark_jobs.check.length:Length",
    "matches": "spark_jobs.check.matches:Matches",
    "mean": "spark_jobs.check.mean:Mean",
    "median": "spark_jobs.check.median:Median",
    "monotonic": "spark_jobs.check.monotonic:Monotonic",
    "not_in_set": "spark_jobs.check.not_in_set:NotInSet",
    "not_matches": "spark_jobs.check.not_matches:NotMatches",
    "not_null": "spark_jobs.check.not_null:NotNull",
    "null_share": "spark_jobs.check.null_share:NullShare",
    "parseable_date": "spark_jobs.check.parseable_date:ParseableDate",
    "quantile": "spark_jobs.check.quantile:Quantile",
    "references": "spark_jobs.check.references:References",
    "row_count": "spark_jobs.check.row_count:RowCount",
    "stddev": "spark_jobs.check.stddev:Stddev",
    "sum": "spark_jobs.check.sum:Sum",
    "sum_of_columns": "spark_jobs.check.sum_of_columns:SumOfColumns",
    "type": "spark_jobs.check.type:Type",
    "unique": "spark_jobs.check.unique:Unique",
}
