"""From a test file's options to its cases: names known, windows cut, samples prepared; every problem at its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.diagnostics import near_miss, nearest, shown
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.rules import path_fields
from airflow_provider_etl.testing.language import CaseFile, CaseOption, Earlier, Expect, Row, Sample
from airflow_provider_etl.testing.samples import Prepared, Preparing, stand_in
from airflow_provider_etl.testing.wanted import WantedRows, wanted
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import reads_datasets
from spark_jobs.window import Window

_FAR: Final = datetime(2199, 1, 1, tzinfo=UTC)
Samples = Mapping[str, Sample | tuple[Row, ...]]


@dataclass(frozen=True, kw_only=True)
class Given:
    """A window, and what each source finds in it."""

    window: Window
    samples: Mapping[str, Prepared]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case without errors.

    Args:
        name: what it shows.
        pipeline: the pipeline with the case's parameters.
        path: the test file as the caller named it.
        line: where the case stands in it.
        runs: the windows, the one that it is about last.
        expect: what must be there afterwards.
        datasets, tables: the expected rows with their places.
        lines: lines of the expectation's other parts, by their path of keys; the whole under "".
    """

    name: str
    pipeline: Pipeline
    path: str
    line: int
    runs: tuple[Given, ...]
    expect: Expect
    datasets: Mapping[str, WantedRows]
    tables: Mapping[str, WantedRows]
    lines: Mapping[str, int]


