"""What Airflow's provider manager asks of the package; a test checks it against the installed Airflow's schema."""

from __future__ import annotations

from typing import Any, Final

_INTEGRATION: Final = "ETL"


def get_provider_info() -> dict[str, Any]:
    """The provider's metadata, as `provider_info.schema.json` of Airflow describes it."""
    return {
        "package-name": "airflow-provider-etl",
        "name": "ETL",
        "description": "A YAML file becomes an idempotent, backfillable Spark ETL pipeline.",
        "integrations": [{"integration-name": _INTEGRATION, "tags": ["software"]}],
        "operators": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_provider_etl.operators.extract",
                    "airflow_provider_etl.operators.transform",
                    "airflow_provider_etl.operators.approve",
                    "airflow_provider_etl.operators.check",
                    "airflow_provider_etl.operators.finish",
                    "airflow_provider_etl.operators.load",
                    "airflow_provider_etl.operators.maintain",
                    "airflow_provider_etl.operators.pipeline",
                    "airflow_provider_etl.operators.quarantine",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_provider_etl.sensors.freshness",
                    "airflow_provider_etl.sensors.wait",
                    "airflow_provider_etl.sensors.wait_for",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_provider_etl.triggers.freshness",
                    "airflow_provider_etl.triggers.job",
                    "airflow_provider_etl.triggers.wait",
                ],
            }
        ],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_provider_etl.hooks.ledger"]}],
        "extra-links": [
            "airflow_provider_etl.operators.data_docs.DataDocsLink",
            "airflow_provider_etl.operators.links.ReportLink",
            "airflow_provider_etl.operators.links.SparkLink",
            "airflow_provider_etl.operators.links.TableLink",
        ],
        "cli": ["airflow_provider_etl.cli.provider.get_cli_commands"],  # Airflow 3.2 and later
        "config": {"etl": {"description": "Options of airflow-provider-etl.", "options": _options()}},
    }


def _options() -> dict[str, Any]:
    """Described for people in docs/options.md; read by `spec/options.py`, without Airflow."""
    return {
        "environment": _option(
            "Name of a file in config/environments (searched upwards from the pipeline file), or a path to one.",
            default="local",
            example="prod",
        ),
        "pipelines_folder": _option(
            "Folder with the pipeline files: relative to the file that calls load_pipelines(), or, for the importer of "
            "Airflow 3.4, somewhere in the bundle.",
            default="pipelines",
            example="etl/pipelines",
        ),
        "strict": _option(
            "Whether a warning about a pipeline file keeps its DAG away, as an error does.",
            kind="boolean",
            default="False",
            example="True",
        ),
        "allowed_roots": _option(
            "Absolute folders and URIs, separated by commas: the roots of an environment, its staging and its "
            "quarantine must lie under them. Empty: no bound.",
            default="",
            example="/srv/lake, s3a://company-lake/etl",
        ),
        "allowed_python": _option(
            "Modules, separated by commas, from which python steps may come, with all modules below them. Empty: none.",
            default="",
            example="company.etl",
        ),
        "dags_backfill": _option(
            "Whether `airflow dags backfill`, which Airflow 3 has removed, is there again (Airflow 3.2 and later).",
            kind="boolean",
            default="True",
            example="False",
        ),
        "wait_mode": _option(
            "Where the conditions of wait_for wait that don't say so themselves, and on Airflow 2.11 the watch over "
            "freshness: deferrable (in the triggerer), reschedule or poke. Default: deferrable, or reschedule where "
            "the variable AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE is false.",
            default=None,
            example="reschedule",
        ),
    }


def _option(description: str, *, default: str | None, example: str, kind: str = "string") -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
    }
