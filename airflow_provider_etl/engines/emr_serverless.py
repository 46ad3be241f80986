"""Spark on an application of EMR Serverless."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from airflow_provider_etl.engines.amazon import AmazonEngine
from airflow_provider_etl.engines.answers import part
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.service import RECENT
from spark_jobs.serviced import arguments


class EmrServerlessEngine(AmazonEngine):
    """Job runs of an application; options `application` (its id) and `role` (the ARN that jobs run as) beside all."""

    kind, service = "emr_serverless", "emr-serverless"
    words = MappingProxyType(
        {"SUCCESS": "succeeded", "FAILED": "failed", "CANCELLED": "cancelled", "CANCELLING": "cancelled"}
    )
    ending = frozenset({"CANCELLING"})

    def _start(self, client: Any, name: str, job: Job, secret: str) -> str:
        script, packages = self._shelf.code()
        conf = self._settings(job) | {"spark.submit.pyFiles": packages}
        answer = client.start_job_run(
            applicationId=self._options["application"],
            # The service takes a second call of the same token for the first: 64 characters are the most.
            clientToken=hashlib.sha256(name.encode()).hexdigest(),
            executionRoleArn=self._options["role"],
            name=name,
            jobDriver={
                "sparkSubmit": {
                    "entryPoint": script,
                    "entryPointArguments": arguments(self._shelf.job(name), secret, vault="aws", region=self._region),
                }
            },
            configurationOverrides={
                "applicationConfiguration": [{"classification": "spark-defaults", "properties": conf}],
                "monitoringConfiguration": {
                    "s3MonitoringConfiguration": {"logUri": f"{self._shelf.job(name)}/logs/"},
                    "managedPersistenceMonitoringConfiguration": {"enabled": True},
                },
            },
        )
        return str(part(answer, "jobRunId"))

    def _listed(self, client: Any) -> Iterator[tuple[str, str]]:
        pages = client.get_paginator("list_job_runs").paginate(
            applicationId=self._options["application"], createdAtAfter=datetime.now(UTC) - RECENT
        )
        for page in pages:
            yield from ((run.get("name") or "", run["id"]) for run in part(page, "jobRuns"))

    def _state(self, client: Any, handle: Handle) -> tuple[str, str]:
        answer = client.get_job_run(applicationId=self._options["application"], jobRunId=handle.id)
        return str(part(answer, "jobRun", "state")), str(answer["jobRun"].get("stateDetails") or "")

    def _began(self, client: Any, handle: Handle) -> datetime | None:
        answer = client.get_job_run(applicationId=self._options["application"], jobRunId=handle.id)
        began: datetime = part(answer, "jobRun", "createdAt")
        return began

    def _end(self, client: Any, handle: Handle, *, force: bool) -> None:
        more = {"shutdownGracePeriodInSeconds": 15} if force else {}  # the least
        client.cancel_job_run(applicationId=self._options["application"], jobRunId=handle.id, **more)

    def links(self, handle: Handle) -> Mapping[str, str]:
        """The logs too. Spark's own page has none: its address lets in whoever has it, and links are kept in XCom."""
        return {**super().links(handle), "Logs": f"{self._page('buckets', handle)}/logs/"}
