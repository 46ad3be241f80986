"""A namespace of Kubernetes: its Spark applications, their pods and their secrets, by the client `kubernetes`.

Every call may be repeated: names are ours, and what is there already is taken for what an earlier call has made.
"""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final, TypeVar

from kubernetes.client import CoreV1Api, CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

ERRORS: Final = (ApiException, ConfigException, HTTPError, OSError)
_GROUP, _VERSION, _PLURAL = "sparkoperator.k8s.io", "v1beta2", "sparkapplications"
API: Final = f"{_GROUP}/{_VERSION}"
OURS: Final = "airflow-provider-etl"
KEY: Final = "connections.json"
MOUNTED: Final = "/etc/airflow-provider-etl"
"""Where a driver finds its secret: a folder with one file."""
_MOST: Final = 1 << 20  # bytes; a Secret takes no more, base64 not counted
_TRIES: Final = 4  # of a call
_FIRST: Final = 0.25  # seconds between two of them; then twice as many
_TIMES: Final = {"_request_timeout": (5.0, 30.0)}  # seconds: to connect, to answer
_SPARK: Final = "spark-kubernetes-driver"  # the container of Spark in a driver's pod; others may outlive it
_CUT: Final = "Kubernetes' answer was cut"
_PAGE: Final = 250
_OURS_ALONE: Final = f"app.kubernetes.io/managed-by={OURS}"
T = TypeVar("T")
_AGAIN: Final = (401, 409, 410, 429)  # 401: tokens run out, and a retry comes with a new one; 410: so do lists' pages


def told(error: Exception, where: str) -> EtlError:
    """An error of the client as one of ours: its class says whether a retry makes sense.

    Args:
        error: what was raised.
        where: the place, for the text.
    """
    if isinstance(error, ConfigException):
        return ConfigError(str(error), where=where, remedy="see the engine's connection")
    if not isinstance(error, ApiException):
        return InfrastructureError(f"{type(error).__name__}: {error}", where=where, remedy="it is tried again")
    said = f"{error.status} {said_of(error).get('message') or error.reason}"
    full = "exceeded quota" in said
    if full or _passes(error):
        remedy = f"it is tried again{'; or raise the quota of the namespace' if full else ''}"
        return InfrastructureError(said, where=where, remedy=remedy)
    remedy = "see the engine's options and what its connection may do"
    if is_missing(error):
        remedy = "is the Spark operator installed, and the namespace there?"
    return ConfigError(said, where=where, remedy=remedy)


