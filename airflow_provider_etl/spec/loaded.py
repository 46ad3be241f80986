"""What reading a pipeline file gives."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.ignores import Ignore
from airflow_provider_etl.spec.nodes import MapNode
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.waiting import Awaited


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a file gave.

    Args:
        name: the DAG's id.
        path: the file as the caller named it.
        pipeline: None where there is an error.
        diagnostics: errors and warnings by place.
        awaited: the pipelines that it waits for.
        ignored: what the file's comments ignore; `lint` alone asks.
        spared: the warnings that they have taken back.
        node: the file as it was read, for the places of what is found later; None where it can't be read.
        text: the file's text; empty for a mapping, and for a file that can't be read.
    """

    name: str
    path: str
    pipeline: Pipeline | None
    diagnostics: tuple[Diagnostic, ...]
    awaited: tuple[Awaited, ...] = ()
    ignored: tuple[Ignore, ...] = ()
    spared: tuple[Diagnostic, ...] = ()
    node: MapNode | None = None
    text: str = ""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(item for item in self.diagnostics if item.severity == "error")
