"""The report of a window of which nothing was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spark_jobs.errors import EtlError
from spark_jobs.report import Report
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


def unrun(pipeline: Pipeline, window: Window, error: EtlError | None = None) -> dict[str, Any]:
    """The report (JSON) of a window that failed before anything was run of it, or that is left out.

    Args:
        pipeline: the pipeline.
        window: of which nothing was run.
        error: why; None where the window is skipped.
    """
    report = Report(
        pipeline=pipeline.name,
        id=pipeline.id,
        window=window.to_json() | {"key": window.key},
        fingerprint=pipeline.fingerprint,
        attempt={},
        state="failed" if error else "skipped",
        error=error.to_json() if error else None,
    )
    return report.to_json()
