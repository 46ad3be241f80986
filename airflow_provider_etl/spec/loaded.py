"""What reading a pipeline file gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_etl.spec.diagnostics import Diagnostic, Severity
from airflow_provider_etl.spec.ignores import Ignore
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.waiting import Awaited

if TYPE_CHECKING:
    from airflow_provider_etl.spec.contracts.across import Read, Written


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a file gave.

    Args:
        name: the DAG's id.
        path: the file as the caller named it.
        pipeline: None where there is an error.
        diagnostics: errors and warnings by place.
        awaited: the pipelines that it waits for.
        read, written: the tables that it reads under a contract, and those that it loads; `lint` alone asks.
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
    read: tuple[Read, ...] = ()
    written: tuple[Written, ...] = ()
    ignored: tuple[Ignore, ...] = ()
    spared: tuple[Diagnostic, ...] = ()
    node: MapNode | None = None
    text: str = ""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(item for item in self.diagnostics if item.severity == "error")

    def told(
        self, keys: tuple[str, ...], code: str, message: str, hint: str, *, severity: Severity = "error"
    ) -> Diagnostic:
        """A problem at a key of the file; at the nearest key above it that the file has itself."""
        node: Node | None = self.node
        line, column = 1, 1
        for key in keys:
            node = node.get(key) if isinstance(node, MapNode) else None
            if node is not None:
                line, column = node.line, node.column
        return Diagnostic(
            path=self.path,
            line=line,
            column=column,
            code=code,
            severity=severity,
            key=".".join(keys),
            message=message,
            hint=hint,
        )
