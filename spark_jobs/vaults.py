"""Where the connections of a service's job are kept while it runs, one function per store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.secret_manager import secret_text


def handed(secret: str, vault: str, region: str = "") -> Connections:
    """The connections of a secret; none where it has no name.

    Args:
        secret: its name.
        vault: the store: `aws` (Secrets Manager), `databricks` (a scope of the workspace: `scope/key`), `gcp` (Secret
            Manager: `projects/PROJECT/secrets/NAME`) or `file` (what the service has mounted: a path).
        region: of AWS.

    Raises:
        ConfigError: this Python lacks the store's client, or the job may not read it.
        InfrastructureError: the secret can't be read.
    """
    return Connections.from_json(json.loads(_READ[vault](secret, region))) if secret else Connections()


def _of_aws(secret: str, region: str) -> str:
    try:
        import boto3  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise ConfigError(
            "the job's connections are in AWS Secrets Manager, and this Python has no boto3",
            where="connections",
            remedy="add boto3 to the Python of the application or the cluster",
        ) from None
    try:
        client = boto3.client("secretsmanager", region_name=region or None)
        return str(client.get_secret_value(SecretId=secret)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        kind = ConfigError if "AccessDenied" in str(error) else InfrastructureError
        raise kind(
            f"{type(error).__name__}: {error}", where=f"secret {secret}", remedy="may the job's role read it?"
        ) from None


def _of_databricks(secret: str, region: str) -> str:  # noqa: ARG001 - a workspace is in one
    from pyspark.sql import SparkSession

    try:
        from pyspark.dbutils import DBUtils  # type: ignore[import-not-found]
    except ImportError:
        raise ConfigError(
            "the job's connections are in a secret scope of Databricks, and this is none of its runtimes",
            where="connections",
            remedy="run it on a cluster of Databricks",
        ) from None
    scope, _, key = secret.partition("/")
    try:
        return str(DBUtils(SparkSession.builder.getOrCreate()).secrets.get(scope, key))
    except Exception as error:  # noqa: BLE001 - what its JVM raises, which has no class here
        kind = ConfigError if "PERMISSION_DENIED" in str(error) else InfrastructureError
        first = str(error).partition("\n")[0]
        raise kind(
            f"{type(error).__name__}: {first}", where=f"secret {secret}", remedy="may the run's identity read it?"
        ) from None


def _of_gcp(secret: str, region: str) -> str:  # noqa: ARG001 - its name says all
    return secret_text(secret)


def _of_file(secret: str, region: str) -> str:  # noqa: ARG001 - it is here
    try:
        return Path(secret).read_text(encoding="utf-8")
    except OSError as error:  # taken away while its pod began
        raise InfrastructureError(f"{error.strerror}: {secret}", where="connections", remedy="repeat it") from None


_READ: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "aws": _of_aws,
    "databricks": _of_databricks,
    "gcp": _of_gcp,
    "file": _of_file,
}
VAULTS: Final = tuple(_READ)
