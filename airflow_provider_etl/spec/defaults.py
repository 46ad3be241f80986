"""An environment's `defaults` that don't go with what a pipeline file says: they give way, since its author can't."""

from __future__ import annotations

from airflow_provider_etl.spec.nodes import MapNode, Node, described, is_true
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import Verbs
from spark_jobs.lookback import column_of


def fitting(whole: MapNode, defaults: Node | None, verbs: Verbs) -> MapNode:
    """A pipeline's keys without the defaults that can't hold beside the others.

    Args:
        whole: the file's keys over those of its base, over the defaults.
        defaults: the environment's; None where it has none.
        verbs: what was read.
    """
    lookback = whole.get("lookback")
    refused = lookback is not None and described(lookback) == "nothing"  # `lookback: null`: without the default's
    if refused or (_by_default("lookback", whole, defaults) and not _looks_back(verbs)):
        whole = whole.without("lookback")
    if _by_default("max_active_windows", whole, defaults) and _one_at_a_time(whole):
        whole = whole.without("max_active_windows")
    return whole


def _by_default(key: str, whole: MapNode, defaults: Node | None) -> bool:
    """Whether a key is the environment's: what a file says too is another entry (`nodes.merged`)."""
    found = defaults.entries.get(key) if isinstance(defaults, MapNode) else None
    return found is not None and whole.entries.get(key) is found


def _looks_back(verbs: Verbs) -> bool:
    """Whether a source has a use for a lookback, or can't be asked."""
    return any(placed.kind is FAILED or column_of(placed.kind) for placed in verbs.extract.values())


def _one_at_a_time(whole: MapNode) -> bool:
    return "lookback" in whole.entries or is_true(whole.get("depends_on_previous"))
