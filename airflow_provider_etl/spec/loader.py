"""A file, or a mapping of the same shape, -> a Pipeline and everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec import nodes, rules, scalars, shape
from airflow_provider_etl.spec.diagnostics import Diagnostic, did_you_mean, nearest, shown
from airflow_provider_etl.spec.environment import LOCAL, Engine, Environment, load_environment
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import AssetsOption, EveryOption, PipelineFile
from airflow_provider_etl.spec.mappings import from_mapping
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, described, merged
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_file
from airflow_provider_etl.spec.reading import FAILED, Reading
from airflow_provider_etl.spec.schedule import (
    PRESETS,
    Assets,
    Cron,
    Every,
    Manual,
    Schedule,
    cron_problem,
    local_instant,
    zone_problem,
)
from airflow_provider_etl.spec.variables import Substitution
from airflow_provider_etl.spec.verbs import VerbReader, Verbs, datasets_of
from spark_jobs.errors import ConfigError

# Airflow takes 250 characters, but names a folder `dag_id=…` in its logs: 255 bytes are all that a file name has.
_MAX_NAME: Final = 200
_MAX_TAG: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a file gave.

    Args:
        name: the DAG's id.
        path: the file as the caller named it.
        pipeline: None where there is an error.
        diagnostics: errors and warnings by place.
        text: the file's text; empty for a mapping, and for a file that can't be read.
    """

    name: str
    path: str
    pipeline: Pipeline | None
    diagnostics: tuple[Diagnostic, ...]
    text: str = ""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that are errors."""
        return tuple(item for item in self.diagnostics if item.severity == "error")


def load_file(path: str | Path, *, environment: str | None = None, expressions: bool = False) -> Loaded:
    """Read a pipeline file.

    Args:
        path: the file.
        environment: a name, a path to a file, or None for the configured one.
        expressions: parse SQL and ask pydantic too: what `lint` does, and what a DAG processor has no time for.

    Returns:
        The pipeline, or None and why. Nothing is raised for what is wrong with the file.
    """
    file = Path(path)
    problems = Problems()
    node = read_file(str(path), problems)
    opened = _Opened(
        name=file.name.removesuffix(file.suffix), file=file.absolute(), base=file.absolute().parent, problems=problems
    )
    return _load(opened, str(path), node, environment, expressions=expressions)


def load_mapping(
    mapping: Mapping[str, Any],
    *,
    name: str,
    environment: str | None = None,
    base: Path | None = None,
    expressions: bool = False,
) -> Loaded:
    """Read a pipeline from a Python mapping of the same shape, for DAGs written by hand.

    Args:
        mapping: the keys of a pipeline file; durations and dates may be Python's.
        name: the DAG's id.
        environment: a name, a path to a file, or None for the configured one.
        base: the folder from which the environment is searched upwards; the working directory by default.
        expressions: as for `load_file`.
    """
    problems = Problems()
    node = from_mapping(mapping, name, problems)
    opened = _Opened(name=name, file=None, base=(base or Path.cwd()).absolute(), problems=problems)
    return _load(opened, name, node, environment, expressions=expressions)


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A pipeline on its way."""

    name: str
    file: Path | None
    base: Path
    problems: Problems


def _load(opened: _Opened, path: str, node: Node | None, asked: str | None, *, expressions: bool) -> Loaded:
    problems, pipeline = opened.problems, None
    if node is not None and not isinstance(node, MapNode):
        message = f"{described(node)} stands where the keys of a pipeline are wanted"
        problems.add(node, "not-a-mapping", message, "begin with extract:, transform:, check:, load:")
    if isinstance(node, MapNode):
        _check_name(opened.name, Node(node.source), problems)
        pipeline = _pipeline(opened, node, asked, expressions=expressions)
    return Loaded(
        name=opened.name,
        path=path,
        pipeline=None if problems.failed else pipeline,
        diagnostics=problems.sorted(),
        text=node.source.text if node is not None else "",
    )


