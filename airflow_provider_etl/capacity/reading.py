"""Small YAML files of known keys: figures and prices, read with the place of whatever is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_provider_etl.spec.diagnostics import did_you_mean
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_file
from spark_jobs.errors import ConfigError


def mapping(path: str) -> MapNode:
    """The mapping that a file is.

    Raises:
        ConfigError: the file can't be read, is no YAML, or no mapping.
    """
    problems = Problems()
    top = read_file(path, problems)
    if problems.failed or top is None:
        raise ConfigError("; ".join(map(str, problems.sorted())) or f"{path} is empty")
    return below(top)


def below(node: Node) -> MapNode:
    """A node as a mapping.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(node, MapNode):
        raise ConfigError(described(node), where=place(node), expected="a mapping")
    return node


def entries(node: MapNode, known: Mapping[str, object] | None = None) -> Iterator[tuple[str, Node]]:
    """Keys and values.

    Args:
        node: a mapping.
        known: the keys that there are; None where any may be.

    Raises:
        ConfigError: a key isn't known.
    """
    for key, entry in node.entries.items():
        if known is not None and key not in known:
            hint = did_you_mean(key, list(known))
            raise ConfigError(f"unknown key {key!r}", where=place(entry.key), expected=", ".join(known), remedy=hint)
        yield key, entry.value


def text(node: Node) -> str:
    """A node as text.

    Raises:
        ConfigError: it is a list or a mapping.
    """
    if not isinstance(node, ScalarNode):
        raise ConfigError(described(node), where=place(node), expected="one value")
    return node.text


def place(node: Node) -> str:
    """Where a node stands: `prices.yaml:3:12: storage`."""
    return f"{node.source.path}:{node.line}:{node.column}" + (f": {node.path}" if node.path else "")
