"""Where loads may lie: one table each, none in the folder of another, and none among rows that are only kept a while.

A table's folder is swept by its own format (Delta's VACUUM removes what the table doesn't know), staging by us.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec import upkeep
from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.paths import absolute, nested
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.rules import SAMPLE, path_fields
from airflow_provider_etl.spec.variables import names_window, text_with_window
from airflow_provider_etl.spec.verbs import Verbs
from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from spark_jobs.load.scope import disjoint

_ONE: Final = "one load per table: union the datasets before it; or give each a scope of its own"
_BEFORE: Final = "read another table; or what it was before, `as_of: ${window.start}`"
APART: Final = "give each table a folder of its own, beside the others"


def check(verbs: Verbs, environment: Environment | None, params: Mapping[str, Any], problems: Problems) -> None:
    """Tell of loads that would take each other's rows or files away.

    Args:
        verbs: what was read.
        environment: where it runs; None where that isn't known.
        params: values of parameters that stand in paths.
        problems: where problems go.
    """
    upkeep.check(verbs, problems)
    taken: list[tuple[str, str, Any]] = []
    for name, placed in verbs.load.items():
        if placed.kind is FAILED:
            continue
        for key, written in places(placed.kind):
            path = text_with_window(written, SAMPLE, params)
            place = place_of(placed.kind, path, environment.project) if environment and "${" not in path else path
            node = option_node(type(placed.kind), placed.node, key) or placed.node
            for code, message, hint in _complaints(place, placed.kind, taken, environment):
                problems.add(node, code, message, hint)
            taken.append((name, place, placed.kind))
    _check_reads(verbs, environment, params, problems)


def _check_reads(verbs: Verbs, environment: Environment | None, params: Mapping[str, Any], problems: Problems) -> None:
    """Tell of sources that read what a load writes, so that a repeat would read what it wrote; arguments as above."""
    written: dict[str, str] = {}
    for name, placed in verbs.load.items():
        for _, path in places(placed.kind) if placed.kind is not FAILED else ():
            written.setdefault(_resolved(path, environment, params), name)
    for placed in verbs.extract.values():
        if getattr(placed.kind, "repeatable", True):
            continue  # no table, or what it said before
        for key, path in places(placed.kind):
            load = written.get(_resolved(path, environment, params))
            if load is not None:
                message = f"load {load!r} writes the table that is read here: a repeat would read what it wrote"
                node = option_node(type(placed.kind), placed.node, key) or placed.node
                problems.add(node, "table-read-back", message, _BEFORE)


def _resolved(path: str, environment: Environment | None, params: Mapping[str, Any]) -> str:
    """A path as it can be compared, of a sample window."""
    text = text_with_window(path, SAMPLE, params)
    return absolute(text, environment.project) if environment and "${" not in text else text


def refuse(loads: Mapping[str, tuple[str, Any]], environment: Environment, where: str) -> None:
    """See the same of the loads of a plan, where nothing in a path is open any more.

    Args:
        loads: name -> (dataset, destination with absolute paths).
        environment: says where staging and quarantine are.
        where: the pipeline's name.

    Raises:
        ConfigError: two loads write one table, or a table lies in another's folder, in staging or in quarantine.
    """
    taken: list[tuple[str, str, Any]] = []
    for name, (_, kind) in loads.items():
        for _, place in places(kind):
            for _, message, hint in _complaints(place, kind, taken, environment):
                raise ConfigError(f"{place}: {message}", where=f"{where}: load.{name}", remedy=hint)
            taken.append((name, place, kind))


def one_table(pipeline: str, load: str, kind: Any) -> None:
    """See that a load has one table, whatever the window.

    Raises:
        ConfigError: it has one for every window.
    """
    if names_window(json.dumps(kinds.dump(kind))):
        raise ConfigError(
            "its place names ${window…}: there is a table for every window",
            where=f"{pipeline}: load.{load}",
            expected="one table",
            remedy="such tables are files of their own: remove or move them",
        )


def places(kind: Any) -> Iterator[tuple[str, str]]:
    """(option, where its table is) of a destination; a table of a database has a connection in place of a folder."""
    if found := getattr(kind, "place", None):
        yield "table", found
    for key, field in path_fields(kind):
        yield key, getattr(kind, field.name)


def place_of(kind: Any, place: str, project: Path) -> str:
    """A place of `places` as it can be compared: a path is taken from the project's folder."""
    return place if hasattr(kind, "place") else absolute(place, project)


def _complaints(
    place: str, kind: Any, taken: list[tuple[str, str, Any]], environment: Environment | None
) -> Iterator[tuple[str, str, str]]:
    """(code, message, hint) of what is wrong with a table's place beside those before it."""
    for other, there, written in taken:
        scopes, exact = (getattr(kind, "scope", {}), getattr(written, "scope", {})), getattr(kind, "exact_scopes", True)
        if place == there and not disjoint(*scopes, exact=exact):
            yield "destination-shared", f"load {other!r} writes the same table", _ONE
        elif place != there and nested(place, there):
            inside = "in it lies the table" if there.startswith(place) else "it lies in the folder"
            yield "table-nested", f"{inside} of load {other!r}, and each sweeps its own folder", APART
    for key in ("staging", "quarantine") if environment is not None and "${" not in place else ():
        folder = getattr(environment, key)
        if nested(place, folder):
            message = f"{key} is {folder}: files there come and go, and a table's own are swept"
            yield "table-nested", message, f"load it elsewhere, or name another folder as {key} in the environment"
