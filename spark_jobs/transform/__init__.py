"""Steps: one file per kind, pure functions from rows to rows."""

from typing import Final

STEPS: Final = {
    "aggregate": "spark_jobs.transform.aggregate:Aggregate",
    "cast": "spark_jobs.transform.cast:Cast",
    "clean": "spark_jobs.transform.clean:Clean",
    "dedupe": "spark_jobs.transform.dedupe:Dedupe",
    "derive": "spark_jobs.transform.derive:Derive",
    "drop": "spark_jobs.transform.drop:Drop",
    "filter": "spark_jobs.transform.filter:Filter",
    "join": "spark_jobs.transform.join:Join",
    "rename": "spark_jobs.transform.rename:Rename",
    "select": "spark_jobs.transform.select:Select",
    "sql": "spark_jobs.transform.sql:Sql",
}
