"""The environment: what `${env.…}` stands for, where Spark runs, which folders a pipeline may touch.

Looked up by name (`--environment`, `AIRFLOW__ETL__ENVIRONMENT`, `[etl] environment` in airflow.cfg, else `local`) in
`config/environments/` upwards from the pipeline file; a path to a file is taken as it is.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec import catalogs, connect, engines, secrets, services, shape, spot, stores
from airflow_provider_etl.spec.diagnostics import Diagnostic, did_you_mean, shown
from airflow_provider_etl.spec.engines import Engine
from airflow_provider_etl.spec.environment_variables import References
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import EnvironmentFile
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, described, scalars
from airflow_provider_etl.spec.options import options
from airflow_provider_etl.spec.paths import absolute, nested, under
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_file
from airflow_provider_etl.spec.reading import FAILED, Reading
from airflow_provider_etl.spec.stores import Store
from spark_jobs.extract.breaker import Breaker
from spark_jobs.iceberg.catalogs import Catalog

DEFAULT: Final = "local"
REQUIRED: Final = ("staging", "quarantine")
_FOLDER: Final = ("config", "environments")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment.

    Args:
        name: the file's stem.
        path: the file.
        project: the folder that relative paths start from.
        variables: `${env.NAME}` -> value.
        roots: absolute folders and URIs that pipelines may touch.
        engines: name -> engine.
        stores: `s3a://bucket` -> how it is reached.
        catalogs: name -> catalog of Iceberg tables.
        breakers: connection -> when it is left alone because it doesn't answer.
    """

    name: str
    path: Path
    project: Path
    variables: Mapping[str, str]
    roots: tuple[str, ...]
    engines: Mapping[str, Engine]
    stores: Mapping[str, Store] = field(default_factory=FrozenMap)
    catalogs: Mapping[str, Catalog] = field(default_factory=FrozenMap)
    breakers: Mapping[str, Breaker] = field(default_factory=FrozenMap)

    @property
    def staging(self) -> str:
        """Absolute folder (or URI) under which every attempt stages its files."""
        return absolute(self.variables["staging"], self.project)

    @property
    def quarantine(self) -> str:
        """Absolute folder (or URI) that holds one quarantine table per pipeline."""
        return absolute(self.variables["quarantine"], self.project)


@dataclass(frozen=True)
class Found:
    """An environment as read: None with the reasons, or one with the node of its defaults; and the file's own node."""

    environment: Environment | None
    diagnostics: tuple[Diagnostic, ...]
    defaults: Node | None = None
    node: MapNode | None = None


def chosen(asked: str | None) -> str:
    """The name (or path) of the environment to use: asked for, or configured, else `local`."""
    return asked or options().environment or DEFAULT


def locate(name: str, base: Path) -> Path | None:
    """The file of an environment: a path as it is, a name searched upwards from a folder; None where there is none."""
    if os.sep in name or name.endswith((".yaml", ".yml")):
        path = Path(name).expanduser().absolute()
        return path if path.is_file() else None
    # Asked once per pipeline file: texts are quicker than paths.
    endings = ["/".join(("", *_FOLDER, name + ending)) for ending in (".yaml", ".yml")]
    parts = str(base).rstrip("/").split("/")
    for depth in range(len(parts), 0, -1):
        folder = "/".join(parts[:depth])
        found = next((folder + ending for ending in endings if os.access(folder + ending, os.F_OK)), None)
        if found and (path := Path(found)).is_file():
            return path
    return None


def project_of(path: Path) -> Path:
    """The project of an environment file: the folder that holds `config/environments`, else the file's own."""
    inside = path.parent.parts[-2:] == _FOLDER
    return path.parent.parent.parent if inside else path.parent


def load_environment(asked: str | None, base: Path) -> Found | str:
    """The environment for pipelines of a folder.

    Args:
        asked: a name, a path, or None for the configured one.
        base: absolute folder of the pipeline file.

    Returns:
        What was found, or in words that there is none.

    Raises:
        ConfigError: one of the provider's options means nothing.
    """
    configured = options()
    name = asked or configured.environment or DEFAULT
    path = locate(name, base)
    if path is None:
        return f"no environment {name!r}: config/environments/{name}.yaml is in no folder from {base} upwards"
    status = path.stat()
    return _load(path, status.st_mtime_ns, status.st_size, configured.allowed_roots)


