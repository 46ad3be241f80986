"""Links from a task to its Spark, its report and its table: as soon as they are known, while it waits too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from airflow_provider_etl.compat import BaseOperatorLink, Context, XCom

KNOWN: Final = "addresses_left"
"""Attribute of an operator that runs: all that it has left, by key; None after a wait in the triggerer."""
_CONSOLES: Final = {
    **dict.fromkeys(("s3", "s3a"), "https://s3.console.aws.amazon.com/s3/buckets/{}?prefix={}/"),
    "gs": "https://console.cloud.google.com/storage/browser/{}/{}",
}


class KeptLink(BaseOperatorLink):
    """An address that the task has left by XCom; a task without one has no such link."""

    key: ClassVar[str]

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """The address; empty where there is none."""
        # Airflow 3 asks when the task ends, and would log an error for each address that nobody has left.
        known = getattr(operator, KNOWN, None)
        return str((XCom.get_value(ti_key=ti_key, key=self.key) if known is None else known.get(self.key)) or "")


class SparkLink(KeptLink):
    """The cluster's page, or the logs of a job that has none."""

    name = "Spark"
    key = "etl_spark"


class ReportLink(KeptLink):
    """The report of a job that a service runs, where it lies."""

    name = "Report"
    key = "etl_report"


class TableLink(KeptLink):
    """The table that was loaded, where the storage has pages for people."""

    name = "Table"
    key = "etl_table"


LINKS: Final = (SparkLink(), ReportLink())


def note_job(context: Context, found: Mapping[str, str]) -> None:
    """Leave what an engine says of a job (`Detached.links`)."""
    _note(context, SparkLink(), found.get("Cluster") or found.get("Run") or found.get("Logs") or "")
    _note(context, ReportLink(), found.get("Report", ""))


def note_table(context: Context, reports: Iterable[Mapping[str, Any]]) -> None:
    """Leave the address of the first table that was loaded."""
    tables = [str(load.get("table") or "") for report in reports for load in (report.get("loads") or {}).values()]
    _note(context, TableLink(), next(filter(None, map(address_of, tables)), ""))


def address_of(table: str) -> str:
    """The page of a table's folder on S3 or in Cloud Storage; empty for one elsewhere."""
    scheme, _, rest = table.partition("://")
    bucket, _, folder = rest.partition("/")
    return _CONSOLES[scheme].format(bucket, quote(folder)) if scheme in _CONSOLES and folder else ""


def leave(context: Context, key: str, address: str) -> None:
    """Leave an address for a link."""
    context["ti"].xcom_push(key=key, value=address)
    known = getattr(context.get("task"), KNOWN, None)
    if known is not None:
        known[key] = address


def _note(context: Context, link: KeptLink, address: str) -> None:
    if not address:
        return
    leave(context, link.key, address)
    # Airflow 3 asks for links when a task ends, under a key of its own: with it there is one while the task waits too.
    own = getattr(link, "xcom_key", None)
    if own:
        context["ti"].xcom_push(key=own, value=address)
