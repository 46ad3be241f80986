"""Calls of a REST API that speaks JSON: what its errors mean, and which calls are worth another try."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import requests

from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

_FIRST, _LONGEST = 1.0, 20.0  # seconds between two tries of a call
_CONNECT, _READ = 10.0, 60.0  # seconds
_AGAIN: Final = (
    *("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED"),
)
_MISSING: Final = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
_SOON: Final = (408, 429)
_WRONG: Final = (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidHeader)


class RefusedError(Exception):
    """An answer that says no.

    Args:
        status: of HTTP.
        code: the service's own word; empty where the answer holds none.
        message: what it says.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code = status, code
        super().__init__(f"{status} {code}: {message}" if code else f"{status}: {message}")


ERRORS: Final = (requests.RequestException, RefusedError)


def told(error: Exception, where: str) -> EtlError:
    """An error of a call as one of ours: its class says whether a retry makes sense.

    Args:
        error: what was raised.
        where: the place, for the text.
    """
    if isinstance(error, EtlError):
        return error
    if isinstance(error, RefusedError):
        if _passes(error):
            return InfrastructureError(str(error), where=where, remedy="it is tried again")
        return ConfigError(str(error), where=where, remedy="see the engine's options, and what its connection may do")
    if isinstance(error, requests.exceptions.InvalidHeader):  # its text quotes the header, and so the token
        return ConfigError("a header can't be sent", where=where, remedy="see the token of the engine's connection")
    if isinstance(error, _WRONG):
        return ConfigError(str(error), where=where, remedy="see the host of the engine's connection")
    return InfrastructureError(f"{type(error).__name__}: {error}", where=where, remedy="it is tried again")


def is_missing(error: Exception) -> bool:
    """Whether the service says that there is no such thing."""
    return isinstance(error, RefusedError) and (error.status == 404 or error.code in _MISSING)


def _passes(error: Exception) -> bool:
    """Whether the same call may be answered otherwise a moment later."""
    if isinstance(error, RefusedError):
        return error.status >= 500 or error.status in _SOON or error.code in _AGAIN
    return not isinstance(error, _WRONG)


class Calls:
    """Calls of a service.

    Args:
        address: what all paths are below, such as https://adb-1.2.azuredatabricks.net.
        headers: gives those that say who we are, anew for each call.
        proxies: as requests takes them.
        tries: of a call that isn't answered, or is told to come back.
    """

    below: ClassVar[str] = ""
    """What every path begins with."""

    def __init__(
        self,
        address: str,
        headers: Callable[[], Mapping[str, str]],
        *,
        proxies: Mapping[str, str] | None = None,
        tries: int = 6,
    ) -> None:
        self.address, self._headers = address.rstrip("/"), headers
        self._proxies, self._tries = dict(proxies or {}), tries

    def asked(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """What the API answers, JSON.

        Raises:
            RefusedError: it says no.
            requests.RequestException: no answer, or half of one.
        """
        answer = self.raw(method, path, json=body, params=query)
        found = answer.json() if answer.content else {}
        return found if isinstance(found, Mapping) else {}

    def raw(self, method: str, path: str, **more: Any) -> requests.Response:
        """An answer as it comes; what else is given goes to requests.

        Raises:
            RefusedError: it says no.
            requests.RequestException: no answer, or half of one.
        """
        pause = _FIRST
        for last in (number == self._tries for number in range(1, self._tries + 1)):
            try:
                return self._once(method, path, more)
            except ERRORS as error:
                if last or not _passes(error):
                    raise
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(pause * 2, _LONGEST)
        raise AssertionError("the last try raises")

    def _once(self, method: str, path: str, more: Mapping[str, Any]) -> requests.Response:
        answer = requests.request(
            method,
            f"{self.address}/{self.below}{path}",
            headers=dict(self._headers()),
            auth=lambda request: request,  # else a ~/.netrc would win over the headers
            timeout=(_CONNECT, _READ),
            proxies=self._proxies,
            allow_redirects=False,  # the headers hold a token, which is for this host alone
            **more,
        )
        if answer.status_code >= 300:
            raise _refusal(answer)
        return answer


def _refusal(answer: requests.Response) -> RefusedError:
    """What an answer says no with: `{error_code, message}` of Databricks, `{error: {status, message}}` of Google."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    known = said if isinstance(said, Mapping) else {}
    inner = known.get("error")
    known = inner if isinstance(inner, Mapping) else known
    code = known.get("error_code") or known.get("status") or _reason(known)
    return RefusedError(answer.status_code, str(code), str(known.get("message") or answer.reason))


def _reason(known: Mapping[str, Any]) -> str:
    """The word of Cloud Storage, which has no status."""
    errors = known.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    return str(first.get("reason") or "") if isinstance(first, Mapping) else ""
