"""Spark on a running cluster of EMR, as its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from airflow_provider_etl.engines.amazon import AmazonEngine
from airflow_provider_etl.engines.answers import part
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.service import RECENT
from spark_jobs.serviced import arguments


class EmrEngine(AmazonEngine):
    """Steps of a cluster; option `cluster` (its id) beside all.

    EMR knows no token of a submission: a step whose answer got lost is looked for by its name. What it cancels is the
    process that has submitted; the driver, which is YARN's, ends itself when it sees that (`spark_jobs.serviced`).
    """

    kind = service = "emr"
    words = MappingProxyType(
        {
            "COMPLETED": "succeeded",
            "FAILED": "failed",
            "INTERRUPTED": "failed",
            "CANCELLED": "cancelled",
            "CANCEL_PENDING": "cancelled",
        }
    )
    ending = frozenset({"CANCEL_PENDING"})

    def _start(self, client: Any, name: str, job: Job, secret: str) -> str:
        script, packages = self._shelf.code()
        # YARN would run a plan that has failed once more, behind our back.
        conf = {"spark.yarn.maxAppAttempts": "1"} | self._settings(job)
        conf |= {"spark.app.name": name, "spark.submit.deployMode": "cluster"}
        told = [item for key, value in conf.items() for item in ("--conf", f"{key}={value}")]
        given = arguments(self._shelf.job(name), secret, vault="aws", region=self._region)
        command = ["spark-submit", *told, "--py-files", packages, script, *given]
        step = {"Jar": "command-runner.jar", "Args": command}
        answer = client.add_job_flow_steps(
            JobFlowId=self._options["cluster"],
            Steps=[{"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": step}],
        )
        return str(part(answer, "StepIds")[0])

    def _listed(self, client: Any) -> Iterator[tuple[str, str]]:
        for page in client.get_paginator("list_steps").paginate(ClusterId=self._options["cluster"]):
            for step in part(page, "Steps"):  # newest first
                began = step["Status"].get("Timeline", {}).get("CreationDateTime")
                if began is not None and began < datetime.now(UTC) - RECENT:
                    return
                yield step["Name"], step["Id"]

    def _state(self, client: Any, handle: Handle) -> tuple[str, str]:
        status = part(client.describe_step(ClusterId=self._options["cluster"], StepId=handle.id), "Step", "Status")
        details = status.get("FailureDetails") or {}
        why = [details.get("Reason"), details.get("Message"), (status.get("StateChangeReason") or {}).get("Message")]
        return str(part(status, "State")), "; ".join(filter(None, why))

    def _end(self, client: Any, handle: Handle, *, force: bool) -> None:
        how = "TERMINATE_PROCESS" if force else "SEND_INTERRUPT"
        client.cancel_steps(ClusterId=self._options["cluster"], StepIds=[handle.id], StepCancellationOption=how)

    def links(self, handle: Handle) -> Mapping[str, str]:
        """The cluster's page too, where its steps, their logs and Spark's history are."""
        page = f"{self._console}/emr/home?region={self._region}#/clusterDetails/{self._options['cluster']}"
        return {**super().links(handle), "Cluster": page}
