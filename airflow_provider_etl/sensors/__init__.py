"""What a pipeline may wait for: one file per condition, and the Airflow sensors that ask for them.

The conditions (`file`, `pipeline`, …) import no Airflow at module level, so that the pipeline file's reader, its JSON
Schema and `lint` know their options; `base` and `wait_for` are the sensors.
"""

from typing import Final

CONDITIONS: Final = {
    "file": "airflow_provider_etl.sensors.file:File",
    "http": "airflow_provider_etl.sensors.http:Http",
    "pipeline": "airflow_provider_etl.sensors.pipeline:OtherPipeline",
    "s3": "airflow_provider_etl.sensors.s3:S3Key",
    "sql": "airflow_provider_etl.sensors.sql:Sql",
    "table": "airflow_provider_etl.sensors.table:Table",
}
