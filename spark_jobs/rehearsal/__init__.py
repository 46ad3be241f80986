"""Runs of pipelines in a scratch folder: what `airflow-etl test` has Spark do.

`python -m spark_jobs.rehearsal --plan ORDER --report RESULTS [--lifeline]`

An order (JSON) is `{"rehearsal_version", "spark", "scenes"}`; a scene is some runs over the same scratch tables, and
what is to be told of them afterwards. Every scene has its own folder; nothing outside of it is written.
"""
