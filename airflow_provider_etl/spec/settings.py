"""The keys beside the verbs that need more than their type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from airflow_provider_etl.spec import nodes, params, scalars
from airflow_provider_etl.spec.diagnostics import did_you_mean, nearest, shown
from airflow_provider_etl.spec.engines import Engine
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.language import AssetsOption, EveryOption, PartitionOption, PipelineFile, Timeouts
from airflow_provider_etl.spec.nodes import MapNode, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.schedule import (
    NEVER,
    PRESETS,
    Assets,
    Cron,
    Every,
    Manual,
    Partition,
    Schedule,
    cron_problem,
    local_instant,
    zone_problem,
)
from airflow_provider_etl.spec.services import SERVICES
from spark_jobs.errors import ConfigError
from spark_jobs.plan import VERBS

_MAX_TAG: Final = 100
_MAX_ASSET: Final = 1500
_NO_ASSETS: Final = frozenset({"self", "context"})
_LINK: Final = re.compile(r"(?:https?://[^/\s]+\S*|mailto:\S+@\S+)")


@dataclass(frozen=True)
class Settings:
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
        if isinstance(node, MapNode) and "partition" in node.entries:
            node = node.get("partition")
        is_text = isinstance(node, ScalarNode) and (not node.plain or scalars.resolved(node.text)[0] == "text")
        if isinstance(node, ScalarNode) and is_text and node.text != "manual":
            complaint = cron_problem(node.text)
            if complaint:
                hint = did_you_mean(node.text, [*PRESETS, "manual"]) or 'such as "@daily" or "0 6 * * 1-5"'
                message = f"{shown(node.text)} is no schedule: {complaint}"
                code = "cron-never-fires" if complaint == NEVER else "invalid-schedule"
                self.problems.add(node, code, message, hint)
                return None
        if read is FAILED:
            return None
        self._assets(node)
        return schedule_of(read.schedule)

    def _assets(self, node: Any) -> None:
        """Names that Airflow takes for no asset."""
        found = node.get("assets") if isinstance(node, MapNode) else None
        for item in nodes.scalars(found) if found is not None else ():
            complaint = asset_problem(item.text)
            if complaint:
                message = f"{shown(item.text)} is no asset's name: {complaint}"
                self.problems.add(item, "invalid-value", message, "such as orders, or orders.lake: a pipeline's load")

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
        """The engine; None where the environment has none of that name."""
        if environment is None:
            return None
        engine = environment.engines.get(read.engine)
        node = self.node.get("engine") or self.node.holder
        if engine is None:
            message = f"environment {environment.name} has no engine {read.engine!r}"
            self.problems.add(node, "unknown-engine", message, nearest(read.engine, environment.engines))
            return None
        if engine.kind in SERVICES:
            self._far(environment, engine, node)
        return engine

    def _far(self, environment: Environment, engine: Engine, node: nodes.Node) -> None:
        """Refuse folders of this machine where Spark runs on another."""
        for name, place in (("staging", environment.staging), ("quarantine", environment.quarantine)):
            if "://" not in place:
                message = f"engine {engine.name!r} runs far from here, and {name} is the local folder {place}"
                self.problems.add(node, "invalid-value", message, f"make {name} a URI, such as s3a://…")

    def together(self, read: PipelineFile) -> None:
        """Keys that don't go together, and values that only make sense with others."""
        self._one_at_a_time(read)
        self._fused(read)
        self._executors(read)
        self._links()
        node = self.node.get("params")
        if isinstance(node, MapNode):
            alone = read.schedule != "manual"
            params.check(node, params.params_of(read.params), alone=alone, problems=self.problems)

    def unused(self, used: set[str]) -> None:
        """Warn of parameters that nothing asks for."""
        node = self.node.get("params")
        for name, entry in node.entries.items() if isinstance(node, MapNode) else ():
            if name not in used:
                message, hint = f"parameter {name!r} changes nothing", f"use it: ${{param.{name}}}"
                self.problems.add(entry.key, "unused-param", message, hint, severity="warning")

    def rounded(self, pasted: set[str]) -> None:
        """Refuse numbers that a path or a name would hold in another form than the file: 1.10 would become 1.1."""
        node = self.node.get("params")
        for name, entry in node.entries.items() if isinstance(node, MapNode) else ():
            if name in pasted:
                self._rounded(entry.value)

    def _rounded(self, value: nodes.Node) -> None:
        parts = [value.get("default"), value.get("values")] if isinstance(value, MapNode) else [value]
        if _is_text(value):
            parts = parts[1:]  # a default that is no text is told for that
        for item in (item for part in parts if part is not None for item in nodes.scalars(part)):
            kind, number = scalars.resolved(item.text) if item.plain else ("text", item.text)
            if kind in ("int", "float") and str(number) != item.text:
                message = f"{item.text} is the number {number}, and stands so in paths and names"
                hint = f"write {number}, or as text: {{type: string, default: '{item.text}'}}"
                hint = f'write "{item.text}" in quotes' if _is_text(value) else hint
                self.problems.add(item, "invalid-param", message, hint)

    def _one_at_a_time(self, read: PipelineFile) -> None:
        node = self.node.get("max_active_windows")
        if node is None or read.max_active_windows <= 1:
            return
        why = "each waits for the one before" if read.depends_on_previous else "lookback lets each reach into others"
        if read.depends_on_previous or read.lookback:
            message = f"{read.max_active_windows} windows at a time, where {why}"
            key, off = ("depends_on_previous", "false") if read.depends_on_previous else ("lookback", "null")
            said = self.node.get(key) or node
            hint = f"; or {key}: {off}, without that of {said.source.path}" if said.source is not node.source else ""
            self.problems.add(node, "conflicting-keys", message, f"leave max_active_windows out, or say 1{hint}")

    def _fused(self, read: PipelineFile) -> None:
        """A fused run is one task: a verb has no time and no resources of its own."""
        if read.execution != "fused":
            return
        for key in ("timeout", "resources"):
            node = self.node.get(key)
            entries = node.entries if isinstance(node, MapNode) else {}
            for verb in VERBS:
                if verb in entries:
                    message = f"execution is fused: there is no task {verb!r}"
                    hint = f"say it for the run, or execution: staged, where {verb} is a task"
                    self.problems.add(entries[verb].key, "conflicting-keys", message, hint)

    def _executors(self, read: PipelineFile) -> None:
        """More executors to begin with than there may ever be."""
        found = self.node.get("resources")
        if read.resources is None or not isinstance(found, MapNode):
            return
        for verb in (None, *VERBS):
            needs = read.resources.of([verb]) if verb else read.resources
            there = found.get(verb) if verb else found
            node = there.get("max_executors") or there.get("executors") if isinstance(there, MapNode) else None
            if node and needs.executors and needs.max_executors and needs.executors > needs.max_executors:
                message = f"{needs.executors} executors to begin with, and {needs.max_executors} at most"
                self.problems.add(node, "conflicting-keys", message, "raise max_executors, or lower executors")

    def _links(self) -> None:
        found = self.node.get("owner_links")
        for node in nodes.scalars(found) if found is not None else ():
            if not _LINK.fullmatch(node.text) or not _is_url(node.text):
                message = f"{shown(node.text)} is no link"
                self.problems.add(node, "invalid-value", message, "such as https://… or mailto:…")


