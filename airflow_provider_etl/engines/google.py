"""What engines at Google share: a folder in Cloud Storage through which plan and report go, and the secrets.

Sources: the public discovery documents of storage v1 (JSON API) and secretmanager v1.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

import requests

from airflow_provider_etl.engines.calls import ERRORS, Calls, RefusedError, is_missing, told

_MOST: Final = 65536  # bytes of a secret
_LONGEST: Final = "259200s"  # three days: of a worker that never comes back no secret stays
THERE: Final = "ALREADY_EXISTS"
_OBJECTS: Final = "storage/v1/b/{}/o"
_UPLOAD: Final = f"upload/{_OBJECTS}"


class Apis(Protocol):
    """Gives Google's services."""

    def __call__(self, service: str, *, once: bool = False) -> Calls:
        """A service by the first part of its host, such as `dataproc`; `once`: one that repeats no call by itself."""

    def project(self) -> str:
        """The project of the connection.

        Raises:
            ConfigError: nobody says which it is.
        """


class Bucket:
    """A folder in Cloud Storage: `shelf.Files`.

    Args:
        folder: `gs://bucket/prefix`.
        apis: gives Google's services.
    """

    def __init__(self, folder: str, apis: Apis) -> None:
        self.folder, self._apis = folder.rstrip("/"), apis
        self._bucket, _, self._prefix = self.folder.partition("://")[2].partition("/")

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""
        answer = self._called("GET", name, params={"fields": "size"})
        return None if answer is None else int(self._read(answer, name).get("size", -1))

    def get(self, name: str) -> bytes | None:
        """An object; None where there is none."""
        answer = self._called("GET", name, params={"alt": "media"})
        return None if answer is None else bytes(answer.content)

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        path, query = _UPLOAD.format(self._bucket), {"uploadType": "media", "name": self._key(name), "fields": "name"}
        try:
            self._apis("storage").raw("POST", path, params=query, data=content)
        except ERRORS as error:
            raise told(error, f"{self.folder}/{name}") from None

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._called("DELETE", name)

    def names(self, prefix: str, *, before: datetime | None = None) -> Sequence[str]:
        """The objects whose name begins so; `before`: of those the older ones."""
        found: list[str] = []
        query = {"prefix": self._key(prefix), "fields": "items(name,updated),nextPageToken"}
        while True:
            try:
                answer = self._apis("storage").asked("GET", _OBJECTS.format(self._bucket), query=query)
            except ERRORS as error:
                raise told(error, f"{self.folder}/{prefix}") from None
            items = [item for item in answer.get("items", ()) if before is None or _changed(item) < before]
            found += [str(item["name"]).removeprefix(self._key("")) for item in items]
            if not answer.get("nextPageToken"):
                return found
            query["pageToken"] = str(answer["nextPageToken"])

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _read(self, answer: requests.Response, name: str) -> Any:
        try:
            return answer.json()
        except requests.RequestException as error:  # a proxy has answered
            raise told(error, f"{self.folder}/{name}") from None

    def _called(self, method: str, name: str, **more: Any) -> requests.Response | None:
        """What Cloud Storage answers; None where it has no such object."""
        path = f"{_OBJECTS.format(self._bucket)}/{quote(self._key(name), safe='')}"
        try:
            return self._apis("storage").raw(method, path, **more)
        except ERRORS as error:
            if is_missing(error):
                return None
            raise told(error, f"{self.folder}/{name}") from None


def _changed(item: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(item["updated"]))


class SecretManager:
    """Secret Manager: `shelf.Vault`. A secret is called as its job, and lies in the job's region alone.

    Args:
        region: where secrets lie.
        project: gives the project that they belong to.
        apis: gives Google's services.
    """

    most = _MOST

    def __init__(self, region: str, project: Project, apis: Apis) -> None:
        self._region, self._project, self._apis = region, project, apis

    @property
    def place(self) -> str:
        """The project's."""
        return f"gcp {self._project()}"

    def put(self, name: str, text: str) -> str:
        """Keep a secret as the newest version of its name; its full name."""
        secret = f"projects/{self._project()}/secrets/{name}"
        payload = {"payload": {"data": base64.b64encode(text.encode()).decode()}}
        try:
            self._make(name)
            self._asked("POST", f"{secret}:addVersion", body=payload)
        except ERRORS as error:
            raise told(error, "Secret Manager") from None
        return secret

    def _make(self, name: str) -> None:
        # Organisations that keep data in some regions refuse replication that is Google's choice.
        replicas = {"userManaged": {"replicas": [{"location": self._region}]}}
        try:
            body = {"replication": replicas, "ttl": _LONGEST}
            self._asked("POST", f"projects/{self._project()}/secrets", body=body, query={"secretId": name})
        except RefusedError as error:
            if error.code != THERE:  # an earlier try came so far
                raise

    def remove(self, name: str) -> None:
        """Remove a secret with all its versions."""
        try:
            self._asked("DELETE", f"projects/{self._project()}/secrets/{name}")
        except ERRORS as error:
            if not is_missing(error):
                raise told(error, "Secret Manager") from None

    def _asked(self, method: str, path: str, **more: Any) -> None:
        self._apis("secretmanager").asked(method, f"v1/{path}", **more)


class Project(Protocol):
    """Gives the project."""

    def __call__(self) -> str:
        """Its id."""
