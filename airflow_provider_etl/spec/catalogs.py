"""Catalogs of Iceberg tables: what an environment declares, and whether a load names one that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from airflow_provider_etl.spec.class_plan import option_node, plan_of
from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.language import CatalogFile, EnvironmentFile
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.paths import absolute, under
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from spark_jobs.iceberg.catalogs import RENAMING, Catalog

if TYPE_CHECKING:
    from airflow_provider_etl.spec.environment import Environment
    from airflow_provider_etl.spec.verbs import Verbs

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN: Final = ("spark_catalog", "system", "session", "global_temp")


def made(name: str, read: CatalogFile, project: Path) -> Catalog:
    """A catalog as plans have it."""
    named = read.type == "rest" or not read.warehouse
    warehouse = read.warehouse if named else absolute(read.warehouse, project)
    return Catalog(name=name, type=read.type, warehouse=warehouse, connection=read.connection or "")


def check(read: EnvironmentFile, node: MapNode, project: Path, problems: Problems) -> None:
    """Tell what is wrong with an environment's catalogs.

    Args:
        read: the environment file.
        node: its keys.
        project: the folder that relative paths start from.
        problems: where problems go.
    """
    found = node.get("catalogs")
    entries = found.entries if isinstance(found, MapNode) else {}
    roots = [absolute(root, project) for root in read.roots]
    for name, catalog in read.catalogs.items():
        place: Node = entries[name].value if name in entries else node
        for key, message, hint in _complaints(name, catalog, made(name, catalog, project), roots):
            there = place.get(key) if isinstance(place, MapNode) else None
            problems.add(there or place.holder, "invalid-value", message, hint)


def _complaints(name: str, read: CatalogFile, catalog: Catalog, roots: list[str]) -> Iterator[tuple[str, str, str]]:
    """(key, message, hint) of what is wrong with a catalog."""
    if not _NAME.fullmatch(name) or name in _TAKEN:
        yield "", f"{shown(name)} can't be a catalog's name", "letters, digits and _; none of Spark's own catalogs"
    if read.type != "rest" and not read.warehouse:
        yield "warehouse", f"a {read.type} catalog without a warehouse", "name the folder or URI of its tables"
    if read.type == "hadoop" and read.connection:
        yield "connection", "a hadoop catalog is a folder: it has no connection", "take it out, or say type: jdbc"
    if read.type != "hadoop" and not read.connection:
        yield "connection", f"a {read.type} catalog without a connection", "name the Airflow connection"
    scheme = urlsplit(catalog.warehouse).scheme if "://" in catalog.warehouse else ""
    if read.type == "hadoop" and scheme not in RENAMING:
        message = f"a hadoop catalog commits by renaming a file, which {scheme} can't do at once: commits get lost"
        yield "warehouse", message, "say type: jdbc or rest; hadoop is for local disks and HDFS"
    if read.type != "rest" and read.warehouse and not under(catalog.warehouse, roots):
        yield "warehouse", f"{catalog.warehouse} is outside the roots", f"roots: {', '.join(roots)}"


def check_named(verbs: Verbs, environment: Environment | None, problems: Problems) -> None:
    """Tell of kinds that name a catalog which the environment hasn't got.

    Args:
        verbs: what was read.
        environment: where it runs; None where that isn't known.
        problems: where problems go.
    """
    for placed in verbs.placed() if environment is not None else ():
        name = getattr(placed.kind, "catalog", None) if placed.kind is not FAILED else None
        is_catalog = name is not None and any(
            field.metadata.get("catalog") for field in plan_of(type(placed.kind)).fields.values()
        )
        if environment is None or not is_catalog or name in environment.catalogs:
            continue
        known = list(environment.catalogs)
        message = f"environment {environment.name} has no catalog {shown(str(name))}"
        hint = nearest(str(name), known) if known else f"declare it there: catalogs: {{{name}: {{type: hadoop, …}}}}"
        problems.add(
            option_node(type(placed.kind), placed.node, "catalog") or placed.node, "unknown-catalog", message, hint
        )
