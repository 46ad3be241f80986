"""Spark on Dataproc: as batches without a cluster, or as jobs of one that is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Self
from urllib.parse import quote

from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.calls import ERRORS, Calls, RefusedError, is_missing, told
from airflow_provider_etl.engines.dataproc_batches import Batches
from airflow_provider_etl.engines.dataproc_jobs import ClusterJobs
from airflow_provider_etl.engines.dataproc_work import Code, Work
from airflow_provider_etl.engines.google import THERE, Apis, Bucket, SecretManager
from airflow_provider_etl.engines.service import ServiceEngine
from airflow_provider_etl.engines.shelf import Shelf
from spark_jobs.errors import EtlError
from spark_jobs.serviced import arguments
from spark_jobs.session import settings

_REMOVED: Final = "REMOVED"
_CONSOLE: Final = "https://console.cloud.google.com"


class DataprocEngine(ServiceEngine):
    """Batches, or jobs of a cluster.

    Both are called by a name of ours, so one whose answer got lost is met again by asking for it.

    Args:
        options: `region`, `bucket`, `project` (default: the connection's), `poll` (seconds between two looks), and
            `cluster`, or `runtime`, `image`, `service_account`, `subnetwork` of batches.
        apis: gives Google's services.
    """

    kind = "dataproc"
    errors = ERRORS
    words = MappingProxyType(
        {
            **dict.fromkeys(("SUCCEEDED", "DONE"), "succeeded"),
            **dict.fromkeys(("FAILED", "ERROR"), "failed"),
            **dict.fromkeys(("CANCELLED", "CANCELLING", "CANCEL_PENDING", "CANCEL_STARTED", _REMOVED), "cancelled"),
        }
    )
    ending = frozenset({"CANCELLING", "CANCEL_PENDING", "CANCEL_STARTED"})
    config_signs = (
        *("denied", "does not have permission", "INVALID_ARGUMENT", "does not exist"),
        *("Private Google Access", "has not been used in project"),
    )

    def __init__(self, options: Mapping[str, Any], apis: Apis) -> None:
        self._apis, region = apis, str(options["region"])
        files = Bucket(str(options["bucket"]), apis)
        super().__init__(options, Shelf(files, SecretManager(region, self._project, apis)))
        self._work: Work = ClusterJobs(options) if options.get("cluster") else Batches(options)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """By Airflow's connection of type google_cloud_platform."""
        from airflow_provider_etl.hooks.google import apis_of

        return cls(options, apis_of(options.get("connection")))

    def _project(self) -> str:
        return str(self._options.get("project") or self._apis.project())

    def _client(self, *, once: bool = False) -> Calls:
        return self._apis("dataproc", once=once)

    def _told(self, error: Exception) -> EtlError:
        return told(error, f"engine {self.kind}")

    def _is_missing(self, error: Exception) -> bool:
        return is_missing(error)

    def _start(self, client: Calls, name: str, job: Job, secret: str) -> str:
        script, packages = self._shelf.code()
        given = arguments(self._shelf.job(name), secret, vault="gcp")
        code = Code(script=script, packages=packages, arguments=given, family=_label(job.family))
        conf = self._settings(job)
        try:
            self._work.start(client, self._project(), name, code, conf)
        except RefusedError as error:
            if error.code != THERE:
                raise
        return name

    def _settings(self, job: Job) -> dict[str, str]:
        """Spark's settings for a job; where it writes to S3, the log store for that stands among the jars."""
        engine = job.plans[0].get("spark", {})
        conf = settings(engine)
        if not engine.get("s3"):
            return conf
        return conf | {"spark.jars": ",".join(filter(None, [conf.get("spark.jars", ""), self._shelf.log_store()]))}

    def jobs(self, job: Job) -> Sequence[Handle]:
        """The jobs of the same owner, newest first. Lists may be late, so the next name is asked for itself."""
        listed = super().jobs(job)
        newest = max((handle.ordinal for handle in listed if handle.token == job.key), default=0)
        missed = self._named(job, job.name(newest + 1))
        return [missed, *listed] if missed else listed

    def _named(self, job: Job, name: str) -> Handle | None:
        handle = Handle(token=job.key, id=name, name=name)
        return None if self._seen(handle)[0] == _REMOVED else handle

    def _listed(self, client: Calls) -> Iterator[tuple[str, str]]:
        return ((name, name) for name in self._work.recent(client, self._project()))

    def _listed_for(self, client: Calls, prefix: str) -> Iterator[tuple[str, str]]:
        """Those of one owner are marked: they are found however old, for a name can't be used twice."""
        if prefix.count("-") < 2:
            return super()._listed_for(client, prefix)
        return ((name, name) for name in self._work.marked(client, self._project(), _label(prefix)))

    def _state(self, client: Calls, handle: Handle) -> tuple[str, str]:
        try:
            return self._work.state(client, self._project(), handle.id)
        except RefusedError as error:
            if not error.code or not is_missing(error):  # no code: a proxy's words
                raise
            return _REMOVED, "the project has no such job any more"

    def _end(self, client: Calls, handle: Handle, *, force: bool) -> None:  # noqa: ARG002 - there is one way
        try:
            self._work.end(client, self._project(), handle.id)
        except RefusedError:
            if self._state(client, handle)[0] not in self.words:  # else it has ended by itself meanwhile
                raise

    def links(self, handle: Handle) -> Mapping[str, str]:
        """The job's page, with its logs and Spark's page, and its report in the console of Cloud Storage."""
        project = self._project()
        page = self._work.page(handle.id)
        report = quote(self._shelf.job(handle.name).partition("://")[2])
        return {
            "Run": f"{_CONSOLE}/dataproc/{page}{'&' if '?' in page else '?'}project={project}",
            "Report": f"{_CONSOLE}/storage/browser/_details/{report}/report.json?project={project}",
        }


def _label(family: str) -> str:
    """What jobs of an owner are marked with: a label begins with a letter and ends with none but letters and digits."""
    return family.rstrip("-")