def _check_name(name: str, top: Node, problems: Problems) -> None:
    if len(name) > _MAX_NAME:
        message = f"the DAG's id {shown(name)} has {len(name)} characters, {_MAX_NAME} is the most"
        problems.add(top, "invalid-name", message, "rename the file: Airflow's log folders bear the id")
    elif not _NAME.fullmatch(name) or ".." in name:
        message = f"{shown(name)} can't be a DAG's id"
        problems.add(
            top, "invalid-name", message, "name the file with ASCII letters, digits, _ - and . (not two together)"
        )


def _pipeline(opened: _Opened, node: MapNode, asked: str | None, *, expressions: bool) -> Pipeline | None:
    problems = opened.problems
    environment, defaults = _environment(opened, asked, Node(node.source))
    whole = _with_defaults(node, defaults)
    substitution = Substitution(
        problems=problems, pipeline=opened.name, variables=environment.variables if environment else None
    )
    reading = Reading(problems=problems, substitute=substitution)
    read = shape.build(PipelineFile, whole, reading)
    verbs = VerbReader(reading=reading).read({key: whole.get(key) for key in ("extract", "transform", "check", "load")})
    rules.check(verbs, environment, problems)
    if expressions:
        from airflow_provider_etl.spec import gate, sql

        gate.check(verbs, problems)
        sql.check(verbs, problems, deterministic=_says_true(whole.get("deterministic")))
    settings = _Settings(whole, problems)
    settings.tags()
    timezone = settings.timezone()
    schedule = settings.schedule(read)
    if read is FAILED:
        return None
    start, end = settings.span(read, timezone, schedule)
    engine = settings.engine(read, environment)
    if problems.failed or environment is None or engine is None or schedule is None:
        return None
    settled = _Settled(environment=environment, engine=engine, schedule=schedule, start=start, end=end)
    return _made(opened, read, verbs, settled)


def _environment(opened: _Opened, asked: str | None, top: Node) -> tuple[Environment | None, Node | None]:
    try:
        found = load_environment(asked, opened.base)
    except ConfigError as error:
        opened.problems.add(top, "option-invalid", f"{error.where}: {error.what}", f"expected {error.expected}")
        return None, None
    if isinstance(found, str):
        hint = "write one with variables, roots and engines, or choose another with --environment"
        opened.problems.add(top, "environment-missing", found, hint)
        return None, None
    for diagnostic in found.diagnostics:
        opened.problems.put(diagnostic)
    return found.environment, found.defaults


def _with_defaults(node: MapNode, defaults: Node | None) -> MapNode:
    if not isinstance(defaults, MapNode):
        return node
    whole = merged(defaults.without("schedule") if "schedule" in node.entries else defaults, node)
    return whole if isinstance(whole, MapNode) else node


def _says_true(node: Node | None) -> bool:
    return not (isinstance(node, ScalarNode) and node.text == "false")


