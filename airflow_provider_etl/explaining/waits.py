"""What a pipeline waits for, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_provider_etl.sensors.condition import span

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


def told(pipeline: Pipeline) -> Iterator[str]:
    """The conditions, two lines each."""
    yield "waits, side by side, before anything is read"
    for wait in pipeline.wait_for:
        how = wait.condition
        end = "the run is skipped" if how.on_timeout == "skip" else "the run fails"
        yield f"  {wait.task}: {how.told}"
        yield f"    asked every {span(how.every)}, {span(how.timeout)} at most: then {end}"
