"""Rules on the quality of data in the Open Data Contract Standard, as far as a contract of ours can say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from airflow_provider_etl.spec.contracts.contract import items_of
from airflow_provider_etl.spec.contracts.sources import text_at
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode

_LIBRARY: Final = frozenset({"type", "id", "name", "metric", "rule", "mustBe", "arguments", "validValues", "unit"})
_WORDS: Final = frozenset(
    {"description", "dimension", "businessImpact", "severity", "tags", "schedule", "scheduler", "method"}
)
_NULLS: Final = frozenset({"nullValues", "missingValues", "nullCheck"})
_TWICE: Final = frozenset({"duplicateValues", "duplicateCount", "uniqueCheck"})
_UNITS: Final = {
    "s": "s", "second": "s", "seconds": "s",
    "m": "m", "min": "m", "minute": "m", "minutes": "m",
    "h": "h", "hr": "h", "hour": "h", "hours": "h",
    "d": "d", "day": "d", "days": "d",
    "w": "w", "week": "w", "weeks": "w",
}  # fmt: skip


def called(rule: Node) -> str:
    """A rule by its name, for a note."""
    kind = _text(rule, "metric") or _text(rule, "rule") or _text(rule, "type") or "rule"
    return f"quality {kind}"


def of_column(rule: Node) -> dict[str, Node]:
    """What a rule on one column says in a contract of ours: key -> value; nothing where we have no word for it."""
    if not isinstance(rule, MapNode) or not _never(rule):
        return {}
    metric, arguments = _metric(rule), rule.get("arguments")
    if metric in _NULLS and arguments is None:
        return {"required": text_at(rule, "true", plain=True)}
    if metric in _TWICE and arguments is None:
        return {"unique": text_at(rule, "true", plain=True)}
    if metric in ("invalidValues", "validValues"):
        return _valid(arguments if isinstance(arguments, MapNode) else rule)
    return {}


def of_table(rule: Node) -> list[ScalarNode] | None:
    """The key that a rule on a whole table names; None where it says something else."""
    if not isinstance(rule, MapNode) or not _never(rule) or _metric(rule) not in _TWICE:
        return None
    arguments = rule.get("arguments")
    names = arguments.get("properties") if isinstance(arguments, MapNode) else None
    found = [text_at(item, item.text) for item in items_of(names) if isinstance(item, ScalarNode)]
    return found or None


def freshness(item: Node, tables: Mapping[str, Mapping[str, str] | None]) -> dict[str, Node] | None:
    """A service level on freshness: key -> value; empty where it is another schema's, None where it can't be said.

    Args:
        item: the service level.
        tables: name of each schema of the file -> name of each column, as the element may have it -> our column; of
            other schemas than the one that is read None.
    """
    value, unit, element = _text(item, "value"), _text(item, "unit").lower(), _text(item, "element")
    table, dot, column = element.rpartition(".")
    known = table if table in tables else table.rpartition(".")[2]  # a database's schema may stand before
    if dot and known not in tables:
        return None
    ours = tables[known] if dot else next((found for found in tables.values() if found is not None), {})
    if ours is None:
        return {}
    if not value.isdigit() or unit not in _UNITS or not column or (not dot and column in tables):
        return None
    return {
        "column": text_at(item, ours.get(column, column)),
        "within": text_at(item, value + _UNITS[unit], plain=True),
    }


def _valid(said: MapNode) -> dict[str, Node]:
    values, pattern = said.get("validValues"), said.get("pattern")
    found: dict[str, Node] = {}
    if isinstance(values, ListNode):
        found["values"] = values
    if isinstance(pattern, ScalarNode):
        found["regex"] = text_at(pattern, pattern.text)
    return found if len(found) == len([key for key in said.entries if key in ("validValues", "pattern")]) else {}


def _metric(rule: MapNode) -> str:
    return _text(rule, "metric") or _text(rule, "rule")


def _never(rule: MapNode) -> bool:
    """Whether a library's rule counts what must not be at all: `mustBe: 0`, and says nothing else."""
    library = _text(rule, "type") in ("", "library")
    zero = _text(rule, "mustBe") == "0" or (_metric(rule) == "validValues" and "mustBe" not in rule.entries)
    return library and zero and set(rule.entries) <= _LIBRARY | _WORDS


def _text(node: Node | None, key: str) -> str:
    found = node.get(key) if isinstance(node, MapNode) else None
    return found.text if isinstance(found, ScalarNode) else ""
