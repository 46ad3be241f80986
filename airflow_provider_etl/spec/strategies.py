"""Whether a destination keeps a strategy, and whether a strategy has what it needs to be kept.

A destination says which strategies it keeps by the type of its `write` option: a union of strategy classes. One that
the language knows and the destination hasn't is refused with the nearest that it has.
"""

from __future__ import annotations

import typing
from typing import Any, Final

from airflow_provider_etl.spec import consuming, hints
from airflow_provider_etl.spec.class_plan import option_node, plan_of
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import REGISTRIES, Placed, Verbs
from spark_jobs import kinds
from spark_jobs.errors import ConfigError

# Every strategy of the language -> those that come nearest to it, the best first.
NEAREST: Final = {
    "replace_window": ("append", "snapshot"),
    "append": ("replace_window", "snapshot"),
    "snapshot": ("replace_window", "append"),
    "merge": ("scd2", "snapshot", "replace_window"),
    "scd2": ("merge", "append", "replace_window"),
    "cdc": ("merge", "scd2", "append"),
}
_NEAR: Final = "the nearest one is %s"
# In these the row with the highest sequence wins, whichever window brings it first.
_BY_SEQUENCE: Final = frozenset({"merge", "cdc"})


def check(verbs: Verbs, problems: Problems, *, ordered: bool = False) -> None:
    """Report strategies that can't be kept.

    Args:
        verbs: what was read.
        problems: where problems go.
        ordered: whether windows run one after the other, so that they order the rows themselves.
    """
    for placed in verbs.load.values():
        if placed.kind is FAILED:
            _unsupported(placed, problems)
            continue
        _unkept(placed, problems)
        _conflicts(placed, problems)
        if not ordered:
            _without_sequence(placed, problems)
            _partial_update(placed, problems)
    consuming.check(verbs, problems, ordered=ordered)


def _unsupported(placed: Placed, problems: Problems) -> None:
    node = _strategy(placed)
    kept = kept_by(placed.name) if node is not None and node.text in NEAREST else ()
    if node is None or not kept or node.text in kept:
        return
    near = next((name for name in NEAREST[node.text] if name in kept), kept[0])
    problems.forget(node, "unknown-value")
    message = f"{placed.name} can't keep strategy {node.text}: it keeps {', '.join(kept)}"
    problems.add(node, "strategy-unsupported", message, _NEAR % near)


def _unkept(placed: Placed, problems: Problems) -> None:
    """A strategy that the destination keeps, but not with its other options."""
    why, node = getattr(placed.kind, "unkept", ""), _strategy(placed)
    if not why or node is None:
        return
    near = next(name for name in NEAREST[node.text] if name in kept_by(placed.name))
    problems.add(node, "strategy-unsupported", f"{placed.name} can't keep strategy {node.text}: {why}", _NEAR % near)


def _strategy(placed: Placed) -> ScalarNode | None:
    write = placed.node.get("write") if isinstance(placed.node, MapNode) else None
    found = write.get("strategy") if isinstance(write, MapNode) else None
    return found if isinstance(found, ScalarNode) else None


def kept_by(name: str) -> tuple[str, ...]:
    """The strategies that a kind of destination keeps; none where there is no such kind, or it has no strategies."""
    try:
        kind = kinds.find(REGISTRIES["load"], name, "load")
    except (ConfigError, ImportError, AttributeError):
        return ()  # told where the kind is looked up
    write = plan_of(kind).fields.get("write")
    members: tuple[Any, ...] = hints.members(write.hint) if write is not None else ()
    fields = [plan_of(member).fields.get("strategy") for member in members if hints.is_class(member)]
    return tuple(value for field in fields if field is not None for value in typing.get_args(field.hint))


def _without_sequence(placed: Placed, problems: Problems) -> None:
    write = getattr(placed.kind, "write", None)
    strategy = getattr(write, "strategy", None)
    if strategy not in _BY_SEQUENCE or getattr(write, "sequence", None) or getattr(write, "ordered_by_window", False):
        return
    node: Node = option_node(type(placed.kind), placed.node, "write") or placed.node
    problems.add(
        node.holder,
        "merge-without-sequence",
        f"strategy {strategy} without a sequence: which row of a key wins depends on which window runs last",
        "name the column that orders a key's rows, or say `depends_on_previous: true`",
    )


def _conflicts(placed: Placed, problems: Problems) -> None:
    """Options of a strategy that can't go together: it knows them."""
    conflicts = getattr(getattr(placed.kind, "write", None), "conflicts", None)
    for option, why in conflicts().items() if conflicts is not None else ():
        problems.add(_option(placed, option), "option-conflict", f"{option}: {why}")


def _partial_update(placed: Placed, problems: Problems) -> None:
    if getattr(getattr(placed.kind, "write", None), "update", "all") == "all":
        return
    problems.add(
        _option(placed, "update"),
        "update-needs-order",
        "update with a list of columns: what the others hold depends on which window ran first",
        "say `depends_on_previous: true`, or update all columns",
    )


def _option(placed: Placed, name: str) -> Node:
    write: Node = option_node(type(placed.kind), placed.node, "write") or placed.node
    found = write.get(name) if isinstance(write, MapNode) else None
    return found or write.holder
