"""What may be said of an address: its host, and why nobody answered. The rest of it may be a secret."""

from __future__ import annotations

import os
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host of an address, without login, port, path and query; empty where it can't be told apart."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def why(error: BaseException) -> str:
    """Why nobody answered: the class of the error, and the system's reason. Its own text may hold the whole address."""
    name = type(error).__name__
    below: object = error
    for _ in range(10):
        number = getattr(below, "errno", None)
        if isinstance(number, int) and number > 0:
            return f"{name}: {os.strerror(number)}"
        if not isinstance(below, BaseException):
            break
        below = _below(below)
    return name


def _below(error: BaseException) -> object:
    """The error that an error of a client was made of: urllib and urllib3 call it `reason`, requests gives it along."""
    given = next((item for item in error.args if isinstance(item, BaseException)), None)
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else given or error.__cause__ or error.__context__
