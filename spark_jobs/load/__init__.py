"""Destinations: one file per kind; each publishes what was staged in one atomic commit."""

from typing import Final

DESTINATIONS: Final = {
    "delta": "spark_jobs.load.delta:Delta",
    "files": "spark_jobs.load.files:Files",
    "iceberg": "spark_jobs.load.iceberg:Iceberg",
    "jdbc": "spark_jobs.load.jdbc:Jdbc",
}