@dataclass(frozen=True)
class _Settings:
    """The keys beside the verbs that need more than their type."""

    node: MapNode
    problems: Problems

    def timezone(self) -> str | None:
        """The zone's name; None where it is wrong."""
        node = self.node.get("timezone")
        if not isinstance(node, ScalarNode):
            return "UTC" if node is None else None
        message, hint = zone_problem(node.text)
        if message:
            self.problems.add(node, "unknown-timezone", message, hint)
        return None if message else node.text

    def schedule(self, read: Any) -> Schedule | None:
        """The schedule; None where it is wrong."""
        node = self.node.get("schedule")
        is_text = isinstance(node, ScalarNode) and (not node.plain or scalars.resolved(node.text)[0] == "text")
        if isinstance(node, ScalarNode) and is_text and node.text != "manual":
            complaint = cron_problem(node.text)
            if complaint:
                hint = did_you_mean(node.text, [*PRESETS, "manual"]) or 'such as "@daily" or "0 6 * * 1-5"'
                message = f"{shown(node.text)} is no schedule: {complaint}"
                self.problems.add(node, "invalid-schedule", message, hint)
                return None
        if read is FAILED:
            return None
        return _schedule(read.schedule)

    def span(
        self, read: PipelineFile, timezone: str | None, schedule: Schedule | None
    ) -> tuple[datetime | None, datetime | None]:
        """Start and end as instants."""
        if timezone is None:
            return None, None
        start, end = self._instant("start", read.start, timezone), self._instant("end", read.end, timezone)
        if read.start is None and isinstance(schedule, (Cron, Every)):
            message = "key 'start' is missing: a schedule in time needs its first instant"
            self.problems.add(self.node.holder, "missing-key", message, "start: 2013-01-01, absolute, never relative")
        if start and end and end <= start:
            message = f"end {read.end} is not after start {read.start}"
            node = self.node.get("end") or self.node
            self.problems.add(node, "inverted-dates", message, "the end is the first instant that is left out")
        return start, end

    def _instant(self, key: str, value: Any, timezone: str) -> datetime | None:
        if value is None:
            return None
        try:
            return local_instant(value, timezone)
        except ConfigError as error:
            self.problems.add(self.node.get(key) or self.node, "invalid-value", error.what, error.remedy)
            return None

    def tags(self) -> None:
        """Tags that Airflow can't store."""
        found = self.node.get("tags")
        for node in nodes.scalars(found) if found is not None else ():
            if len(node.text) > _MAX_TAG:
                message = f"the tag has {len(node.text)} characters, {_MAX_TAG} is the most"
                self.problems.add(node, "invalid-value", message, "Airflow stores no more")

    def engine(self, read: PipelineFile, environment: Environment | None) -> Engine | None:
        """The engine as the pipeline needs it; None where the environment has none of that name."""
        if environment is None:
            return None
        engine = environment.engines.get(read.engine)
        node = self.node.get("engine") or self.node.holder
        if engine is None:
            message = f"environment {environment.name} has no engine {read.engine!r}"
            self.problems.add(node, "unknown-engine", message, nearest(read.engine, environment.engines))
            return None
        if engine.kind not in LOCAL:
            message = f"engine {engine.name!r} is of kind {engine.kind}, which this release can't run"
            self.problems.add(node, "unknown-engine", message, "choose an engine of kind local")
        return replace(engine, small=read.resources.size == "small") if read.resources else engine


def _schedule(value: str | EveryOption | AssetsOption) -> Schedule:
    if isinstance(value, EveryOption):
        return Every(value.every)
    if isinstance(value, AssetsOption):
        return Assets(value.assets)
    return Manual() if value == "manual" else Cron(value)


@dataclass(frozen=True, kw_only=True)
class _Settled:
    """What the keys beside the verbs stand for."""

    environment: Environment
    engine: Engine
    schedule: Schedule
    start: datetime | None
    end: datetime | None


def _made(opened: _Opened, read: PipelineFile, verbs: Verbs, settled: _Settled) -> Pipeline:
    return Pipeline(
        name=opened.name,
        path=opened.file,
        description=read.description,
        owner=read.owner,
        tags=read.tags,
        schedule=settled.schedule,
        start=settled.start,
        end=settled.end,
        timezone=read.timezone,
        catchup=read.catchup,
        max_active_windows=read.max_active_windows,
        retries=read.retries,
        timeout=read.timeout,
        freshness=read.freshness,
        execution=read.execution,
        deterministic=read.deterministic,
        resources=read.resources,
        engine=settled.engine,
        environment=settled.environment,
        extract=FrozenMap({name: placed.kind for name, placed in verbs.extract.items()}),
        transform=FrozenMap(datasets_of(verbs)),
        check=FrozenMap(
            {name: tuple((placed.name, placed.kind) for placed in checks) for name, checks in verbs.check.items()}
        ),
        load=FrozenMap(
            {name: (rules.target_of(name, verbs) or "", placed.kind) for name, placed in verbs.load.items()}
        ),
    )
