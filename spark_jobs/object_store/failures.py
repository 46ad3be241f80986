"""What errors of S3's client mean."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

_PLACE: Final = re.compile(r"s3a://[^\s:,'\"]+")
_CLIENTS: Final = ("awssdk", "fs.s3a", "AWS")
_WRONG: Final = (
    (
        ("NoAuthWithAWSException", "No AWS Credentials", "Unable to load credentials"),
        "nobody says who asks for {}",
        "give its bucket a connection",
    ),
    (
        ("AccessDeniedException", "SignatureDoesNotMatch", "InvalidAccessKeyId", "Status Code: 403", "403 Forbidden"),
        "S3 refuses access to {}",
        "check the key, its secret, and what it may do",
    ),
    (
        ("UnknownStoreException", "NoSuchBucket"),
        "there is no bucket for {}",
        "check the bucket's name and region, or make it",
    ),
)
_SILENT: Final = ("UnknownHostException", "ConnectException", "Unable to execute HTTP request", "Connect to ")


def meant(text: str, where: str) -> EtlError | None:
    """The error of a text that Hadoop's S3A raised; None where S3 has nothing to do with it.

    Args:
        text: the exception's, Java's stack included.
        where: place in the pipeline file that was at work.
    """
    if "CONDITIONAL_PUT_IGNORED" in text:
        told = text.partition("CONDITIONAL_PUT_IGNORED: ")[2].splitlines()[0]
        return ConfigError(told, where=where, remedy="use a store that knows conditional puts, or another place")
    found = _PLACE.search(text)
    if found is None or not _any(text, _CLIENTS):
        return None
    place = found[0].rstrip("./")
    if _any(text, _SILENT) and not refusal(place, text, where):
        return InfrastructureError(f"the service of {place} doesn't answer", where=where)
    return refusal(place, text, where)


def refusal(place: str, text: str, where: str) -> ConfigError | None:
    """The error of a service that has refused; None where that isn't what happened.

    Args:
        place: what was asked for.
        text: of an exception, Java's or of a client without Java.
        where: place in the pipeline file.
    """
    for marks, told, remedy in _WRONG:
        if _any(text, marks):
            return ConfigError(told.format(place), where=where, remedy=f"{remedy}: `stores` in the environment file")
    return None


def _any(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)
