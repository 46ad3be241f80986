"""Jobs of a cluster of Dataproc.

Source: the public discovery document of dataproc v1, projects.regions.jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_etl.engines.answers import part
from airflow_provider_etl.engines.calls import Calls
from airflow_provider_etl.engines.dataproc_work import LABEL, PAGE, Code, pages, recently, request_id, without_jars


class ClusterJobs:
    """Jobs of a cluster that is there.

    Args:
        options: `region` and `cluster`.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._region, self._cluster = str(options["region"]), str(options["cluster"])

    def _all(self, project: str) -> str:
        return f"v1/projects/{project}/regions/{self._region}/jobs"

    def start(self, client: Calls, project: str, name: str, code: Code, conf: Mapping[str, str]) -> None:
        """Submit a job."""
        # YARN would run a plan that has failed once more, behind our back.
        properties = {"spark.yarn.maxAppAttempts": "1"} | without_jars(conf)
        job = {
            "reference": {"projectId": project, "jobId": name},
            "placement": {"clusterName": self._cluster},
            "labels": {LABEL: code.family},
            "pysparkJob": {**code.pyspark(conf), "properties": properties},
        }
        client.asked("POST", f"{self._all(project)}:submit", body={"job": job, "requestId": request_id(name)})

    def recent(self, client: Calls, project: str) -> Iterator[str]:
        """The names of the last days' jobs that are marked as ours."""
        return self._listed(client, project, f"labels.{LABEL} = * AND insertTime >= {recently()}")

    def marked(self, client: Calls, project: str, family: str) -> Iterator[str]:
        """The names of an owner's jobs."""
        return self._listed(client, project, f"labels.{LABEL} = {family}")

    def _listed(self, client: Calls, project: str, which: str) -> Iterator[str]:
        # Those of all clusters: their names are the project's, and one of another cluster can't be used twice.
        fields = "jobs(reference,status,statusHistory),nextPageToken"
        query = {"filter": which, "pageSize": PAGE, "fields": fields}
        found = [job for page in pages(client, self._all(project), query) for job in page.get("jobs", ())]
        for job in sorted(found, key=_began, reverse=True):  # they come in no order
            yield str(part(job, "reference", "jobId"))

    def state(self, client: Calls, project: str, name: str) -> tuple[str, str]:
        """How a job stands."""
        status = part(client.asked("GET", f"{self._all(project)}/{name}"), "status")
        return str(part(status, "state")), str(status.get("details") or "")

    def end(self, client: Calls, project: str, name: str) -> None:
        """Cancel a job."""
        client.asked("POST", f"{self._all(project)}/{name}:cancel", body={})

    def page(self, name: str) -> str:
        """A job's page."""
        return f"jobs/{name}/monitoring?region={self._region}"


def _began(job: Mapping[str, Any]) -> str:
    first = next(iter(job.get("statusHistory") or ()), job.get("status") or {})
    return str(first.get("stateStartTime") or "")
