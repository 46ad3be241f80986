"""Batches of Dataproc (Serverless for Apache Spark).

Source: the public discovery document of dataproc v1, projects.locations.batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from airflow_provider_etl.engines.answers import part
from airflow_provider_etl.engines.batch_sizes import fitted
from airflow_provider_etl.engines.calls import Calls
from airflow_provider_etl.engines.dataproc_work import LABEL, PAGE, Code, pages, recently, request_id, without_jars

_LONGEST: Final = "1209600s"  # 14 days, the most; else runtimes from 2.1 on end every batch after four hours


class Batches:
    """Batches: Google finds the machines.

    Args:
        options: `region`, and `runtime`, `image`, `service_account`, `subnetwork` where they are given.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options, self._region = options, str(options["region"])

    def _all(self, project: str) -> str:
        return f"v1/projects/{project}/locations/{self._region}/batches"

    def start(self, client: Calls, project: str, name: str, code: Code, conf: Mapping[str, str]) -> None:
        """Submit a batch."""
        body = {
            "labels": {LABEL: code.family},
            "pysparkBatch": code.pyspark(conf),
            "runtimeConfig": self._runtime(conf),
            "environmentConfig": {"executionConfig": self._execution()},
        }
        client.asked("POST", self._all(project), body=body, query={"batchId": name, "requestId": request_id(name)})

    def _runtime(self, conf: Mapping[str, str]) -> dict[str, Any]:
        named = {"version": self._options.get("runtime"), "containerImage": self._options.get("image")}
        return {key: value for key, value in named.items() if value} | {"properties": fitted(without_jars(conf))}

    def _execution(self) -> dict[str, Any]:
        account, network = self._options.get("service_account"), self._options.get("subnetwork")
        return {
            "ttl": _LONGEST,
            # Runtimes from 3.0 on would go by whoever submits it: by what may start jobs, not by what may read data.
            "authenticationConfig": {"userWorkloadAuthenticationType": "SERVICE_ACCOUNT"},
            **({"serviceAccount": account} if account else {}),
            **({"subnetworkUri": network} if network else {}),
        }

    def recent(self, client: Calls, project: str) -> Iterator[str]:
        """The names of the last days' batches."""
        return self._listed(client, project, f"create_time > {recently()}")

    def marked(self, client: Calls, project: str, family: str) -> Iterator[str]:
        """The names of an owner's batches."""
        return self._listed(client, project, f'labels.{LABEL} = "{family}"')

    def _listed(self, client: Calls, project: str, which: str) -> Iterator[str]:
        query = {"filter": which, "orderBy": "create_time desc", "pageSize": PAGE}
        fields = "batches(name),nextPageToken"
        for page in pages(client, self._all(project), query | {"fields": fields}):
            yield from (str(batch["name"]).rpartition("/")[2] for batch in page.get("batches", ()))

    def state(self, client: Calls, project: str, name: str) -> tuple[str, str]:
        """How a batch stands."""
        batch = self._batch(client, project, name)
        return str(part(batch, "state")), str(batch.get("stateMessage") or "")

    def _batch(self, client: Calls, project: str, name: str) -> Mapping[str, Any]:
        return client.asked("GET", f"{self._all(project)}/{name}")

    def end(self, client: Calls, project: str, name: str) -> None:
        """Cancel the operation that a batch is."""
        operation = part(self._batch(client, project, name), "operation")
        client.asked("POST", f"v1/{operation}:cancel", body={})

    def page(self, name: str) -> str:
        """A batch's page."""
        return f"batches/{self._region}/{name}/summary"
