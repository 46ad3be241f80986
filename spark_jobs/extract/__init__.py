"""Sources: one file per kind."""

from typing import Final

SOURCES: Final = {
    "files": "spark_jobs.extract.files:Files",
    "iceberg": "spark_jobs.extract.iceberg:Iceberg",
    "jdbc": "spark_jobs.extract.jdbc:Jdbc",
    "sql": "spark_jobs.extract.sql:Sql",
    "table": "spark_jobs.extract.table:Table",
}
