"""S3 by Hadoop's S3A: its jars, the log store that loses no commit, and who may get at which bucket.

An engine's `s3` says which buckets a plan names: `s3a://bucket` -> {connection, endpoint, region, path_style}, any of
them None. What is secret in a connection goes into the running session alone: not into its settings, which are part of
a command line, of Spark's pages and of its event log.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.connect import is_connect
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEME: Final = "s3a://"
LOG_STORE: Final = "airflow_provider_etl.ConditionalPutLogStore"
# What would take Delta's commits away from it, or the condition from its puts; `class` is of old, for every scheme.
DECIDED: Final = (
    "spark.delta.logStore.class",
    "spark.delta.logStore.s3a.impl",
    "spark.hadoop.fs.s3a.create.conditional.enabled",
    "spark.hadoop.fs.s3a.impl",
)
JAR: Final = str(Path(__file__).with_name("conditional-put-log-store.jar"))
_OPTIONS: Final = (
    "endpoint",
    "endpoint.region",
    "path.style.access",
    "connection.ssl.enabled",
    "aws.credentials.provider",
    "access.key",
    "secret.key",
    "session.token",
)
# Hadoop asks a store that refuses 20 times, ever later: for six days. Eight times are minutes; then comes a retry.
_PATIENCE: Final = "spark.hadoop.fs.s3a.retry.throttle.limit"
_ASKED_AGAIN: Final = 8
_PROVIDERS: Final = "org.apache.hadoop.fs.s3a."


def bucket_of(path: str) -> str | None:
    """`s3a://bucket` of a path on S3; None for any other."""
    return SCHEME + path.removeprefix(SCHEME).partition("/")[0] if path.startswith(SCHEME) else None


def settings(conf: Mapping[str, Any]) -> dict[str, str]:
    """Spark's settings where a plan names S3.

    Args:
        conf: the engine's own.

    Raises:
        ConfigError: it would have Delta commit in another way.
    """
    for key in unsafe(conf):
        raise ConfigError(
            f"the engine sets {key}, and Delta's commits of concurrent writers could get lost on S3",
            where="engine.conf",
            expected=f"{LOG_STORE}, which is set by itself",
            remedy=f"take {key} out of the engine's conf in the environment file",
        )
    return {
        "spark.delta.logStore.s3a.impl": LOG_STORE,
        # Parts of files that are being written: with the process's own folder they go, killed or not.
        "spark.hadoop.fs.s3a.buffer.dir": f"{tempfile.gettempdir()}/s3a",
        _PATIENCE: str(conf.get(_PATIENCE, _ASKED_AGAIN)),
    }


def unsafe(conf: Mapping[str, Any]) -> list[str]:
    """The keys of an engine's settings that would have Delta commit to S3 in another way."""
    return [
        key
        for key in DECIDED
        if key in conf and not (key.endswith("s3a.impl") and conf[key] == LOG_STORE) and str(conf[key]) != "true"
    ]


def class_path(folder: str) -> list[str]:
    """The jars for S3: of a folder `s3` below that of the others, and Delta's log store.

    Raises:
        ConfigError: they aren't there.
    """
    found = sorted(str(path) for path in Path(folder, "s3").glob("*.jar"))
    if not any("hadoop-aws" in os.path.basename(path) for path in found):
        raise ConfigError(
            f"no jars for S3 in {folder}/s3",
            where="engine",
            expected="hadoop-aws and the AWS SDK, as jars-s3.lock names them",
            remedy="airflow-etl doctor --fetch-jars --for-s3 fetches them once; afterwards no network is needed",
        )
    return [*found, JAR]


def admit(session: SparkSession, buckets: Mapping[str, Mapping[str, Any]], known: Connections) -> None:
    """Let a session get at buckets.

    Args:
        session: a classic session.
        buckets: an engine's `s3`.
        known: the connections that it names.

    Raises:
        ConfigError: a connection that isn't there, or can't be used.
    """
    if is_connect(session):
        return  # what a server may read it was told when it started
    hadoop: Any = session._jsc.hadoopConfiguration()
    for bucket, store in buckets.items():
        start = f"fs.s3a.bucket.{bucket.removeprefix(SCHEME)}."
        told = {start + key: value for key, value in options_of(bucket, store, known).items()}
        before = {start + key: held for key in _OPTIONS if (held := hadoop.get(start + key)) is not None}
        if before and before != told:
            # A driver that stays warm: it may have the bucket open with what held before.
            jvm: Any = session._jvm
            jvm.org.apache.hadoop.fs.FileSystem.get(jvm.java.net.URI(bucket), hadoop).close()
        for key in before.keys() - told.keys():
            hadoop.unset(key)
        for key, value in told.items():
            hadoop.set(key, value)


def options_of(bucket: str, store: Mapping[str, Any], known: Connections) -> dict[str, str]:
    """S3A's options of a bucket, its secrets among them; none where AWS's own chain answers for all.

    Args:
        bucket: `s3a://bucket`.
        store: of an engine's `s3`.
        known: the connections.

    Raises:
        ConfigError: a connection that isn't there, or can't be used.
    """
    access = access_of(bucket, store, known[store["connection"]] if store.get("connection") else None)
    told = {"endpoint": access["endpoint"], "endpoint.region": access["region"]}
    told["path.style.access"] = "true" if store.get("path_style") else None
    told["connection.ssl.enabled"] = "false" if str(access["endpoint"] or "").startswith("http://") else None
    if access["key"]:
        provider = "TemporaryAWSCredentialsProvider" if access["token"] else "SimpleAWSCredentialsProvider"
        told["aws.credentials.provider"] = _PROVIDERS + provider
        told |= {"access.key": access["key"], "secret.key": access["secret"], "session.token": access["token"]}
    return {key: value for key, value in told.items() if value}


def access_of(bucket: str, store: Mapping[str, Any], connection: Connection | None) -> dict[str, str | None]:
    """How to get at a bucket: `key`, `secret`, `token`, `endpoint`, `region`; None where nothing is said.

    Args:
        bucket: `s3a://bucket`.
        store: of an engine's `s3`; what it says wins over the connection.
        connection: an Airflow connection of type `aws`.

    Raises:
        ConfigError: the connection can't be used.
    """
    extra: Mapping[str, Any] = connection.extra if connection else {}
    if connection:
        _usable(connection, where=f"stores.{bucket}.connection")
    return {
        "key": connection.login or None if connection else None,
        "secret": connection.password or None if connection else None,
        "token": _text(extra.get("aws_session_token")),
        "endpoint": _text(store.get("endpoint") or extra.get("endpoint_url")),
        "region": _text(store.get("region") or extra.get("region_name")),
    }


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _usable(connection: Connection, where: str) -> None:
    told = f"connection {connection.id!r}"
    if connection.kind not in ("aws", "s3", "generic", ""):
        what = f"{told} is of type {connection.kind}"
    elif bool(connection.login) != bool(connection.password):
        what = f"{told} has {'a key without its secret' if connection.login else 'a secret without its key'}"
    elif connection.extra.get("role_arn"):
        what = f"{told} assumes a role, which isn't done here"
    else:
        return
    raise ConfigError(
        what,
        where=where,
        expected="a connection of type aws: login the access key's id, password its secret",
        remedy="mend it in Airflow; or leave `connection` out, and AWS's chain (variables, profiles, roles) answers",
    )