def _is_text(param: nodes.Node) -> bool:
    """Whether a parameter's type is string, said or not; a bare value's type is its own."""
    said = param.get("type") if isinstance(param, MapNode) else None
    return isinstance(param, MapNode) and (said is None or (isinstance(said, ScalarNode) and said.text == "string"))


def asset_problem(name: str) -> str:
    """Why Airflow takes no asset of a name (airflow.sdk.definitions.asset); empty where it does."""
    if not name.strip():
        return "it is blank"
    if len(name) > _MAX_ASSET:
        return f"it has {len(name)} characters, {_MAX_ASSET} is the most"
    if name in _NO_ASSETS:
        return "Airflow keeps it for itself"
    if not _is_url(name):
        return "it is neither a name nor an address"
    return "the scheme airflow is Airflow's own" if urlsplit(name).scheme.lower() == "airflow" else ""


def _is_url(text: str) -> bool:
    """Whether a text that looks like an address is one: brackets around something else are none."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def schedule_of(value: str | EveryOption | AssetsOption | PartitionOption) -> Schedule:
    """The schedule that a file names."""
    if isinstance(value, EveryOption):
        return Every(value.every)
    if isinstance(value, AssetsOption):
        return Assets(value.assets)
    if isinstance(value, PartitionOption):
        return Partition(value.partition)
    return Manual() if value == "manual" else Cron(value)


def timeouts_of(read: PipelineFile) -> Timeouts:
    """The times, whichever way they are written."""
    return read.timeout if isinstance(read.timeout, Timeouts) else Timeouts(task=read.timeout)
