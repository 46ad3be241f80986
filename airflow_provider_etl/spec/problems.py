"""Collecting the problems of a file while it is read, so that all of them are told at once."""

from __future__ import annotations

from airflow_provider_etl.spec.diagnostics import Diagnostic, Severity
from airflow_provider_etl.spec.nodes import Node, ScalarNode, offset_place


class Problems:
    """The problems found so far."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def add(  # noqa: PLR0913 - a diagnostic has that many parts
        self,
        node: Node,
        code: str,
        message: str,
        hint: str = "",
        *,
        severity: Severity = "error",
        offset: int | None = None,
    ) -> None:
        """Report a problem at a node.

        Args:
            node: the place.
            code: stable name of the problem.
            message: what was found and what would be valid.
            hint: what to do.
            severity: error or warning.
            offset: position in the scalar's value, from 0, where the problem is inside a text.
        """
        line, column = node.line, node.column
        if offset is not None and isinstance(node, ScalarNode):
            line, column = offset_place(node, offset)
        self.put(
            Diagnostic(
                path=node.source.path,
                line=line,
                column=column,
                code=code,
                severity=severity,
                key=node.path,
                message=message,
                hint=hint,
            )
        )

    def put(self, diagnostic: Diagnostic) -> None:
        """Report a problem whose place is known; the same one twice (a shared anchor) is told once."""
        self._found[diagnostic] = None

    def holds(self, node: Node, code: str) -> bool:
        """Whether a code has been told of a node."""
        return any(item.code == code and item.key == node.path for item in self._found)

    def tells(self, *codes: str) -> bool:
        """Whether one of several codes has been told anywhere."""
        return any(item.code in codes for item in self._found)

    def forget(self, node: Node, code: str) -> None:
        """Take back what was told of a node, where something better can be said of it."""
        self._found = {item: None for item in self._found if item.code != code or item.key != node.path}

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return any(item.severity == "error" for item in self._found)

    @property
    def count(self) -> int:
        """How many there are, warnings included."""
        return len(self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All of them by file, line and column."""
        return tuple(sorted(self._found))
