"""Circuit breakers that skip windows: whether a pipeline can bear it."""

from __future__ import annotations

from itertools import chain
from typing import Final

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.variables import names_window_in
from airflow_provider_etl.spec.verbs import Verbs

_ORDERED: Final = "windows wait for the one before (depends_on_previous), and one that is skipped holds none back"
_UNCUT: Final = "nothing finds a skipped window of this schedule: its runs bring their windows, and this one is gone"
# What was read is kept for its window: without the skipped one its rows, or its copy of them, are missing.
_BY_WINDOW: Final = frozenset({"replace_window", "append"})
_SAY: Final = "say `when_open: fail` in a breaker of the source"


def check(
    verbs: Verbs, environment: Environment | None, problems: Problems, *, ordered: bool, schedule: Node | None
) -> None:
    """Report `when_open: skip` where a window that was skipped would be lost: to Airflow it was loaded.

    Args:
        verbs: what was read.
        environment: where it runs; None where that isn't known.
        problems: where problems go.
        ordered: whether windows run one after the other.
        schedule: the file's, or the environment's default.
    """
    why = _ORDERED if ordered else _UNCUT if _uncut(schedule) and not _brought_by_the_next(verbs) else ""
    for name, placed in verbs.extract.items() if why else ():
        connection = getattr(placed.kind, "connection", None)
        if placed.kind is FAILED or not connection:
            continue
        defaults = environment.breakers if environment is not None else {}
        found = getattr(placed.kind, "breaker", None) or defaults.get(connection)
        if found is not None and found.when_open == "skip":
            node = option_node(type(placed.kind), placed.node, "breaker") or verbs.sources[name]
            problems.add(node, "conflicting-keys", why, _SAY)


def _uncut(schedule: Node | None) -> bool:
    """Whether runs bring their windows: no backfill knows then which there should be."""
    if isinstance(schedule, MapNode):
        return "assets" in schedule.entries
    return isinstance(schedule, ScalarNode) and schedule.text == "manual"


def _brought_by_the_next(verbs: Verbs) -> bool:
    """Whether each window brings all that the one before would have: all that is read, or all that is kept.

    All that is read does where nothing on its way cuts it by the window, and no load keeps rows for each window.
    So too where something is wrong with what would tell: that is told first.
    """
    steps = [placed.kind for placed in chain(*verbs.transform.values())]
    sources, loads = ([placed.kind for placed in of.values()] for of in (verbs.extract, verbs.load))
    if FAILED in [*sources, *steps, *loads]:
        return True
    strategies = {getattr(getattr(kind, "write", None), "strategy", None) for kind in loads}
    if strategies == {"snapshot"}:
        return True
    whole = all(getattr(kind, "window", None) == "all" for kind in sources)
    return whole and not any(map(names_window_in, [*sources, *steps])) and not strategies & _BY_WINDOW
