"""The REST server of a standalone master: drivers are sent, asked for and killed by it.

Protocol: `org.apache.spark.deploy.rest` of Spark 4.1 (RestSubmissionClient.scala). `spark-submit` refuses to send a
Python driver to a standalone cluster; the server takes it as `SparkSubmit` in client mode on a worker, which is what
Spark's own documentation of the server shows.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final

from airflow_provider_etl.engines.target import Target
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.hiding import Hiding, cut, secrets_of

_MOST: Final = 1 << 20  # bytes of an answer
_PATIENCE: Final = 15.0  # seconds for an answer
_WHERE: Final = "engine spark_submit"
_CLIENT: Final = "4.1.3"  # the version whose protocol this is
_SUBMITTER: Final = "org.apache.spark.deploy.SparkSubmit"
UNKNOWN: Final = "UNKNOWN"
_IDLE: Final = "Current state is not alive"  # what a master says that stands by, or recovers
# Masters are asked straight: a proxy that the environment names is for the world outside.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Rest:
    """A standalone master, or several of which one leads.

    Args:
        target: where it is.
    """

    def __init__(self, target: Target) -> None:
        self._hosts, self._port = [host for host, _ in target.hosts], target.rest_port

    def create(self, arguments: Sequence[str], settings: Mapping[str, str]) -> str:
        """Send a driver; the master's name of it.

        Args:
            arguments: of `spark-submit`, with which the driver begins on its worker.
            settings: what the driver's JVM is started with.

        Raises:
            InfrastructureError: no master takes it.
        """
        told = self._asked("create", _order(arguments, settings))
        if not told.get("success") or not told.get("submissionId"):
            raise InfrastructureError(f"the master took no driver: {told.get('message') or told}", where=_WHERE)
        return str(told["submissionId"])

    def state(self, driver: str) -> str:
        """What the master says of a driver: SUBMITTED, RUNNING, FINISHED, KILLED, FAILED, ERROR, …; or UNKNOWN.

        Raises:
            InfrastructureError: no master that leads answers.
        """
        told = self._asked(f"status/{driver}")
        if told.get("success"):
            return str(told.get("driverState") or UNKNOWN)
        if told.get("message"):  # of a driver that it doesn't know it says nothing
            raise InfrastructureError(f"the master can't say what {driver} does: {told['message']}", where=_WHERE)
        return UNKNOWN

    def kill(self, driver: str) -> None:
        """Kill a driver; nothing happens where it has ended.

        Raises:
            InfrastructureError: no master that leads answers.
        """
        self._asked(f"kill/{driver}", {})

    def _asked(self, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer of the master that leads: those that stand by refuse."""
        why, idle = "", ""
        for host in self._hosts:
            try:
                told = _answer(f"http://{host}:{self._port}/v1/submissions/{what}", body)
            except (OSError, ValueError, HTTPException) as error:
                why = str(getattr(error, "reason", error))
                continue
            if _IDLE not in str(told.get("message")):
                return told
            idle = host
        if idle:
            raise InfrastructureError(
                f"no Spark master leads at this moment; {idle} is up, but stands by or recovers",
                where=_WHERE,
                remedy="wait until one does",
            )
        raise InfrastructureError(
            f"the REST server of the Spark master doesn't answer at port {self._port}: {why}",
            where=_WHERE,
            remedy="start the master with spark.master.rest.enabled=true, or mend rest_port",
        )


def _answer(url: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json;charset=UTF-8"}
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - http, from the master's address
    try:
        with _OPENER.open(request, timeout=_PATIENCE) as answer:
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise ConfigError("the REST server of the Spark master refuses us", where=_WHERE) from None
        hiding = Hiding(secrets_of(body))  # a server that understands nothing of it may repeat all of it
        said = cut(hiding.text(error.read(_MOST).decode(errors="replace")), 500)
        if error.code >= 500:  # it doesn't know either, or something in front of it answers
            raise OSError(f"HTTP {error.code}: {said}") from None
        return {"success": False, "message": said or f"HTTP {error.code}"}
    return told


def _order(arguments: Sequence[str], settings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "action": "CreateSubmissionRequest",
        "clientSparkVersion": _CLIENT,
        "mainClass": _SUBMITTER,
        "appResource": "",
        "appArgs": list(arguments),
        "sparkProperties": dict(settings),
        "environmentVariables": {"SPARK_ENV_LOADED": "1"},
    }
