"""The link from a task that checks to the page about its checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.compat import Context
from airflow_provider_etl.operators.links import KeptLink, leave

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

KEY: Final = "data_docs"


class DataDocsLink(KeptLink):
    """Great Expectations' page about the checks of a task's newest try; of several windows the first that failed."""

    name = "Data Docs"
    key = KEY


def note(context: Context, pipeline: Pipeline, reports: Iterable[Mapping[str, Any]]) -> None:
    """Keep the page's address for the link: by itself, since a task that fails returns no report.

    Args:
        context: the task's.
        pipeline: knows under which address its pages are found.
        reports: those of the task's windows, as far as it came.
    """
    address = address_of(pipeline, reports)
    if address:
        leave(context, KEY, address)


def address_of(pipeline: Pipeline, reports: Iterable[Mapping[str, Any]]) -> str:
    """The address of the page that people want to see; empty where there is none."""
    link = pipeline.data_docs.link if pipeline.data_docs else None
    written = [report for report in reports if (report.get("data_docs") or {}).get("pages")]
    if not link or not written:
        return ""
    report = next((item for item in written if item["state"] == "failed"), written[0])
    dataset = next(iter(report["data_docs"]["pages"]))
    return f"{link.rstrip('/')}/{pipeline.id}/{report['window']['key']}/{dataset}.html"
