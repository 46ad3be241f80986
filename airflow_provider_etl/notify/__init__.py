"""Who is told what happened: one file per kind. Importing a kind imports neither Airflow nor a client.

A kind is a frozen dataclass (its options in a pipeline file) with the method `deliver(message, connection)`.
"""

from __future__ import annotations

from typing import Final

NOTIFIERS: Final = {
    "email": "airflow_provider_etl.notify.email:Email",
    "slack": "airflow_provider_etl.notify.slack:Slack",
    "webhook": "airflow_provider_etl.notify.webhook:Webhook",
}
