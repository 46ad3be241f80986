"""What may be said of an address: its host, and why nobody answered. The rest of it may be a secret."""

from __future__ import annotations

import os
import socket
import ssl
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host of an address, without login, port, path and query; empty where it can't be told apart."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def why(error: BaseException) -> str:
    """Why nobody answered: the class of the error, and the first reason below it that can't hold the address."""
    name = type(error).__name__
    below: object = error
    for _ in range(10):
        if not isinstance(below, BaseException):
            break
        if reason := _reason(below):
            return f"{name}: {reason}"
        below = _below(below)
    return name


def _reason(error: BaseException) -> str:
    """The reason in the words of TLS, the resolver or the system; empty where there are none."""
    if isinstance(error, ssl.SSLError):  # its errno is OpenSSL's own, and none of the system's
        return f"TLS: {_of_tls(error)}"
    if isinstance(error, socket.gaierror):  # its errno is the resolver's own
        return error.strerror or "the host can't be resolved"
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return "timed out" if isinstance(error, TimeoutError) else ""


def _of_tls(error: ssl.SSLError) -> str:
    # "Hostname mismatch, certificate is not valid for 'host'": the host stands behind the comma.
    unfit = str(getattr(error, "verify_message", "")).partition(",")[0]
    reason = str(error.reason or "").replace("_", " ").lower()
    return unfit or reason or type(error).__name__


def _below(error: BaseException) -> object:
    """The error that an error of a client was made of: urllib and urllib3 call it `reason`, requests gives it along."""
    given = next((item for item in error.args if isinstance(item, BaseException)), None)
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else given or error.__cause__ or error.__context__
