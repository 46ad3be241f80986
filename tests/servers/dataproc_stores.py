"""What the fake of Google's services (`dataproc.py`) keeps: secrets of Secret Manager, objects of Cloud Storage."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tests.servers.answering import RefusalError

PROJECT: Final = "company-etl"
REGION: Final = "europe-west3"
BUCKET: Final = "company-jobs"
_STATUS: Final = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


def error_text(status: int, word: str, message: str) -> bytes:
    """As most of Google's services say no."""
    return json.dumps({"error": {"code": status, "message": message, "status": word}}).encode()


def stored_text(status: int, reason: str, message: str) -> bytes:
    """As Cloud Storage says no."""
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return json.dumps({"error": {"code": status, "message": message, "errors": errors}}).encode()


def refusal(status: int, message: str) -> RefusalError:
    """An answer that says no, with Google's word for its status."""
    return RefusalError(status, error_text(status, _STATUS[status], message))


@dataclass
class Stores:
    """Both stores; each call takes the names in its path, its query and its body."""

    port: int
    wrong: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    updated: dict[str, datetime] = field(default_factory=dict)  # of objects
    secrets: dict[str, list[str]] = field(default_factory=dict)
    settings: list[Any] = field(default_factory=list)  # of secrets
    page: int = 2

    def strange(self, why: str) -> RefusalError:
        """The refusal of what Google doesn't know, which is remembered."""
        self.wrong.append(why)
        return refusal(400, why)

    # -- Secret Manager -------------------------------------------------------------------------------------------

    def secret(self, names: list[str], query: Any, body: Any) -> Any:
        """`secrets.create`."""
        name = query["secretId"]
        if name in self.secrets:
            raise RefusalError(409, error_text(409, "ALREADY_EXISTS", f"Secret [{name}] already exists."))
        if not re.fullmatch(r"[\w\-]{1,255}", name) or names != [PROJECT]:
            raise self.strange(f"secret {name}")
        self.secrets[name] = []
        self.settings.append(body)
        return {"name": f"projects/1234/secrets/{name}", "replication": body["replication"]}

    def version(self, names: list[str], _: Any, body: Any) -> Any:
        """`secrets.addVersion`."""
        self._versions(names[-1]).append(base64.b64decode(body["payload"]["data"]).decode())
        return {"name": f"projects/1234/secrets/{names[-1]}/versions/1", "state": "ENABLED"}

    def access(self, names: list[str], _: Any, __: Any) -> Any:
        """`versions.access`."""
        data = base64.b64encode(self._versions(names[-1])[-1].encode()).decode()
        return {"name": f"projects/1234/secrets/{names[-1]}/versions/1", "payload": {"data": data}}

    def forget(self, names: list[str], _: Any, __: Any) -> Any:
        """`secrets.delete`."""
        self._versions(names[-1])
        del self.secrets[names[-1]]
        return {}

    def _versions(self, name: str) -> list[str]:
        if name not in self.secrets:
            raise refusal(404, f"Secret [projects/1234/secrets/{name}] not found.")
        return self.secrets[name]

    # -- Cloud Storage --------------------------------------------------------------------------------------------

    def object(self, names: list[str], query: Any, _: Any) -> Any:
        """`objects.get`, with its content where that is asked."""
        content = self._object(names)
        return content if query.get("alt") == "media" else {"size": str(len(content))}

    def insert(self, names: list[str], query: Any, body: bytes) -> Any:
        """`objects.insert` of a media upload."""
        self._bucket(names[0])
        self.objects[query["name"]], self.updated[query["name"]] = body, datetime.now(UTC)
        return {"name": query["name"]}

    def delete(self, names: list[str], _: Any, __: Any) -> bytes:
        """`objects.delete`."""
        self._object(names)
        del self.objects[names[1]]
        return b""

    def names(self, names: list[str], query: Any, _: Any) -> Any:
        """`objects.list`, in pages."""
        self._bucket(names[0])
        found = sorted(name for name in self.objects if name.startswith(query["prefix"]))
        first = int(query.get("pageToken", "after 0").removeprefix("after "))
        last = first + self.page
        when = {name: self.updated[name].isoformat().replace("+00:00", "Z") for name in found[first:last]}
        items = {"items": [{"name": name, "updated": at} for name, at in when.items()]} if found else {}
        return items | ({"nextPageToken": f"after {last}"} if last < len(found) else {})

    def _bucket(self, name: str) -> None:
        if name != BUCKET:
            raise RefusalError(404, stored_text(404, "notFound", "The specified bucket does not exist."))

    def _object(self, names: list[str]) -> bytes:
        self._bucket(names[0])
        if names[1] not in self.objects:
            raise RefusalError(404, f"No such object: {BUCKET}/{names[1]}".encode())
        return self.objects[names[1]]
