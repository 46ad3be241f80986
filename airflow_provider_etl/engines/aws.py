"""What engines on AWS share: what errors mean, the folder on S3 through which plan and report go, and the secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ParamValidationError
from botocore.parsers import ResponseParserError

from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

ERRORS: Final = (BotoCoreError, ClientError, ResponseParserError)  # the last where an answer was cut
T = TypeVar("T")
_MOST: Final = 65536  # bytes; Secrets Manager takes no more
_AGAIN: Final = (
    *("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "ServiceQuota", "InternalServer"),
    *("RequestTimeout", "RequestExpired", "ExpiredToken"),  # a retry comes with new credentials
)
_AWAITED: Final = "scheduled for deletion"  # a secret of that name is still being removed
_MISSING: Final = ("NoSuchKey", "404", "NotFound", "ResourceNotFoundException")


class Clients(Protocol):
    """Gives boto3's clients."""

    def __call__(self, service: str, *, once: bool = False) -> Any:
        """A client; `once`: one that repeats no call by itself."""


def told(error: Exception, where: str) -> EtlError:
    """An error of boto3 as one of ours: its class says whether a retry makes sense.

    Args:
        error: what was raised.
        where: the place, for the text.
    """
    if isinstance(error, EtlError):
        return error
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        known = any(word in code_of(error) for word in _AGAIN) or _AWAITED in str(error)
        if status >= 500 or status == 429 or known:
            return InfrastructureError(str(error), where=where, remedy="it is tried again")
        return ConfigError(str(error), where=where, remedy="see the engine's options and what its role may do")
    if isinstance(error, (NoCredentialsError, NoRegionError, ParamValidationError)):
        return ConfigError(str(error), where=where, remedy="see the engine's connection, region and options")
    return InfrastructureError(f"{type(error).__name__}: {error}", where=where, remedy="it is tried again")


def code_of(error: Exception) -> str:
    """AWS's code of an error; empty where it has none."""
    said = getattr(error, "response", None) or {}  # where a connection broke off there is one, and it is None
    return str(said.get("Error", {}).get("Code", ""))


def is_missing(error: Exception) -> bool:
    """Whether AWS says that there is no such thing."""
    return code_of(error) in _MISSING


class Bucket:
    """A folder on S3: `shelf.Files`.

    Args:
        folder: `s3://bucket/prefix`.
        clients: gives boto3's clients.
        scheme: by which jobs know S3: `s3` on EMR, whose Serverless knows no other; `s3a` elsewhere.
    """

    def __init__(self, folder: str, clients: Clients, *, scheme: str = "s3") -> None:
        self.folder, self._clients = f"{scheme}://{folder.partition('://')[2].rstrip('/')}", clients
        self._bucket, _, self._prefix = self.folder.partition("://")[2].partition("/")

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""
        return self._called(lambda s3, at: int(s3.head_object(**at)["ContentLength"]), name)

    def get(self, name: str) -> bytes | None:
        """An object; None where there is none."""
        return self._called(lambda s3, at: bytes(s3.get_object(**at)["Body"].read()), name)

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        self._called(lambda s3, at: s3.put_object(**at, Body=content), name)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._called(lambda s3, at: s3.delete_object(**at), name)

    def names(self, prefix: str, *, before: datetime | None = None) -> Sequence[str]:
        """The objects whose name begins so; `before`: of those the older ones."""

        def listed(s3: Any, at: Mapping[str, str]) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=at["Bucket"], Prefix=at["Key"])
            found = [item for page in pages for item in page.get("Contents", ())]
            return [str(item["Key"]) for item in found if before is None or item["LastModified"] < before]

        return [key.removeprefix(self._key("")) for key in self._called(listed, prefix) or ()]

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _called(self, call: Callable[[Any, Mapping[str, str]], T], name: str) -> T | None:
        """What S3 answers; None where it has no such object."""
        try:
            return call(self._clients("s3"), {"Bucket": self._bucket, "Key": self._key(name)})
        except ERRORS as error:
            if is_missing(error):
                return None
            raise told(error, f"{self.folder}/{name}") from None


class SecretsManager:
    """AWS Secrets Manager: `shelf.Vault`. A secret is called `etl/NAME`.

    Args:
        clients: gives boto3's clients.
    """

    most = _MOST

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @property
    def place(self) -> str:
        """The region: each has a store of its own."""
        return f"aws {self._clients('secretsmanager').meta.region_name}"

    def put(self, name: str, text: str) -> str:
        """Keep a secret; its name."""
        client = self._clients("secretsmanager")
        try:
            try:
                client.create_secret(Name=f"etl/{name}", SecretString=text)
            except client.exceptions.ResourceExistsException:  # an earlier try came so far
                client.put_secret_value(SecretId=f"etl/{name}", SecretString=text)
        except ERRORS as error:
            raise told(error, "Secrets Manager") from None
        return f"etl/{name}"

    def remove(self, name: str) -> None:
        """Remove a secret for good."""
        try:
            self._clients("secretsmanager").delete_secret(SecretId=f"etl/{name}", ForceDeleteWithoutRecovery=True)
        except ERRORS as error:
            if not is_missing(error):
                raise told(error, "Secrets Manager") from None