@functools.lru_cache(maxsize=32)
def _load(path: Path, _changed: int, _size: int, allowed: tuple[str, ...]) -> Found:
    problems = Problems()
    node = read_file(str(path), problems)
    if node is None:
        return Found(None, problems.sorted())
    if not isinstance(node, MapNode):
        problems.add(node, "not-a-mapping", f"{described(node)} stands where an environment's keys are wanted")
        return Found(None, problems.sorted())
    read = shape.build(EnvironmentFile, node, Reading(problems=problems, substitute=References(node, problems)))
    _check(node, problems)
    if read is not FAILED:
        _parted(read.variables, node, project_of(path), problems)
        stores.check(node, read.stores, problems)
        catalogs.check(read, node, project_of(path), problems)
        engines.check(node, read, problems)
        services.check(node, read.engines, problems)
        spot.check(node, read, problems)
        connect.check_engines(node, read, problems)
    if read is not FAILED and allowed:
        _bound(node, project_of(path), allowed, problems)
    if read is FAILED or problems.failed:
        return Found(None, secrets.hidden(problems.sorted(), node), node=node)
    return Found(_made(read, path), secrets.hidden(problems.sorted(), node), read.defaults, node)


def _bound(node: MapNode, project: Path, allowed: tuple[str, ...], problems: Problems) -> None:
    """The deployment's bound (`[etl] allowed_roots`): where pipelines may read and write, and what is kept."""
    variables = node.get("variables")
    kept = [variables.get(name) for name in REQUIRED] if isinstance(variables, MapNode) else []
    roots, engines_node = node.get("roots"), node.get("engines")
    told = [entry.value for entry in engines_node.entries.values()] if isinstance(engines_node, MapNode) else []
    jobs = [engine.get("jobs") for engine in told if isinstance(engine, MapNode)]
    for place in [*(scalars(roots) if roots is not None else ()), *kept, *jobs]:
        if isinstance(place, ScalarNode) and not under(absolute(place.text, project), allowed):
            message = f"{shown(place.text, 120)} leads to {absolute(place.text, project)}, which the deployment forbids"
            problems.add(place, "root-not-allowed", message, f"[etl] allowed_roots: {', '.join(allowed)}")


def _parted(variables: Mapping[str, str], node: MapNode, project: Path, problems: Problems) -> None:
    """Staging is swept: what was set aside must not lie there, nor staging among what was set aside."""
    folders = [absolute(variables[key], project) for key in REQUIRED if variables.get(key)]
    if len(folders) == len(REQUIRED) and nested(*folders):
        found = node.get("variables")
        place = (found.get("quarantine") if isinstance(found, MapNode) else None) or node
        message = f"quarantine {folders[1]} and staging {folders[0]} share a folder, and staging is swept"
        problems.add(place, "invalid-value", message, "name two folders, neither inside the other")


def _check(node: MapNode, problems: Problems) -> None:
    variables = node.get("variables")
    if isinstance(variables, MapNode):
        for name in REQUIRED:
            if name not in variables.entries:
                problems.add(
                    variables.holder,
                    "missing-key",
                    f"key {name!r} is missing",
                    did_you_mean(name, variables.entries) or "every environment says where it is",
                )
        for name, entry in variables.entries.items():
            blank = isinstance(entry.value, ScalarNode) and not entry.value.plain and not entry.value.text.strip()
            if name in REQUIRED and blank:
                problems.add(entry.value, "invalid-value", f"{name} is empty", "name a folder or a URI")
    defaults = node.get("defaults")
    if defaults is not None and not isinstance(defaults, MapNode):
        problems.add(defaults, "wrong-type", f"{described(defaults)} stands where a mapping of pipeline keys is wanted")


def _made(read: EnvironmentFile, path: Path) -> Environment:
    project = project_of(path)
    jobs = absolute(read.variables["staging"], project) + "/_jobs"
    made = {name: engines.made(name, item, project, jobs) for name, item in read.engines.items()}
    return Environment(
        name=path.stem,
        path=path,
        project=project,
        variables=FrozenMap(read.variables),
        roots=tuple(absolute(root, project) for root in read.roots),
        engines=FrozenMap(made),
        stores=FrozenMap(stores.stores_of(read.stores)),
        catalogs=FrozenMap({name: catalogs.made(name, item, project) for name, item in read.catalogs.items()}),
        breakers=FrozenMap(read.breakers),
    )
