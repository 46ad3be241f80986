"""Checks: one file per kind, all answered in one pass over what was staged."""

from typing import Final

CHECKS: Final = {
    "in_range": "spark_jobs.check.in_range:InRange",
    "in_set": "spark_jobs.check.in_set:InSet",
    "length": "spark_jobs.check.length:Length",
    "matches": "spark_jobs.check.matches:Matches",
    "mean": "spark_jobs.check.mean:Mean",
    "median": "spark_jobs.check.median:Median",
    "not_in_set": "spark_jobs.check.not_in_set:NotInSet",
    "not_matches": "spark_jobs.check.not_matches:NotMatches",
    "not_null": "spark_jobs.check.not_null:NotNull",
    "references": "spark_jobs.check.references:References",
    "row_count": "spark_jobs.check.row_count:RowCount",
    "stddev": "spark_jobs.check.stddev:Stddev",
    "sum": "spark_jobs.check.sum:Sum",
    "unique": "spark_jobs.check.unique:Unique",
}