def said_of(error: ApiException) -> Mapping[str, Any]:
    """Kubernetes' `Status` of an error; empty where a proxy has answered."""
    try:
        said = json.loads(error.body or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def is_missing(error: Exception) -> bool:
    """Whether Kubernetes says that there is no such thing."""
    return isinstance(error, ApiException) and error.status == 404


def _is_taken(error: ApiException) -> bool:
    """Whether a thing of that name is there already."""
    return said_of(error).get("reason") == "AlreadyExists"


def _passes(error: Exception) -> bool:
    """Whether a call makes sense that is repeated; 0: TLS broke off."""
    if isinstance(error, ApiException):
        return not error.status or error.status >= 500 or (error.status in _AGAIN and not _is_taken(error))
    return not isinstance(error, ConfigException)


class Namespace:
    """A namespace. Its errors are the client's (`ERRORS`), after some tries.

    Args:
        name: of the namespace.
        api: gives the client (`kubernetes.client.ApiClient`).
    """

    def __init__(self, name: str, api: Callable[[], Any]) -> None:
        self.name, self._api = name, api

    @cached_property
    def _core(self) -> Any:
        return CoreV1Api(self._api())

    @cached_property
    def _objects(self) -> Any:
        return CustomObjectsApi(self._api())

    def create(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create an application; one of its name that is there already is the one that is meant."""
        try:
            return _read(lambda: self._objects.create_namespaced_custom_object(*self._at(), body=body, **_TIMES))
        except ApiException as error:
            if not _is_taken(error):
                raise
        found = self.application(body["metadata"]["name"])
        if found is None:
            raise HTTPError("it was there, and is gone")
        return found

    def application(self, name: str) -> Mapping[str, Any] | None:
        """An application; None where there is none."""
        return _known(lambda: _read(lambda: self._objects.get_namespaced_custom_object(*self._at(name), **_TIMES)))

    def applications(self) -> Iterator[Mapping[str, Any]]:
        """Our applications, in no order."""
        more: dict[str, Any] = {"label_selector": _OURS_ALONE, "limit": _PAGE, **_TIMES}
        while True:
            page = _read(lambda: self._objects.list_namespaced_custom_object(*self._at(), **more))
            yield from page.get("items") or ()
            more["_continue"] = (page.get("metadata") or {}).get("continue")
            if not more["_continue"]:
                return

    def remove(self, name: str, *, force: bool) -> None:
        """Remove an application with all that is its own; `force`: its pods at once. Nothing where there is none."""
        how = {"propagation_policy": "Foreground", **_TIMES}
        _known(lambda: self._objects.delete_namespaced_custom_object(*self._at(name), **how))
        for pod in self.pods(name) if force else ():
            at_once = {"grace_period_seconds": 0, **_TIMES}
            _known(lambda: self._core.delete_namespaced_pod(pod, self.name, **at_once))  # noqa: B023

    def pods(self, name: str) -> list[str]:
        """The pods of an application that haven't ended, its driver and its executors."""
        return [pod.metadata.name for pod in self._pods(name)]

    def drivers(self, name: str) -> list[str]:
        """The pods of an application in which its driver hasn't ended."""
        return [pod.metadata.name for pod in self._pods(name, ",spark-role=driver") if not _has_ended(pod)]

    def _pods(self, name: str, more: str = "") -> list[Any]:
        how = {"label_selector": f"sparkoperator.k8s.io/app-name={name}{more}", **_TIMES}
        found = _tried(lambda: self._core.list_namespaced_pod(self.name, **how).items)
        return [pod for pod in found if pod.status.phase not in ("Succeeded", "Failed")]

    def own(self, secret: str, owner: Mapping[str, Any]) -> None:
        """Have a secret go with its application."""
        told = {"apiVersion": API, "kind": "SparkApplication", "name": owner["name"], "uid": owner["uid"]}
        body = {"metadata": {"ownerReferences": [told]}}
        _tried(lambda: self._core.patch_namespaced_secret(secret, self.name, body, **_TIMES))

    def keep(self, secret: str, text: str) -> None:
        """Keep a secret, over one of its name."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": secret, "labels": {"app.kubernetes.io/managed-by": OURS}},
            "type": "Opaque",
            "data": {KEY: base64.b64encode(text.encode()).decode()},
        }
        try:
            _tried(lambda: self._core.create_namespaced_secret(self.name, body, **_TIMES))
        except ApiException as error:
            if not _is_taken(error):
                raise
            _tried(lambda: self._core.replace_namespaced_secret(secret, self.name, body, **_TIMES))

    def forget(self, secret: str) -> None:
        """Remove a secret; nothing happens where there is none."""
        _known(lambda: self._core.delete_namespaced_secret(secret, self.name, **_TIMES))

    def _at(self, *name: str) -> tuple[str, ...]:
        return (_GROUP, _VERSION, self.name, _PLURAL, *name)


def _has_ended(pod: Any) -> bool:
    return any(item.name == _SPARK and item.state.terminated for item in pod.status.container_statuses or ())


def _known(call: Callable[[], T]) -> T | None:
    """What Kubernetes answers; None where there is no such thing."""
    try:
        return _tried(call)
    except ApiException as error:
        if is_missing(error):
            return None
        raise


def _read(call: Callable[[], Any]) -> Mapping[str, Any]:
    """A resource that Kubernetes answers with."""

    def whole() -> Mapping[str, Any]:
        answer = call()
        if not isinstance(answer, dict):  # the client gives a text where it can't read JSON
            raise HTTPError(_CUT)
        return answer

    return _tried(whole)


def _tried(call: Callable[[], T]) -> T:
    """What Kubernetes answers: asked again where that may help."""
    for again in range(_TRIES):
        try:
            return call()
        except ValueError:  # so the client says that a part is missing
            if again == _TRIES - 1:
                raise HTTPError(_CUT) from None
        except ERRORS as error:
            if not _passes(error) or again == _TRIES - 1:
                raise
        time.sleep(_FIRST * 2**again * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
    raise AssertionError("the last try raises")


class Secrets:
    """The secrets of a namespace: `shelf.Vault`. A secret is called as its job.

    Args:
        namespace: where drivers run.
    """

    most = _MOST

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    @property
    def place(self) -> str:
        """The namespace."""
        return f"kubernetes {self._namespace.name}"

    def put(self, name: str, text: str) -> str:
        """Keep a secret; the file by which a driver finds it."""
        where = f"secret {name}"
        try:
            self._namespace.keep(name, text)
        except ERRORS as error:
            if isinstance(error, ApiException) and error.status in (400, 422):  # its text may quote the secret
                raise ConfigError("Kubernetes refuses it", where=where, remedy="see its connections") from None
            raise told(error, where) from None
        return f"{MOUNTED}/{KEY}"

    def remove(self, name: str) -> None:
        """Remove a secret."""
        try:
            self._namespace.forget(name)
        except ERRORS as error:
            raise told(error, f"secret {name}") from None
