"""Condition `s3`: an object is there."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from airflow_provider_etl.sensors.condition import Answer, Asking, Condition
from airflow_provider_etl.sensors.connecting import hook_class
from airflow_provider_etl.sensors.storage import is_pattern
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC

_HOOK: Final = "airflow.providers.amazon.aws.hooks.s3:S3Hook"
_PACKAGE: Final = "apache-airflow-providers-amazon"
_KEY: Final = re.compile(r"s3a?://([^/]+)/(.+)")


@dataclass(frozen=True, kw_only=True)
class S3Key(Condition):
    """An object in S3, or in a store that speaks its protocol."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = 's3: {key: "s3://deliveries/orders/${window.key}/*.csv", min_size: 1}'
    shorthand: ClassVar[str] = "key"

    key: str = field(metadata={"substitute": "text", "root": True})
    """s3://bucket/key; the key may be a pattern with * ? [..]."""
    connection: str | None = "aws_default"
    """Airflow connection id; nothing for the machine's own credentials."""
    min_size: int = field(default=0, metadata={"ge": 0})
    """Bytes that the object (of a pattern: all of them together) must have at least."""

    @property
    def told(self) -> str:
        """What is waited for, in words."""
        return f"s3 {self.key}" + (f", {self.min_size} bytes or more" if self.min_size else "")

    def ready(self, _asking: Asking) -> Answer:
        """Whether the object is there.

        Raises:
            ConfigError: no s3://bucket/key, no such connection, or the Amazon provider isn't installed.
        """
        match = _KEY.fullmatch(self.key)
        if match is None:
            raise ConfigError(f"{self.key!r} names no object", where="wait_for s3", expected="s3://bucket/key")
        hook = hook_class(_HOOK, _PACKAGE)(aws_conn_id=self.connection)
        sizes = _pattern(hook, *match.groups()) if is_pattern(match[2]) else _object(hook, *match.groups())
        if not sizes:
            return Answer(found=False, seen="no such object")
        number = f"{len(sizes)} object{'' if len(sizes) == 1 else 's'}, {sum(sizes)} bytes"
        return Answer(found=sum(sizes) >= self.min_size, seen=number)


def _object(hook: Any, bucket: str, key: str) -> list[int]:
    about = hook.head_object(key, bucket)
    return [int(about["ContentLength"])] if about else []


def _pattern(hook: Any, bucket: str, pattern: str) -> list[int]:
    prefix = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    objects = hook.get_file_metadata(prefix, bucket)
    return [int(item["Size"]) for item in objects if fnmatch.fnmatchcase(item["Key"], pattern)]
