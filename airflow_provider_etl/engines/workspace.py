"""A workspace of Databricks by its REST API: files of a volume, secrets of a scope.

Sources: the workspace API's reference, Files API 2.0 and Secrets API 2.0 (https://docs.databricks.com/api/workspace).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

import requests

from airflow_provider_etl.engines.calls import ERRORS, Calls, RefusedError, is_missing, told

_MOST: Final = 128 * 1024  # bytes of a secret
_THERE: Final = "RESOURCE_ALREADY_EXISTS"


class Workspace(Calls):
    """Calls of a workspace; paths are those below `/api/`."""

    below = "api/"


class Workspaces(Protocol):
    """Gives a workspace."""

    def __call__(self, *, once: bool = False) -> Workspace:
        """The workspace; `once`: one that repeats no call by itself."""


class Volume:
    """A folder of a volume of Unity Catalog: `shelf.Files`.

    Args:
        folder: `/Volumes/catalog/schema/volume`, and what is below it.
        workspaces: gives the workspace.
    """

    def __init__(self, folder: str, workspaces: Workspaces) -> None:
        self.folder, self._workspaces = folder.rstrip("/"), workspaces
        self._made: set[str] = set()

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        answer = self._called("HEAD", name)
        return None if answer is None else int(answer.headers.get("Content-Length", -1))

    def get(self, name: str) -> bytes | None:
        """A file; None where there is none."""
        answer = self._called("GET", name)
        return None if answer is None else bytes(answer.content)

    def put(self, name: str, content: bytes) -> None:
        """Write a file, and make its folder."""
        above = name.rpartition("/")[0]
        if above not in self._made:
            self._called("PUT", above, kind="directories")
            self._made.add(above)
        self._called("PUT", name, params={"overwrite": "true"}, data=content)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._called("DELETE", name)

    def names(self, prefix: str, *, before: datetime | None = None) -> Sequence[str]:
        """The files whose name begins so; `before`: of those the older ones."""
        folder, found, page = prefix.rpartition("/")[0], [], ""
        while True:
            answer = self._called("GET", folder, kind="directories", params={"page_token": page} if page else None)
            told = {} if answer is None else self._read(answer, folder)
            files = [item for item in told.get("contents", ()) if not item.get("is_directory")]
            found += [f"{folder}/{item['name']}" for item in files if before is None or _changed(item) < before]
            page = str(told.get("next_page_token") or "")
            if not page:
                return [name for name in found if name.startswith(prefix)]

    def _read(self, answer: requests.Response, name: str) -> Any:
        try:
            return answer.json()
        except requests.RequestException as error:  # a proxy has answered
            raise told(error, f"{self.folder}/{name}") from None

    def _called(self, method: str, name: str, *, kind: str = "files", **more: Any) -> requests.Response | None:
        """What the workspace answers; None where it has no such file."""
        path = f"{self.folder}/{name}"
        try:
            return self._workspaces().raw(method, f"2.0/fs/{kind}{quote(path)}", **more)
        except ERRORS as error:
            # A file can't be written where its volume isn't: that is no file that is missing.
            if is_missing(error) and method != "PUT":
                return None
            raise told(error, path) from None


def _changed(item: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(item["last_modified"]) / 1000, UTC)


class Scope:
    """A scope of secrets of our own: `shelf.Vault`. A secret's key is its job's name.

    Args:
        scope: its name; made where it isn't there, and then whoever made it may manage it.
        workspaces: gives the workspace.
    """

    most = _MOST

    def __init__(self, scope: str, workspaces: Workspaces) -> None:
        self._scope, self._workspaces = scope, workspaces

    @property
    def place(self) -> str:
        """The scope."""
        return f"databricks {self._scope}"

    def put(self, name: str, text: str) -> str:
        """Keep a secret; its scope and key."""
        secret = {"scope": self._scope, "key": name, "string_value": text}
        try:
            try:
                self._asked("put", secret)
            except RefusedError as error:
                if not is_missing(error):
                    raise
                self._make()
                self._asked("put", secret)
        except ERRORS as error:
            raise told(error, f"secret scope {self._scope}") from None
        return f"{self._scope}/{name}"

    def remove(self, name: str) -> None:
        """Remove a secret."""
        try:
            self._asked("delete", {"scope": self._scope, "key": name})
        except ERRORS as error:
            if not is_missing(error):
                raise told(error, f"secret scope {self._scope}") from None

    def _make(self) -> None:
        try:
            self._asked("scopes/create", {"scope": self._scope})
        except RefusedError as error:
            if error.code != _THERE:  # another task was first
                raise

    def _asked(self, call: str, body: Mapping[str, str]) -> None:
        self._workspaces().asked("POST", f"2.0/secrets/{call}", body=body)
