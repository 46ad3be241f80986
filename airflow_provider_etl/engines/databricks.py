"""Spark on Databricks, as one-time runs of its jobs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

from airflow_provider_etl.engines.answers import part
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.calls import ERRORS, RefusedError, is_missing, told
from airflow_provider_etl.engines.parcel import script
from airflow_provider_etl.engines.service import RECENT, ServiceEngine
from airflow_provider_etl.engines.shelf import Shelf
from airflow_provider_etl.engines.workspace import Scope, Volume, Workspace, Workspaces
from spark_jobs.errors import EtlError
from spark_jobs.serviced import arguments
from spark_jobs.session import settings

_RUNS: Final = "2.2/jobs/runs"
_PAGE: Final = 24  # runs of a page; the API takes fewer than 25
_SCOPE: Final = "airflow-etl"
_CANCELED: Final = ("USER_CANCELED", "CANCELED")
_REMOVED: Final = "REMOVED"
_NO_RUN: Final = re.compile(r"Run:? .*(does not|doesn't) exist")  # with 400, where others say 404
_COORDINATES: Final = re.compile(r"[^:/\s]+:[^:/\s]+:[^:/\s]+")
# The runtime has a Delta of its own, in other classes, and a node's type decides how much memory there is.
_ITS_OWN: Final = ("spark.sql.extensions", "spark.sql.catalog.spark_catalog", "spark.driver.memory")
_SIZES: Final = ("spark.executor.", "spark.dynamicAllocation.")
_SPOT: Final = {  # by the end of the workspace's address; others are on AWS
    **dict.fromkeys(
        ("azuredatabricks.net", "databricks.azure.us", "databricks.azure.cn"),
        ("azure_attributes", "SPOT_WITH_FALLBACK_AZURE"),
    ),
    "gcp.databricks.com": ("gcp_attributes", "PREEMPTIBLE_WITH_FALLBACK_GCP"),
    "": ("aws_attributes", "SPOT_WITH_FALLBACK"),
}


class DatabricksEngine(ServiceEngine):
    """One-time runs (`runs/submit` of the Jobs API 2.2).

    Args:
        options: `volume`, `poll`, and `cluster` (the id of one that is there) or `runtime` and `node_type` of a new
            one; `driver_node_type`, `spot`, `libraries`, `scope`.
        workspaces: gives the workspace.
    """

    kind = "databricks"
    errors = ERRORS
    words = MappingProxyType(
        {
            "SUCCESS": "succeeded",
            "FAILED": "failed",
            "CANCELED": "cancelled",
            "CANCELING": "cancelled",
            _REMOVED: "cancelled",
        }
    )
    ending = frozenset({"CANCELING"})
    config_signs = (
        *("denied", "UNAUTHORIZED", "INVALID_CLUSTER_REQUEST", "INVALID_RUN_CONFIGURATION", "RESOURCE_NOT_FOUND"),
        *("LIBRARY_INSTALLATION_ERROR", "FEATURE_DISABLED", "DISABLED"),
    )
    memory_option = "node_type"

    def __init__(self, options: Mapping[str, Any], workspaces: Workspaces) -> None:
        files = Volume(str(options["volume"]), workspaces)
        vault = Scope(str(options.get("scope") or _SCOPE), workspaces)
        super().__init__(options, Shelf(files, vault, entry=script("serviced", alone=True)))
        self._workspaces = workspaces

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """By Airflow's connection of type databricks."""
        from airflow_provider_etl.hooks.databricks import workspaces_of

        return cls(options, workspaces_of(options.get("connection")))

    def _client(self, *, once: bool = False) -> Workspace:
        return self._workspaces(once=once)

    def _told(self, error: Exception) -> EtlError:
        return told(error, f"engine {self.kind}")

    def _is_missing(self, error: Exception) -> bool:
        return is_missing(error)

    def _start(self, client: Workspace, name: str, job: Job, secret: str) -> str:
        entry, packages = self._shelf.code()
        given = arguments(self._shelf.job(name), secret, vault="databricks")
        task = {
            "task_key": "etl",
            "spark_python_task": {"python_file": entry, "parameters": ["--packages", packages, *given]},
            "libraries": [_library(text) for text in self._options.get("libraries", ())],
            "max_retries": 0,  # Airflow retries, and knows of it
            **self._compute(client, job),
        }
        body = {
            "run_name": name,
            # A second call of the same token is answered with the run of the first: 64 characters are the most.
            "idempotency_token": hashlib.sha256(name.encode()).hexdigest(),
            "queue": {"enabled": True},
            "tasks": [task],
        }
        return str(part(client.asked("POST", f"{_RUNS}/submit", body=body), "run_id"))

    def _compute(self, client: Workspace, job: Job) -> Mapping[str, Any]:
        """Where it runs: a cluster that is there, or one for this run alone."""
        options = self._options
        if options.get("cluster"):
            return {"existing_cluster_id": options["cluster"]}
        engine = job.plans[0].get("spark", {})
        conf = settings(engine)
        kept = {key: value for key, value in conf.items() if key not in _ITS_OWN and not key.startswith(_SIZES)}
        cluster = {
            "spark_version": options["runtime"],
            "node_type_id": options["node_type"],
            "driver_node_type_id": options.get("driver_node_type") or options["node_type"],
            "spark_conf": kept | {key: conf[key] for key in _ITS_OWN[:2] if key in (engine.get("conf") or {})},
            "data_security_mode": "SINGLE_USER",  # the ledger speaks with Spark's JVM, which shared ones forbid
            **_workers(conf),
        }
        return {"new_cluster": cluster | (_spot(client.address) if options.get("spot") else {})}

    def _listed(self, client: Workspace) -> Iterator[tuple[str, str]]:
        began = int((datetime.now(UTC) - RECENT).timestamp() * 1000)
        query: dict[str, Any] = {"run_type": "SUBMIT_RUN", "limit": _PAGE, "start_time_from": began}
        while True:
            answer = client.asked("GET", f"{_RUNS}/list", query=query)  # newest first
            yield from ((str(run.get("run_name") or ""), str(run["run_id"])) for run in answer.get("runs", ()))
            if not answer.get("next_page_token"):
                return
            query["page_token"] = answer["next_page_token"]

    def _state(self, client: Workspace, handle: Handle) -> tuple[str, str]:
        try:
            status = part(self._run(client, handle), "status")
        except RefusedError as error:
            if not error.code or not (is_missing(error) or _NO_RUN.search(str(error))):  # no code: a proxy's words
                raise
            return _REMOVED, "the workspace has no such run any more"  # it forgets runs after 60 days
        state, ended = str(part(status, "state")), status.get("termination_details") or {}
        code, message = str(ended.get("code") or ""), str(ended.get("message") or "")
        why = "" if code == "SUCCESS" else ": ".join(filter(None, [code, message]))
        if state == "TERMINATING":
            return ("CANCELING" if code in _CANCELED else state), why
        if state != "TERMINATED":
            return state, why
        # Codes that nobody knows yet may come: they are failures.
        return ("SUCCESS" if code == "SUCCESS" else "CANCELED" if code in _CANCELED else "FAILED"), why

    def _began(self, client: Workspace, handle: Handle) -> datetime | None:
        began = self._run(client, handle).get("start_time")  # milliseconds
        return datetime.fromtimestamp(began / 1000, UTC) if began else None

    def _run(self, client: Workspace, handle: Handle) -> Mapping[str, Any]:
        return client.asked("GET", f"{_RUNS}/get", query={"run_id": handle.id})

    def _end(self, client: Workspace, handle: Handle, *, force: bool) -> None:  # noqa: ARG002 - there is one way
        client.asked("POST", f"{_RUNS}/cancel", body={"run_id": int(handle.id)})

    def links(self, handle: Handle) -> Mapping[str, str]:
        """The run's page, with its logs and Spark's page, and its folder in the volume."""
        client = self._client()
        folder = self._shelf.job(handle.name)
        volume = "/".join(folder.split("/")[2:5])
        found = {"Report": f"{client.address}/explore/data/volumes/{volume}?volumePath={quote(folder, safe='')}"}
        try:
            page = str(self._run(client, handle).get("run_page_url") or "")
        except (*self.errors, EtlError):  # a link is worth no failed try: the job was submitted
            return found
        return found | ({"Run": page} if page.startswith(("https://", client.address)) else {})


def _workers(conf: Mapping[str, str]) -> Mapping[str, Any]:
    """How many workers: an executor is one of them."""
    first = int(conf.get("spark.executor.instances", "1"))
    most = conf.get("spark.dynamicAllocation.maxExecutors", "")
    if conf.get("spark.dynamicAllocation.enabled") == "true" and most:
        return {"autoscale": {"min_workers": min(first, int(most)), "max_workers": int(most)}}
    return {"num_workers": first}


def _spot(address: str) -> dict[str, Any]:
    """Spot instances for workers, others where there are none; the first node, the driver's, is none."""
    host = urlsplit(address).hostname or ""
    key, word = next(said for end, said in _SPOT.items() if host.endswith(end))
    return {key: {"availability": word, "first_on_demand": 1}}


def _library(text: str) -> Mapping[str, Any]:
    """A jar or a wheel by its path, Maven coordinates, or a requirement as pip takes it."""
    for kind in ("jar", "whl"):
        if text.endswith(f".{kind}"):
            return {kind: text}
    return {"maven": {"coordinates": text}} if _COORDINATES.fullmatch(text) else {"pypi": {"package": text}}