def _below(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        node = node.get(key) if isinstance(node, MapNode) else None
    return node


def _items(node: Node, key: str) -> list[Node]:
    listed = _below(node, key)
    return listed.items if isinstance(listed, ListNode) else []


@dataclass(frozen=True, kw_only=True)
class CaseReader:
    """Reads the cases of one test file.

    Args:
        path: the test file.
        pipeline: what it tests.
        problems: where problems go.
        node: the file's keys.
        shared: the samples of every case.
    """

    path: Path
    pipeline: Pipeline
    problems: Problems
    node: MapNode
    shared: Samples

    def cases(self, read: CaseFile) -> tuple[Case, ...]:
        """Those without errors."""
        self._refuse_untestable()
        nodes = _items(self.node, "cases")
        self._names(read, nodes)
        self._known(_below(self.node, "sources"), self.pipeline.extract, "source")
        made = [self._case(option, node) for option, node in zip(read.cases, nodes, strict=True)]
        return tuple(case for case in made if case is not None)

    def glance(self) -> None:
        """Tell of a file that can't be read whole what can be told all the same: its windows and names."""
        self._refuse_untestable()
        self._known(_below(self.node, "sources"), self.pipeline.extract, "source")
        for node in _items(self.node, "cases"):
            for part in (node, *_items(node, "before")):
                self._known(_below(part, "sources"), self.pipeline.extract, "source")
                if _below(part, "window") is not None:
                    self._window(_below(part, "window"), part)
            self._expected(_below(node, "expect"))
            self._known(_below(node, "params"), self.pipeline.params, "param")

    def _refuse_untestable(self) -> None:
        kinds = {f"extract.{name}": source for name, source in self.pipeline.extract.items()}
        kinds |= {f"load.{name}": kind for name, (_, kind) in self.pipeline.load.items()}
        for place, kind in kinds.items():
            if not (reads_datasets(kind) or any(True for _ in path_fields(stand_in(kind)))):
                message = (
                    f"{place} is of kind {kind.type}, which has no path that a test could turn to its scratch folder"
                )
                self.problems.add(self.node, "untestable", message, "test it with a source or destination of files")

    def _names(self, read: CaseFile, nodes: list[Node]) -> None:
        seen: dict[str, int] = {}
        for option, node in zip(read.cases, nodes, strict=True):
            first = seen.setdefault(option.name, node.line)
            if first != node.line:
                message = f"case {shown(option.name)} stands here twice, first in line {first}"
                self.problems.add(_below(node, "name") or node, "duplicate-case", message, "rename one of them")

    def _case(self, option: CaseOption, node: Node) -> Case | None:
        runs = [self._given(earlier, place, option, node) for earlier, place in self._earlier(option, node)]
        runs.append(self._given(option, node, option, node))
        expect, at = option.expect, _below(node, "expect")
        self._expected(at)
        self._refuse_rows_beside_error(expect, at)
        made = [run for run in runs if run is not None]
        pipeline = self._pipeline(option, node)
        if len(made) < len(runs) or pipeline is None:
            return None
        return Case(
            name=option.name,
            pipeline=pipeline,
            path=str(self.path),
            line=node.line,
            runs=tuple(made),
            expect=expect,
            datasets=self._wanted(expect.datasets, _below(at, "datasets")),
            tables=self._wanted(expect.tables, _below(at, "tables")),
            lines=_lines(at or node),
        )

    def _pipeline(self, option: CaseOption, node: Node) -> Pipeline | None:
        """The pipeline with the case's parameters; a pipeline may have some without a default."""
        at = _below(node, "params")
        self._known(at, self.pipeline.params, "param")
        given = {name: value.text for name, value in option.params.items() if isinstance(value, ScalarNode)}
        try:
            return self.pipeline.with_params(given) if self.pipeline.params else self.pipeline
        except ConfigError as error:
            self.problems.add(
                (at or node).holder, "invalid-param", error.what, "give the case's `params: {name: value}`"
            )
            return None

    def _earlier(self, option: CaseOption, node: Node) -> list[tuple[Earlier, Node]]:
        return list(zip(option.before, _items(node, "before"), strict=True))

    def _expected(self, at: Node | None) -> None:
        """Names that an expectation may name."""
        datasets = [*self.pipeline.extract, *self.pipeline.transform]
        self._known(_below(at, "datasets"), datasets, "dataset")
        self._known(_below(at, "counts"), datasets, "dataset")
        self._known(_below(at, "tables"), self.pipeline.load, "load")
        self._known(_below(at, "checks"), self._checks(), "check")

    def _refuse_rows_beside_error(self, expect: Expect, at: Node | None) -> None:
        if expect.error is not None and (expect.datasets or expect.tables or expect.quarantine):
            message = "a run that fails publishes nothing: rows and an error can't both be expected"
            self.problems.add(_below(at, "error") or self.node, "invalid-value", message, "keep one of them")

    def _checks(self) -> list[str]:
        return [
            getattr(check, "name", None) or kind for checks in self.pipeline.check.values() for kind, check in checks
        ]

    def _known(self, node: Node | None, valid: Any, what: str) -> None:
        for name, entry in node.entries.items() if isinstance(node, MapNode) else ():
            if name not in valid:
                told = "source or dataset" if what == "dataset" else what
                self.problems.add(entry.key, f"unknown-{what}", f"{shown(name)} is no {told}", nearest(name, valid))

    def _wanted(self, expected: Any, node: Node | None) -> dict[str, WantedRows]:
        found = {name: wanted(item, _below(node, name) or self.node, self.problems) for name, item in expected.items()}
        return {name: item for name, item in found.items() if item is not None}

    # -- what is given --------------------------------------------------------------------------------------------

    def _given(self, part: CaseOption | Earlier, node: Node, option: CaseOption, whole: Node) -> Given | None:
        window = self._window(part.window, node)
        self._known(_below(node, "sources"), self.pipeline.extract, "source")
        samples = {}
        read = {name: source for name, source in self.pipeline.extract.items() if not reads_datasets(source)}
        for name, source in read.items():
            sample = self._sample(name, [(part.sources, node), (option.sources, whole), (self.shared, self.node)])
            if sample is None:
                self._tell_missing(name, part.sources, node)
                continue
            prepared = Preparing(folder=self.path.absolute().parent, problems=self.problems).prepared(
                *sample, stand_in(source)
            )
            if prepared is not None:
                samples[name] = prepared
        if window is None or len(samples) < len(read):
            return None
        return Given(window=window, samples=samples)

    def _tell_missing(self, name: str, given: Samples, node: Node) -> None:
        meant = (near_miss(other, [name]) for other in given if other not in self.pipeline.extract)
        if name not in meant:
            at = _below(node, "sources") or node
            hint = f"give the rows of {name!r}, or [] for none, here or in the file's own `sources`"
            self.problems.add(at.holder, "missing-sample", f"source {name!r} has no sample", hint)

    def _sample(self, name: str, places: list[tuple[Samples, Node]]) -> tuple[Sample | tuple[Row, ...], Node] | None:
        """The nearest sample of a source, and where it stands."""
        for samples, node in places:
            if name in samples:
                return samples[name], _below(node, "sources", name) or node
        return None

    def _window(self, given: Node | None, node: Node) -> Window | None:
        if given is None:
            return self._first(node)
        if not isinstance(given, ScalarNode):
            message = f"{described(given)} stands where START/END is wanted"
            self.problems.add(given, "wrong-type", message, "window: 2013-01-01/2013-01-02")
            return None
        try:
            return replace(self.pipeline.window_of(given.text), timezone=self.pipeline.timezone)
        except ConfigError as error:
            hint = "; ".join(part for part in (error.expected and f"expected {error.expected}", error.remedy) if part)
            self.problems.add(given, "invalid-window", error.what, hint)
            return None

    def _first(self, node: Node) -> Window | None:
        """The schedule's first window."""
        try:
            if self.pipeline.start is not None:
                return next(self.pipeline.windows(self.pipeline.start, _FAR))
        except (ConfigError, StopIteration):
            pass  # no schedule in time: told below
        message = "key 'window' is missing: no schedule cuts time into windows"
        self.problems.add(node.holder, "missing-key", message, "window: 2013-01-01/2013-01-02")
        return None


def _lines(at: Node) -> dict[str, int]:
    """The lines of the parts of an expectation, by their path of keys."""
    found = {"": at.holder.line}
    for key in ("quarantine", "counts", "checks", "error"):
        part = _below(at, key)
        if part is None:
            continue
        found[key] = part.holder.line
        if isinstance(part, ListNode):
            found |= {f"{key}[{place}]": item.line for place, item in enumerate(part.items)}
        if isinstance(part, MapNode):
            found |= {f"{key}.{name}": entry.key.line for name, entry in part.entries.items()}
    return found
