"""Suites of Great Expectations: files of expectations, read as if each stood among the checks itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from airflow_provider_etl.spec import shape
from airflow_provider_etl.spec.diagnostics import Diagnostic, nearest, shown
from airflow_provider_etl.spec.expectations import META
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.once import absent, read_once, real_path
from airflow_provider_etl.spec.paths import is_uri, under
from airflow_provider_etl.spec.reading import FAILED, Reading
from spark_jobs.kinds import PYDANTIC

KEY: Final = "suite"
_SUITE: Final = ("name", "expectations", "meta", "id", "notes", "suite_parameters")
_EXPECTATION: Final = (
    "type",
    "kwargs",
    "meta",
    "severity",
    "id",
    "description",
    "notes",
    "rendered_content",
    "expectation_context",
    "windows",
)
_OLD: Final = ("expectation_suite_name", "expectation_type", "ge_cloud_id", "data_asset_type", "evaluation_parameters")
_CONVERT: Final = (
    "call expectation_suite_name `name` and each expectation_type `type`, keep kwargs and meta, drop the rest; or build"
    " it with release 1.x: ExpectationSuite(name=.., expectations=[{'type': .., 'kwargs': ..}, ..])"
)
_INDEX: Final = re.compile(r"expectations\[(\d+)\]")


@dataclass(frozen=True, kw_only=True)
class SuiteUse:
    """A suite of Great Expectations 1.x among the checks."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC

    file: str
    """The suite's file (JSON), relative to the pipeline file."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """What happens where one of its expectations fails: `stop` the run, `ask` a person, or `warn`."""


@dataclass(frozen=True, kw_only=True)
class Suites:
    """Reads the suites that a pipeline's checks name.

    Args:
        base: the folder of the pipeline file, which their paths start from.
        project: the project folder.
        roots: absolute folders and URIs that they may lie under beside it.
        reading: where problems go.
    """

    base: Path
    project: Path
    roots: Sequence[str]
    reading: Reading
    types: dict[tuple[str, int], str] = field(default_factory=dict)

    def checks(self, node: Node) -> list[Node]:
        """The expectations of a suite, each as a check by its name; none, with the reason told, where it can't be read.

        Args:
            node: what stands under `suite`.
        """
        use = shape.converter(str | SuiteUse)(node, self.reading, None)
        if use is FAILED:
            return []
        use = SuiteUse(file=use) if isinstance(use, str) else use
        path = os.path.normpath(self.base / use.file)
        complaint = self._complaint(use.file, path)
        if complaint:
            place = (node.get("file") or node) if isinstance(node, MapNode) else node
            self.reading.problems.add(place, *complaint)
            return []
        return self._read(path, use)

    def named(self, diagnostic: Diagnostic) -> Diagnostic:
        """A problem of a suite's file with the name of the expectation that it is about."""
        found = _INDEX.match(diagnostic.key)
        name = self.types.get((diagnostic.path, int(found[1]))) if found else None
        if name is None or name in diagnostic.message:
            return diagnostic
        return replace(diagnostic, message=f"{name}: {diagnostic.message}")

    def _complaint(self, text: str, path: str) -> tuple[str, str, str] | None:
        """Code, message and hint where a path leads to no suite."""
        if is_uri(text) or not text.strip():
            hint = "name one, relative to the pipeline file"
            return "suite-missing", f"{shown(text, 120)} is no file of the project", hint
        real, why = real_path(path)
        if why:
            return "suite-missing", f"there can be no file {shown(text, 120)}: {why}", "correct the path"
        if not Path(real).is_relative_to(os.path.realpath(self.project)) and not under(path, self.roots):
            message = f"{shown(text, 120)} leads to {real}, outside the project folder or a root of the environment"
            return "suite-outside", message, f"the project folder is {self.project}"
        missing = absent(text, real)
        return ("suite-missing", *missing) if missing else None

    def _read(self, path: str, use: SuiteUse) -> list[Node]:
        node, said = read_once(path)
        for diagnostic in said:
            self.reading.problems.put(diagnostic)
        if node is None:
            return []
        if not isinstance(node, MapNode):
            self._wrong(node, "a suite of Great Expectations: {name, expectations}")
            return []
        if self._is_old(node):
            return []
        self._only(node, _SUITE)
        items = node.get("expectations")
        if not isinstance(items, ListNode):
            if items is None:
                self.reading.problems.add(node.holder, "missing-key", "key 'expectations' is missing", "a list")
            else:
                self._wrong(items, "a list of expectations")
            return []
        return [check for item in items.items for check in self._check(item, use)]

    def _is_old(self, node: MapNode) -> bool:
        """Whether a suite is of a release before 1.0; if so, it is told."""
        items = node.get("expectations")
        within = [item for item in items.items if isinstance(item, MapNode)] if isinstance(items, ListNode) else []
        for place in (node, *within):
            for key in _OLD:
                if key in place.entries:
                    message = f"{key!r}: the suite is of Great Expectations 0.x, whose form isn't read"
                    self.reading.problems.add(place.entries[key].key, "suite-version", message, _CONVERT)
                    return True
        return False

    def _check(self, node: Node, use: SuiteUse) -> Iterator[Node]:
        """An expectation as a mapping with one key: its name -> its arguments, and what stands beside them."""
        if not isinstance(node, MapNode):
            self._wrong(node, "an expectation: {type, kwargs}")
            return
        self._only(node, _EXPECTATION)
        kind, kwargs = node.get("type"), node.get("kwargs")
        if not isinstance(kind, ScalarNode):
            self.reading.problems.add(kind or node, "missing-key", "key 'type' is missing", "an expectation's name")
            return
        if isinstance(node.key, int):
            self.types[node.source.path, node.key] = kind.text
        if kwargs is not None and not isinstance(kwargs, MapNode):
            self._wrong(kwargs, f"a mapping with the arguments of {kind.text}")
            return
        given = kwargs or MapNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key, {})
        yield _single(node, kind, _with(given, dict(given.entries) | dict(_beside(node, use))))

    def _only(self, node: MapNode, keys: tuple[str, ...]) -> None:
        for key, entry in node.entries.items():
            if key not in keys:
                message = f"unknown key {shown(key)}"
                self.reading.problems.add(entry.key, "unknown-key", message, nearest(key, keys))

    def _wrong(self, node: Node, wanted: str) -> None:
        self.reading.problems.add(node, "wrong-type", f"{described(node)} stands where {wanted} is wanted")


def _beside(node: MapNode, use: SuiteUse) -> Iterator[tuple[str, Entry]]:
    """What the file says of an expectation beside its arguments, and what the pipeline says of all of them."""
    for key in ("severity", META):
        entry = node.entries.get(key)
        if entry is not None and not (isinstance(entry.value, ScalarNode) and entry.value.text in ("", "null")):
            yield key, entry
    kind = node.entries["type"]
    if use.on_fail != "stop":
        place = kind.value
        at = (place.source, place.line, place.column, place.start, place.end, place.parent, place.key)
        yield "on_fail", Entry(kind.key, ScalarNode(*at, use.on_fail, False))


def _single(node: MapNode, kind: ScalarNode, options: MapNode) -> MapNode:
    return _with(node, {kind.text: Entry(kind, options)})


def _with(node: MapNode, entries: dict[str, Entry]) -> MapNode:
    return MapNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key, entries)
