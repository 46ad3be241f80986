"""An engine whose jobs a service of AWS runs: by boto3, with a folder on S3 and Secrets Manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from airflow_provider_etl.engines.aws import ERRORS, Bucket, Clients, SecretsManager, is_missing, told
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.service import ServiceEngine
from airflow_provider_etl.engines.shelf import Shelf
from spark_jobs.errors import EtlError
from spark_jobs.session import settings


class AmazonEngine(ServiceEngine):
    """Jobs of a service of AWS.

    Args:
        options: `bucket`, `region`, `poll` (seconds between two looks), and what the service itself needs.
        clients: gives boto3's clients.
    """

    errors = ERRORS
    service: ClassVar[str]
    """boto3's name of the service."""

    def __init__(self, options: Mapping[str, Any], clients: Clients) -> None:
        files = Bucket(str(options["bucket"]), clients)
        super().__init__(options, Shelf(files, SecretsManager(clients)))
        self._clients = clients

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """By Airflow's connection of type aws."""
        from airflow_provider_etl.hooks.aws import clients_of

        return cls(options, clients_of(options.get("connection"), options.get("region")))

    def _client(self, *, once: bool = False) -> Any:
        return self._clients(self.service, once=once)

    def _told(self, error: Exception) -> EtlError:
        return told(error, f"engine {self.kind}")

    def _is_missing(self, error: Exception) -> bool:
        return is_missing(error)

    def _settings(self, job: Job) -> dict[str, str]:
        """Spark's settings for a job; the log store for S3 stands among the jars."""
        conf = settings(job.plans[0].get("spark", {}))
        jars = filter(None, [conf.get("spark.jars", ""), self._shelf.log_store()])
        return conf | {"spark.jars": ",".join(jars)}

    def links(self, handle: Handle) -> Mapping[str, str]:
        """Report and plan in the console of S3."""
        address = self._page("object", handle)
        return {"Report": f"{address}/report.json", "Plan": f"{address}/plan.json"}

    def _page(self, what: str, handle: Handle) -> str:
        """A job's folder in the console, up to a name that may follow; `what`: `object` or `buckets`."""
        bucket, _, prefix = self._shelf.job(handle.name).partition("://")[2].partition("/")
        return f"{self._console}/s3/{what}/{bucket}?region={self._region}&prefix={prefix}"

    @property
    def _region(self) -> str:
        return str(self._options.get("region") or self._clients("s3").meta.region_name)

    @property
    def _console(self) -> str:
        return f"https://{self._region}.console.aws.amazon.com"
