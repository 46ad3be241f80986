"""What a service's job is told of who started it: OpenLineage's parent and transport, where the deployment says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_etl.compat import Context, injects_lineage
from spark_jobs.hiding import secrets_of


def with_lineage(context: Context, plan: dict[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """A plan whose Spark settings name the task as the job's parent, and where its lineage goes.

    Args:
        context: the task's.
        plan: JSON; it stays as it is where `[openlineage] spark_inject_parent_job_info` and
            `spark_inject_transport_info` are off, as they are by default.
        say: takes one line of progress.

    A transport with an API key or headers like one is left out: settings of a job are read by many.
    """
    parent, transport = injects_lineage()
    if not (parent or transport):
        return plan
    from airflow.providers.common.compat.openlineage.utils.spark import (
        inject_parent_job_information_into_spark_properties,
        inject_transport_information_into_spark_properties,
    )

    conf = dict(plan["spark"].get("conf") or {})
    if parent:
        conf = inject_parent_job_information_into_spark_properties(conf, context)
    if transport:
        told = inject_transport_information_into_spark_properties(conf, context)
        if any(_is_secret(key, value) for key, value in told.items() if key not in conf):
            say("[etl] the job isn't told where its lineage goes: the transport holds a secret, and settings show it")
        else:
            conf = told
    return plan | {"spark": plan["spark"] | {"conf": conf}}


def _is_secret(key: str, value: object) -> bool:
    return any(secrets_of({key: value})) or "@" in urlsplit(str(value)).netloc
