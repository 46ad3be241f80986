"""What a sensor that stands in no pipeline file has to find out by itself."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from airflow_provider_etl.compat import Context, triggering_extras
from airflow_provider_etl.operators.windows import END, START, windows_of_event
from airflow_provider_etl.spec import scalars
from airflow_provider_etl.spec.paths import is_uri
from airflow_provider_etl.spec.rules import path_fields
from airflow_provider_etl.spec.schedule import local_instant
from airflow_provider_etl.spec.variables import with_window
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window


def windows_of_run(context: Context, timezone: str) -> list[Window]:
    """The windows of a run: what its form says, else what its asset events say, else its data interval.

    Args:
        context: the task's context.
        timezone: IANA name of the zone that the form's times are of.

    Returns:
        Each once, in the order of their starts; none where the run has no window.

    Raises:
        ConfigError: something there is no window.
    """
    params = context.get("params") or {}
    if params.get(START) and params.get(END):
        start, end = (_instant(str(params[name]), timezone) for name in (START, END))
        return [Window(start=start, end=end, timezone=timezone)]
    if extras := triggering_extras(context):
        return sorted({window for name, extra in extras for window in windows_of_event(name, extra)})
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    return [Window(start=start, end=end, timezone=timezone)] if start and end and start < end else []


def _instant(text: str, timezone: str) -> datetime:
    try:
        return local_instant(scalars.instant(text), timezone)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not {error}", where="the run's configuration") from error


def filled(condition: Any, window: Window | None, where: str) -> Any:
    """A condition with the window's values in it.

    Raises:
        ConfigError: a variable without a value, or a path that begins nowhere.
    """
    found = with_window(condition, window, {}) if window else condition
    for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        if field.metadata.get("substitute") == "text" and "${" in str(value):
            hint = "window.start, window.end, window.key in a run that has a window; else Jinja"
            raise ConfigError(f"{field.name}: {value!r} holds a variable without a value", where=where, expected=hint)
    for name, field in path_fields(found):
        path = getattr(found, field.name)
        if not is_uri(path) and not path.startswith("/"):
            raise ConfigError(f"{name}: {path!r} begins nowhere", where=where, expected="an absolute path, or a URI")
    return found
