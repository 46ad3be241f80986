"""Checks: one file per kind, all answered in one pass over what was staged."""

from typing import Final

CHECKS: Final = {
    "conforms": "spark_jobs.check.conforms:Conforms",
    "in_range": "spark_jobs.check.in_range:InRange",
    "in_set": "spark_jobs.check.in_set:InSet",
    "matches": "spark_jobs.check.matches:Matches",
    "not_null": "spark_jobs.check.not_null:NotNull",
    "references": "spark_jobs.check.references:References",
    "row_count": "spark_jobs.check.row_count:RowCount",
    "unique": "spark_jobs.check.unique:Unique",
}
