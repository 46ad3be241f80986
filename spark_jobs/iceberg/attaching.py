"""How a session gets to know a catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.iceberg.catalogs import Catalog, settings
from spark_jobs.iceberg.refusals import explained
from spark_jobs.iceberg.table import opened

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MISSING: Final = "plugin class for catalog"
_SECRETS: Final = (".jdbc.password", ".token", ".credential")


def attach(spark: SparkSession, catalog: Catalog, connections: Connections) -> str:
    """Make a session know a catalog; passwords stay in its settings for no longer than the catalog takes to open.

    Args:
        spark: a classic session.
        catalog: which one.
        connections: that it may name.

    Returns:
        The catalog's name.

    Raises:
        ConfigError: the session knows another one of this name, or the catalog's connection can't be used.
        InfrastructureError: a REST catalog's server doesn't answer.
    """
    prefix, told = f"spark.sql.catalog.{catalog.name}", settings(catalog, connections)
    known = spark.conf.get(f"{prefix}.type", None)
    if known is not None and spark.conf.get(f"{prefix}.warehouse", "") == told.get(".warehouse", ""):
        return catalog.name
    if known is not None or spark.conf.get(prefix, None) is not None:
        raise ConfigError(
            f"Spark knows another catalog {catalog.name!r}", where="engine", remedy=f"take {prefix} out of its conf"
        )
    try:
        for key, value in told.items():
            spark.conf.set(prefix + key, value)
        opened(spark, catalog.name)
    except Exception as error:
        for key in told:
            spark.conf.unset(prefix + key)  # or the next try would take it for open
        meant = _meant(error, catalog, connections)
        if meant is None:
            raise
        raise meant from None
    finally:
        for key in _SECRETS:
            spark.conf.unset(prefix + key)
    return catalog.name


def _meant(error: Exception, catalog: Catalog, connections: Connections) -> EtlError | None:
    """What hinders a catalog from opening, where that is known."""
    if _MISSING in str(error):
        return ConfigError(
            "Spark hasn't got Iceberg",
            where="engine",
            expected="iceberg-spark-runtime among its jars",
            remedy="airflow-etl doctor --fetch-jars fetches it once; afterwards no network is needed",
        )
    return explained(error, connections[catalog.connection]) if catalog.type == "rest" else None
