"""Steps: one file per kind, pure functions from rows to rows."""

from typing import Final

STEPS: Final = {
    "aggregate": "spark_jobs.transform.aggregate:Aggregate",
    "cast": "spark_jobs.transform.cast:Cast",
    "clean": "spark_jobs.transform.clean:Clean",
    "dedupe": "spark_jobs.transform.dedupe:Dedupe",
    "derive": "spark_jobs.transform.derive:Derive",
    "drop": "spark_jobs.transform.drop:Drop",
    "explode": "spark_jobs.transform.explode:Explode",
    "filter": "spark_jobs.transform.filter:Filter",
    "flatten": "spark_jobs.transform.flatten:Flatten",
    "join": "spark_jobs.transform.join:Join",
    "lookup": "spark_jobs.transform.lookup:Lookup",
    "mask": "spark_jobs.transform.mask:Mask",
    "pivot": "spark_jobs.transform.pivot:Pivot",
    "python": "spark_jobs.transform.python:Python",
    "rank": "spark_jobs.transform.rank:Rank",
    "rename": "spark_jobs.transform.rename:Rename",
    "select": "spark_jobs.transform.select:Select",
    "sessionize": "spark_jobs.transform.sessionize:Sessionize",
    "sql": "spark_jobs.transform.sql:Sql",
    "surrogate_key": "spark_jobs.transform.surrogate_key:SurrogateKey",
    "union": "spark_jobs.transform.union:Union",
    "unpivot": "spark_jobs.transform.unpivot:Unpivot",
    "validate": "spark_jobs.transform.validate:Validate",
}
