"""A contract as it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_provider_etl.spec.contracts.language import (
    COMPLETE,
    Completeness,
    ContractColumn,
    ContractFile,
    Freshness,
    share_of,
)
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node
from spark_jobs.outline import INSTANTS, family, plain_type


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a contract file says.

    Args:
        told: the file as whoever names it does, with the schema where it holds several.
        path: its real path.
        file: its keys; it is sound.
        node: the same with places, in our own form whatever the file's is.
    """

    told: str
    path: str
    file: ContractFile
    node: MapNode

    @property
    def columns(self) -> dict[str, ContractColumn]:
        """Name -> what is promised."""
        return self.file.columns

    @property
    def types(self) -> dict[str, str]:
        """Name -> Spark type by its usual name."""
        return {name: plain_type(item.type) for name, item in self.columns.items()}

    @property
    def required(self) -> list[str]:
        """The columns that have a value in every row, keys included."""
        return [name for name, item in self.columns.items() if item.required or name in self.file.keys]

    @property
    def freshness(self) -> Freshness | None:
        """How new the rows are; a duration alone speaks of the one column that can say it."""
        found = self.file.freshness
        if found is None or isinstance(found, Freshness):
            return found
        dated = self.dated()
        return Freshness(column=dated[0], within=found) if len(dated) == 1 else None

    def dated(self) -> list[str]:
        """The columns that can say how new a row is."""
        return dated_columns(self.file)

    def complete(self) -> dict[float, list[str]]:
        """Share of values, 0 to 1 -> the named columns of whose values, taken together, so many are there."""
        found = self.file.completeness
        return {share_of(found.share) or 0.0: list(found.columns)} if isinstance(found, Completeness) else {}

    @property
    def share_required(self) -> float:
        """Share of the required columns' values, 0 to 1, that must be there before rows without them are set aside."""
        found = self.file.completeness
        if not self.required or isinstance(found, Completeness):
            return 0.0
        return COMPLETE if found is None else share_of(found) or 0.0

    def at(self, *keys: str) -> str:
        """`file:line:col` of a key, or of the nearest one above it."""
        node = find(self.node, *keys)
        return f"{node.source.path}:{node.line}:{node.column}"


def dated_columns(file: ContractFile) -> list[str]:
    """The columns of a contract that are timestamps or dates."""
    return [name for name, item in file.columns.items() if family(item.type) in INSTANTS]


def find(node: Node, *keys: str | int) -> Node:
    """The node under some keys; the nearest one above it where it isn't there."""
    for key in keys:
        found: Any = None
        if isinstance(node, MapNode) and isinstance(key, str):
            found = node.get(key)
        elif isinstance(node, ListNode) and isinstance(key, int) and key < len(node.items):
            found = node.items[key]
        if found is None:
            return node
        node = found
    return node


def key_of(node: MapNode, name: str) -> Node:
    """Where a key itself stands."""
    entry = node.entries.get(name)
    return entry.key if entry is not None else node


def items_of(node: Node | None) -> Iterator[Node]:
    """The items of a list; nothing where it is none."""
    yield from node.items if isinstance(node, ListNode) else ()
