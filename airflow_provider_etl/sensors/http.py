"""Condition `http`: a server answers as it should."""

from __future__ import annotations

import json
import logging
import string
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, InvalidURL
from typing import Any, ClassVar, Final, Literal
from urllib.parse import quote, urlsplit

from airflow_provider_etl.addresses import why
from airflow_provider_etl.sensors.condition import Answer, Asking, Condition
from airflow_provider_etl.sensors.connecting import connection_of, hook_class
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC

_HOOK: Final = "airflow.providers.http.hooks.http:HttpHook"
_PACKAGE: Final = "apache-airflow-providers-http"
_SECONDS: Final = 30.0  # for one answer
_LIMIT: Final = 4_000_000  # bytes of one answer
# What the hook logs of an error holds the whole address; the condition tells of it without.
_SILENT: Final = logging.getLogger(f"{__name__}.hook")
_SILENT.setLevel(logging.CRITICAL)
# Of the errors that blame the request, those that may pass: not there yet, busy, a conflict, too early, too many.
_PASSING: Final = frozenset({404, 408, 409, 423, 425, 429})


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What an answer must be."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    status: int | tuple[int, ...] = 200
    """HTTP status, or a list of them."""
    json: dict[str, Any] | None = field(default=None, metadata={"substitute": "text"})
    """Keys and values that the answer's JSON must have, at any depth; others may stand beside them."""
    contains: str | None = field(default=None, metadata={"substitute": "text"})
    """A text that the answer must hold."""

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses that are right."""
        return self.status if isinstance(self.status, tuple) else (self.status,)


@dataclass(frozen=True, kw_only=True)
class Http(Condition):
    """A probe by HTTP."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = (
        'http: {connection: orders_api, path: "/status/${window.key}", expect: {json: {state: closed}}}'
    )
    shorthand: ClassVar[str] = "url"

    url: str | None = field(default=None, metadata={"substitute": "text", "root": True})
    """The whole address, where it needs no secret; it must lie under a root of the environment. Spaces and letters such
    as ü in its path and query are percent-encoded, %20 stays as it is. Or:"""
    connection: str | None = None
    """Airflow connection id of type http, which has the host and the credentials."""
    path: str = field(default="", metadata={"substitute": "text", "path": False})
    """The rest of the address behind a connection's host, such as /status/${window.key}."""
    method: Literal["GET", "HEAD"] = "GET"
    """GET, or HEAD where the status is enough."""
    expect: Expect = field(default_factory=Expect)
    """What the answer must be; by default any with status 200."""

    def __post_init__(self) -> None:
        """Refuse both addresses, none, and one that holds a secret."""
        if (self.url is None) == (self.connection is None):
            raise ConfigError("an address is wanted once", expected="url, or connection and path")
        if self.url is not None and self.path:
            raise ConfigError("path belongs to a connection", expected="the whole address in url")
        if self.url is not None and "@" in _netloc(self.url):
            raise ConfigError("the url holds a login", remedy="put it into an Airflow connection: connection: id")

    @property
    def told(self) -> str:
        """What is waited for, in words."""
        place = self.url or f"{self.path or '/'} of connection {self.connection!r}"
        return f"http {self.method} {place}"

    def ready(self, _asking: Asking) -> Answer:
        """Whether the server answers as it should.

        Raises:
            ConfigError: it refuses the request as such, no such connection, or the HTTP provider isn't installed.
        """
        try:
            status, text = _by_url(self.method, self.url) if self.url else _by_connection(self)
        except UnicodeError:  # it holds what couldn't be encoded, which may be a password
            raise self._unsent() from None
        except (InvalidURL, ValueError):  # requests' own InvalidURL is a ValueError
            wrong = "host and port" if self.url else "host, port and headers of the connection"
            raise ConfigError("the address can't be asked", where=self.told, remedy=f"mend {wrong}") from None
        except (OSError, HTTPException) as error:  # both clients' errors of a connection are
            return Answer(found=False, seen=f"no answer ({why(error)})")
        if status not in self.expect.statuses:
            if 400 <= status < 500 and status not in _PASSING:
                raise ConfigError(
                    f"HTTP status {status}: the server refuses the request",
                    where=self.told,
                    expected=f"status {', '.join(map(str, self.expect.statuses))}",
                    remedy="mend the address or the connection's credentials",
                )
            return Answer(found=False, seen=f"HTTP status {status}")
        return _judged(self.expect, status, text)

    def _unsent(self) -> ConfigError:
        """Why something can't be encoded; path and query are percent-encoded, so it is none of these."""
        if self.url:
            wanted = "labels of 1 to 63 characters, other letters than a to z as xn--…"
            return ConfigError("the host can't be sent as it is written", where=self.told, expected=wanted)
        wanted = "characters of Latin-1 in its login, password and headers"
        return ConfigError("the connection holds what HTTP can't carry", where=self.told, expected=wanted)


def _netloc(url: str) -> str:
    try:
        return urlsplit(url.replace("${", "")).netloc
    except ValueError:
        raise ConfigError("the address can't be asked", where="wait_for http", remedy="mend host and port") from None


def _judged(expect: Expect, status: int, text: str) -> Answer:
    seen = f"HTTP status {status}"
    if expect.contains is not None and expect.contains not in text:
        return Answer(found=False, seen=f"{seen}, an answer without {expect.contains!r}")
    if expect.json is None:
        return Answer(found=True, seen=seen)
    try:
        answer = json.loads(text)
    except ValueError:
        return Answer(found=False, seen=f"{seen}, an answer that is no JSON")
    differing = difference(expect.json, answer, "")
    return Answer(found=not differing, seen=f"{seen}, {differing or 'the JSON that is expected'}")


def difference(expected: Any, found: Any, where: str) -> str:
    """The first place at which an answer isn't what is expected, in words; empty where it is."""
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            return f"{where.lstrip('.') or 'the answer'} is no mapping"
        told = (difference(item, found.get(key), f"{where}.{key}") for key, item in expected.items())
        return next((text for text in told if text), "")
    expected = json.loads(json.dumps(expected))  # a tuple of the file is a list here
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return "" if same else f"{where.lstrip('.')} is {json.dumps(found)[:80]}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: followed, it could lead to where no pipeline may ask."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Don't."""


def _by_url(method: str, url: str) -> tuple[int, str]:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or ".." in parts.path.split("/"):
        raise ConfigError(f"{url!r} is no address", where="wait_for http", expected="http://… or https://… without ..")
    address = parts._replace(path=_encoded(parts.path), query=_encoded(parts.query)).geturl()
    request = urllib.request.Request(address, method=method)  # noqa: S310 - the scheme is checked above
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
            return int(answer.status), answer.read(_LIMIT).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code), ""


def _encoded(text: str) -> str:
    """A path or query with what is no visible ASCII percent-encoded, as requests does it; %20 stays what it is."""
    return quote(text, safe=string.punctuation)


def _by_connection(probe: Http) -> tuple[int, str]:
    quiet = type("QuietHttpHook", (hook_class(_HOOK, _PACKAGE),), {"log": _SILENT})
    hook = quiet(method=probe.method, http_conn_id=probe.connection)
    connection_of(str(probe.connection))
    options = {"check_response": False, "timeout": _SECONDS, "allow_redirects": False}
    answer = hook.run(endpoint=probe.path or "/", extra_options=options)
    return int(answer.status_code), str(answer.text[:_LIMIT])
