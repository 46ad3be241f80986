"""Through what an engine and a job of a service meet: a folder that both sides see, and a store of secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import spark_jobs
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.parcel import packed, script, short_hash
from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.hiding import Hiding
from spark_jobs.serviced import CANCELLED, REPORT

_LEFT: Final = timedelta(days=7)  # a job has read its secret by then, or never will
_ENTRY: Final = script("serviced")
_JAR: Final = Path(spark_jobs.__file__).with_name("object_store") / "conditional-put-log-store.jar"


class Files(Protocol):
    """A folder of some storage. All its errors are ours (`spark_jobs.errors`)."""

    @property
    def folder(self) -> str:
        """Its URI, or its path, as a job finds it; without a slash at its end."""

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""

    def get(self, name: str) -> bytes | None:
        """A file; None where there is none."""

    def put(self, name: str, content: bytes) -> None:
        """Write a file as a whole, over what is there."""

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""

    def names(self, prefix: str, *, before: datetime | None = None) -> Sequence[str]:
        """The files whose name begins so, with their folder: `_secrets/etl-…`; `before`: of those the older ones."""


class Vault(Protocol):
    """A store of secrets, asked for nothing where a job has none. All its errors are ours."""

    @property
    def most(self) -> int:
        """Bytes that a secret may have."""

    @property
    def place(self) -> str:
        """Which store it is: a folder may be that of several."""

    def put(self, name: str, text: str) -> str:
        """Keep a job's secret, over one that is there; what the job finds it by."""

    def remove(self, name: str) -> None:
        """Remove a job's secret; nothing happens where there is none."""


class Shelf:
    """What lies in the folder: `_code/` by content, `_jobs/NAME/` with plan.json and report.json.

    `_secrets/NAME` says that a job has a secret, and in which store: those without one need no store of secrets.

    Args:
        files: the folder.
        vault: the store of secrets.
        entry: the script that starts a job (`parcel.script`).
    """

    def __init__(self, files: Files, vault: Vault, entry: bytes = _ENTRY) -> None:
        self._files, self._vault, self._entry = files, vault, entry
        self._withdrawn: set[str] = set()

    def job(self, name: str) -> str:
        """The folder of a job."""
        return f"{self._files.folder}/_jobs/{name}"

    def code(self) -> tuple[str, str]:
        """(script, zip) as Spark takes them; sent once for all jobs of these sources."""
        packages = packed()
        return (
            self._sent(f"_code/etl-{short_hash(self._entry)}.py", self._entry),
            self._sent(f"_code/spark_jobs-{short_hash(packages)}.zip", packages),
        )

    def log_store(self) -> str:
        """The jar by which Delta commits to S3."""
        jar = _JAR.read_bytes()
        return self._sent(f"_code/log-store-{short_hash(jar)}.jar", jar)

    def _sent(self, name: str, content: bytes) -> str:
        if self._files.size(name) != len(content):
            self._files.put(name, content)
        return f"{self._files.folder}/{name}"

    def put_plan(self, name: str, job: Job) -> None:
        """Leave a job's plan, which holds no secret."""
        self._files.put(f"_jobs/{name}/plan.json", json.dumps(job.plan).encode())

    def plan(self, name: str) -> Any:
        """A job's plan.

        Raises:
            InfrastructureError: it is gone.
        """
        found = self._files.get(f"_jobs/{name}/plan.json")
        if found is None:
            raise InfrastructureError("the job's plan is gone", where=self.job(name))
        return json.loads(found)

    def jobs(self, family: str) -> Sequence[str]:
        """The names of an owner's jobs, those too that the service has forgotten, in no order."""
        found = {name.split("/")[1] for name in self._files.names(f"_jobs/{family}")}
        return sorted(name for name in found if name.count("-") == 3)

    def report(self, name: str) -> Any:
        """A job's report, or `{refused, kind}` where it couldn't begin; None where it left none."""
        found = self._files.get(f"_jobs/{name}/{REPORT}")
        try:
            return None if found is None else json.loads(found)
        except ValueError:  # its job was ended as it wrote: what it has loaded, the ledger knows
            return None

    def ended(self, name: str) -> bool:
        """Whether a job has left a report, or was told to end itself: no other one may have its name."""
        return any(self._files.size(f"_jobs/{name}/{mark}") is not None for mark in (REPORT, CANCELLED))

    def withdraw(self, name: str) -> None:
        """Tell a job to end itself: what a service cancels may be another process than the one that works."""
        self._withdrawn.add(name)
        self._files.put(f"_jobs/{name}/{CANCELLED}", b"")

    def withdrawn(self, name: str) -> bool:
        """Whether a job was told to end itself."""
        return name in self._withdrawn or self._files.size(f"_jobs/{name}/{CANCELLED}") is not None

    def hand_over(self, name: str, connections: Connections) -> str:
        """Leave a job's connections in the store of secrets; what the job finds them by, empty where there are none.

        Raises:
            ConfigError: they are too much for a secret.
        """
        if not connections:
            return ""
        self.sweep()
        text = json.dumps(connections.to_json())
        if (size := len(text.encode())) > self._vault.most:
            raise ConfigError(f"the connections have {size} bytes", where="engine", expected=f"{self._vault.most}")
        self._files.put(f"_secrets/{name}", self._vault.place.encode())
        try:
            return self._vault.put(name, text)
        except EtlError as error:
            raise _without(error, connections.hiding) from None

    def forget(self, name: str) -> None:
        """Remove a job's secret, if it has one."""
        if self._files.size(f"_secrets/{name}") is None:
            return
        self._vault.remove(name)
        self._files.remove(f"_secrets/{name}")

    def forget_all(self, family: str) -> None:
        """Remove the secrets of an owner's jobs, of those too that were never submitted."""
        for found in self._files.names(f"_secrets/{family}"):
            self.forget(found.removeprefix("_secrets/"))

    def sweep(self) -> None:
        """Remove the secrets of this store that were left for a week: no worker has come back for their jobs."""
        place = self._vault.place.encode()
        for found in self._files.names("_secrets/", before=datetime.now(UTC) - _LEFT):
            with suppress(EtlError):  # whoever submits next tries again: it keeps no job from its work
                if self._files.get(found) == place:
                    self.forget(found.removeprefix("_secrets/"))


def _without(error: EtlError, hiding: Hiding) -> EtlError:
    return type(error)(hiding.text(error.what), where=error.where, remedy=error.remedy)
