"""What the two ways have in common in which Dataproc runs Spark: batches without a cluster, and jobs of a cluster.

Source: the public discovery document of dataproc v1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from airflow_provider_etl.engines.calls import Calls
from airflow_provider_etl.engines.service import RECENT

LABEL: Final = "etl"
"""Under which jobs are marked with their owner."""
_REQUEST: Final = 40  # characters of a request's id
PAGE: Final = 500
"""Jobs of a page of a list."""


@dataclass(frozen=True, kw_only=True)
class Code:
    """What Spark gets.

    Args:
        script: URI of what it starts.
        packages: URI of the zip with `spark_jobs`.
        arguments: of the script.
        family: what jobs of the same owner are marked with.
    """

    script: str
    packages: str
    arguments: list[str]
    family: str

    def pyspark(self, conf: Mapping[str, str]) -> dict[str, Any]:
        """As both ways take it."""
        jars = [jar for jar in conf.get("spark.jars", "").split(",") if jar]
        more = {"jarFileUris": jars} if jars else {}
        return {
            "mainPythonFileUri": self.script,
            "pythonFileUris": [self.packages],
            "args": self.arguments,
            **more,
        }


class Work(Protocol):
    """A way. Its errors are those of the calls."""

    def start(self, client: Calls, project: str, name: str, code: Code, conf: Mapping[str, str]) -> None:
        """Submit a job, once however often it is called."""

    def recent(self, client: Calls, project: str) -> Iterator[str]:
        """The names of the last days' jobs, newest first."""

    def marked(self, client: Calls, project: str, family: str) -> Iterator[str]:
        """The names of an owner's jobs, newest first."""

    def state(self, client: Calls, project: str, name: str) -> tuple[str, str]:
        """(Dataproc's word for how a job stands, why)."""

    def end(self, client: Calls, project: str, name: str) -> None:
        """Cancel a job."""

    def page(self, name: str) -> str:
        """Its page, below that of Dataproc in the console."""


def request_id(name: str) -> str:
    """The id of a submission: a second call with the same one is taken for the first."""
    return hashlib.sha256(name.encode()).hexdigest()[:_REQUEST]


def recently() -> str:
    """When the last days began, as filters take a time."""
    return f'"{datetime.now(UTC) - RECENT:%Y-%m-%dT%H:%M:%SZ}"'


def without_jars(conf: Mapping[str, str]) -> dict[str, str]:
    """Spark's settings but for its jars, which have a place of their own (`Code.pyspark`)."""
    return {key: value for key, value in conf.items() if key != "spark.jars"}


def pages(client: Calls, path: str, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The pages of a list."""
    token: dict[str, str] = {}
    while True:
        page = client.asked("GET", path, query={**query, **token})
        yield page
        if not page.get("nextPageToken"):
            return
        token = {"pageToken": str(page["nextPageToken"])}
