"""Circuit breakers that skip windows: whether a pipeline can bear it."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reaching import connections_of
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.variables import names_window_in
from airflow_provider_etl.spec.verbs import Verbs
from spark_jobs.extract.breaker import Breaker

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
        if placed.kind is not FAILED and any(
            found.when_open == "skip" for found in _breakers(placed.kind, environment)
        ):
            node = option_node(type(placed.kind), placed.node, "breaker") or verbs.sources[name]
            problems.add(node, "conflicting-keys", why, _SAY)


def _breakers(source: Any, environment: Environment | None) -> list[Breaker]:
    """The breakers of a source: its own, or those of the connections that it is reached by."""
    own = getattr(source, "breaker", None)
    if own is not None or environment is None:
        return [own] if own is not None else []
    stores = {bucket: store.connection for bucket, store in environment.stores.items()}
    catalogs = {name: catalog.to_json() for name, catalog in environment.catalogs.items()}
    reached = connections_of(source, stores, catalogs)
    return [environment.breakers[name] for name in reached if name in environment.breakers]


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
