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
                    "airflow_provider_etl.operators.check",
                    "airflow_provider_etl.operators.finish",
                    "airflow_provider_etl.operators.load",
                    "airflow_provider_etl.operators.pipeline",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": _INTEGRATION,
                "python-modules": ["airflow_provider_etl.sensors.wait", "airflow_provider_etl.sensors.wait_for"],
            }
        ],
        "triggers": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_provider_etl.triggers.wait"]}],
        "hooks": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_provider_etl.hooks.ledger"]}],
        "cli": ["airflow_provider_etl.cli.provider.get_cli_commands"],  # Airflow 3.2 and later
        "config": {"etl": {"description": "Options of airflow-provider-etl.", "options": _options()}},
    }


def _options() -> dict[str, Any]:
    return {
        "environment": {
            "description": (
                "Name of a file in config/environments (searched upwards from the pipeline file), or a path to one."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "prod",
            "default": "local",
        },
        "dags_backfill": {
            "description": (
                "Whether `airflow dags backfill`, which Airflow 3 has removed, is there again (Airflow 3.2 and later)."
            ),
            "version_added": "0.1.0",
            "type": "boolean",
            "example": "False",
            "default": "True",
        },
        "wait_mode": {
            "description": (
                "Where the conditions of wait_for wait that don't say so themselves: deferrable (in the triggerer), "
                "reschedule or poke. Default: deferrable, or reschedule where the variable "
                "AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE is false."
            ),
            "version_added": "0.1.0",
            "type": "string",
            "example": "reschedule",
            "default": None,
        },
    }
