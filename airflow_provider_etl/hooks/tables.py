"""The ledger of a destination's table, wherever it is: in a Delta table's log, beside a table or folder of files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from spark_jobs.errors import ConfigError
from spark_jobs.ledger import LoadUnit

Span = tuple[datetime, datetime]


class TableLedger(Protocol):
    """What a table's ledger says, read without Spark."""

    @property
    def silent(self) -> bool:
        """Whether Spark alone can ask it: what it says here is then that nothing was loaded."""

    def number(self, unit: LoadUnit) -> int | None:
        """The number of the last commit of a unit, None where the table or the unit isn't there."""

    def last_attempt(self, unit: LoadUnit) -> int | None:
        """The attempt's number that the next attempt of a unit must exceed, None where nothing was loaded."""

    def newest_attempt(self, pipeline: str, destination: str) -> int | None:
        """The largest attempt's number among the last commits of a load, whichever window; None where there is none."""

    def holds(self, unit: LoadUnit, fingerprint: str) -> bool:
        """Whether the unit was loaded last with this configuration; where that isn't known any more: no."""

    def snapshot_end(self, unit: LoadUnit) -> datetime | None:
        """The end, to the minute, of the window that a snapshot holds; None where nothing was loaded."""

    def windows(self, pipeline: str, destination: str) -> list[Span]:
        """The windows that the last commits of a destination have loaded; none of a snapshot."""

    def appended(self, pipeline: str) -> set[Span]:
        """The windows of a pipeline whose rows stand in the table (`append`), as far as that is known."""


def unasked(pipeline: str, load: str, remedy: str) -> ConfigError:
    """The error of whoever must know what a silent ledger says.

    Args:
        pipeline: whose ledger.
        load: the load whose table it belongs to.
        remedy: what to do instead.
    """
    return ConfigError(
        f"the ledger of pipeline {pipeline} lies in a database of a connection of type jdbc",
        where=f"load.{load}",
        expected="a table whose ledger can be asked without Spark",
        remedy=remedy,
    )


def place_of(options: Mapping[str, Any]) -> str:
    """A destination's table in words.

    Args:
        options: of the destination, as a plan has them.
    """
    if "path" in options:
        return str(options["path"])
    if "catalog" in options:
        return f"{options['catalog']['name']}.{options['table']}"
    return f"{options['connection']}:{options['table']}"


def ledger_of(options: Mapping[str, Any]) -> TableLedger:
    """The ledger of a destination's table.

    Args:
        options: of the destination, as a plan has them, `type` included; absolute paths; `store` of those on S3.
    """
    if options["type"] == "jdbc":
        from airflow_provider_etl.hooks.database_ledger import DatabaseLedger

        return DatabaseLedger(str(options["connection"]), str(options["table"]))
    if options["type"] == "files":
        from airflow_provider_etl.hooks.files_ledger import FilesLedger

        return FilesLedger(str(options["path"]))
    if options["type"] == "iceberg":
        from airflow_provider_etl.hooks.iceberg_ledger import IcebergLedgerHook
        from spark_jobs.iceberg.catalogs import Catalog

        return IcebergLedgerHook(Catalog(**options["catalog"]), str(options["table"]), options.get("store"))
    from airflow_provider_etl.hooks.ledger import LedgerHook

    return LedgerHook(str(options["path"]), options.get("store"))
