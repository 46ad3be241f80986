"""Whether a file becomes a DAG: the deployment may say that warnings count as errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_etl.spec.options import Options, options
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Diagnostic, Loaded


def configured() -> Options:
    """The provider's options; the defaults where one means nothing, which every pipeline file then tells."""
    try:
        return options()
    except ConfigError:
        return Options()


def refused(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """What keeps a file's DAG away: its errors, and where `[etl] strict` is set its warnings too."""
    if not loaded.diagnostics:
        return ()
    return loaded.diagnostics if configured().strict else loaded.errors
