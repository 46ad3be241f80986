"""Spark on Kubernetes by the Spark operator: a job is a resource `SparkApplication`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from airflow_provider_etl.engines.aws import Bucket, Clients
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.kube import ERRORS, Namespace, Secrets, is_missing, told
from airflow_provider_etl.engines.service import ServiceEngine
from airflow_provider_etl.engines.shelf import Shelf
from airflow_provider_etl.engines.spark_application import Code, spark_application
from spark_jobs.errors import EtlError, InfrastructureError, ResourceError
from spark_jobs.serviced import arguments
from spark_jobs.session import settings

_REMOVED: Final = "REMOVED"
_REMOVING: Final = "REMOVING"
_LEFT: Final = "COMPLETED"
_FAILED: Final = "FAILED"
_FAILING: Final = "FAILING"
_UI: Final = 4040  # the port of Spark's page
_ENDED_BY_MEMORY: Final = "OOMKilled"
_MEMORY: Final = "raise the engine's `memory`, or spark.driver.memoryOverhead in its conf: a pod's limit is both"


class KubernetesEngine(ServiceEngine):
    """Resources `SparkApplication` of a namespace.

    A resource's name is decided before it is made, so one whose answer got lost is met again as "AlreadyExists". A
    cancelled resource is deleted; of those the folder on the bucket remains, by which an owner's jobs are counted and
    one that had loaded is still known.

    Args:
        options: `namespace`, `image`, `bucket`, `spark`, `poll` (seconds between two looks), and how pods are placed.
        api: gives the client of Kubernetes.
        clients: gives boto3's clients, for the bucket.
    """

    kind: ClassVar[str] = "kubernetes"
    errors = ERRORS
    words = MappingProxyType(
        {
            _LEFT: "succeeded",
            _FAILED: "failed",
            _REMOVING: "cancelled",
            _REMOVED: "cancelled",
        }
    )
    ending = frozenset({_REMOVING})

    def __init__(self, options: Mapping[str, Any], api: Callable[[], Any], clients: Clients) -> None:
        self._namespace = Namespace(str(options["namespace"]), api)
        # Spark's own Hadoop knows S3 by this name alone.
        files = Bucket(str(options["bucket"]), clients, scheme="s3a")
        super().__init__(options, Shelf(files, Secrets(self._namespace)))

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """By Airflow's connections of type kubernetes, and of type aws for the bucket."""
        from airflow_provider_etl.hooks.aws import clients_of
        from airflow_provider_etl.hooks.kubernetes import api_of

        clients = clients_of(options.get("bucket_connection"), options.get("region"))
        return cls(options, api_of(options.get("connection")), clients)

    def _client(self, *, once: bool = False) -> Namespace:  # noqa: ARG002 - every call may be repeated
        return self._namespace

    def _told(self, error: Exception) -> EtlError:
        return told(error, f"engine {self.kind}")

    def _is_missing(self, error: Exception) -> bool:
        return is_missing(error)

    def _start(self, client: Namespace, name: str, job: Job, secret: str) -> str:
        conf = settings(job.plans[0].get("spark", {}))
        code = self._code(name, secret, conf)
        made = client.create(spark_application(name, code, conf, self._options, job.family[4:-1]))
        if secret:
            client.own(name, made["metadata"])
        return name

    def _code(self, name: str, secret: str, conf: dict[str, str]) -> Code:
        """The code and its arguments; the jar that it needs goes among the settings."""
        given, has_secret = arguments(self._shelf.job(name), secret, vault="file"), bool(secret)
        if self._options.get("script"):
            return Code(script=self._options["script"], packages="", arguments=given, has_secret=has_secret)
        script, packages = self._shelf.code()
        conf["spark.jars"] = ",".join(filter(None, [conf.get("spark.jars", ""), self._shelf.log_store()]))
        return Code(script=script, packages=packages, arguments=given, has_secret=has_secret)

    def jobs(self, job: Job) -> Sequence[Handle]:
        """The jobs of the same owner, newest first; those too whose resource is gone, by their folders."""
        alive = super().jobs(job)
        known = {handle.name for handle in alive}
        gone = [Handle(token=name.split("-")[-2], id=name, name=name) for name in self._shelf.jobs(job.family)]
        more = sorted(gone, key=lambda handle: handle.ordinal, reverse=True)
        return [*alive, *(handle for handle in more if handle.name not in known)]

    def _named(self, job: Job, name: str) -> Handle | None:
        """A job whose answer got lost; its folder alone, which was made before, is none."""
        found = self._found(name)
        if found is None:
            return None
        if job.connections:  # what failed may have been the call that makes the application their owner
            with suppress(*ERRORS):  # without an owner they go when the report is fetched, or the job cancelled
                self._namespace.own(name, found["metadata"])
        return Handle(token=job.key, id=name, name=name)

    def _found(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self._namespace.application(name)
        except ERRORS as error:
            raise self._told(error) from None

    def _listed(self, client: Namespace) -> Iterator[tuple[str, str]]:
        found = [item["metadata"] for item in client.applications()]
        for item in sorted(found, key=lambda item: str(item.get("creationTimestamp", "")), reverse=True):
            yield item["name"], item["name"]

    def _state(self, client: Namespace, handle: Handle) -> tuple[str, str]:
        found = client.application(handle.name)
        if found is None:
            return self._remains(client, handle)
        status = found.get("status") or {}
        state, pod = status.get("applicationState") or {}, (status.get("driverInfo") or {}).get("podName")
        word, why = state.get("state") or "NEW", state.get("errorMessage") or ""
        # The operator may have given up a driver that it didn't see, or whose submission took too long.
        if word == _FAILED and (alive := client.drivers(handle.name)):
            word, why = _FAILING, f"driver pod {alive[0]} still runs"
        if "deletionTimestamp" in found["metadata"] and word not in self.words:
            return _REMOVING, ""
        return word, why or (f"driver pod {pod}" if pod and word not in self.words else "")

    def _remains(self, client: Namespace, handle: Handle) -> tuple[str, str]:
        """What a resource has left that is gone: pods that still end, or the report of a job that wasn't cancelled."""
        if client.pods(handle.name):
            return _REMOVING, "its pods still end"
        # What we have cancelled ourselves is known without a look at the folder, which may not answer.
        left = not self._shelf.withdrawn(handle.name) and self._shelf.report(handle.name) is not None
        return (_LEFT, "its resource was deleted since") if left else (_REMOVED, "")

    def _end(self, client: Namespace, handle: Handle, *, force: bool) -> None:
        client.remove(handle.name, force=force)

    def _lost(self, handle: Handle) -> EtlError:
        where = f"engine {self.kind}"
        word, why = self._seen(handle)
        if _ENDED_BY_MEMORY in why:
            return ResourceError(f"job {handle.id} ended as {word}: {why}", where=where, remedy=_MEMORY)
        if word == _FAILED:
            logs = f"kubectl logs -n {self._namespace.name} {handle.name}-driver"
            text = f"job {handle.id} ended as {word}: {why or 'the operator says no more'}"
            return InfrastructureError(text, where=where, remedy=f"see its log: {logs}")
        return super()._lost(handle)

    def links(self, handle: Handle) -> Mapping[str, str]:
        """The page of Spark, where the operator has made an ingress or a service for it, and where the report lies.

        A service has an address inside the cluster alone.
        """
        info: Mapping[str, Any] = {}
        with suppress(EtlError):  # a link is worth no failed try: the job was submitted
            info = ((self._found(handle.name) or {}).get("status") or {}).get("driverInfo") or {}
        folder = self._shelf.job(handle.name)
        page = info.get("webUIIngressAddress") or ""
        if not page and info.get("webUIServiceName"):
            page = f"{info['webUIServiceName']}.{self._namespace.name}.svc:{info.get('webUIPort') or _UI}"
        page = page if not page or "://" in page else f"http://{page}"
        told = {"Report": f"{folder}/report.json", "Plan": f"{folder}/plan.json"}
        return told | ({"Cluster": page} if page else {})
