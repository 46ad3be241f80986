"""The four verbs of a pipeline file: their kinds, found by name and read generically."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from airflow_provider_etl.sensors import CONDITIONS
from airflow_provider_etl.spec import expectations, shape, suites
from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED, Reading
from airflow_provider_etl.spec.suites import Suites
from spark_jobs import kinds
from spark_jobs.check import CHECKS
from spark_jobs.errors import ConfigError
from spark_jobs.extract import SOURCES
from spark_jobs.load import DESTINATIONS
from spark_jobs.plan import Dataset
from spark_jobs.transform import STEPS

RESULT: Final = "result"
REGISTRIES: Final = {
    "extract": SOURCES,
    "transform": STEPS,
    "check": CHECKS,
    "load": DESTINATIONS,
    "wait_for": CONDITIONS,
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_NAMES: Final = "up to 100 ASCII letters, digits and _, beginning with a letter or _"
# `input` is what the sql step calls the incoming rows.
_RESERVED: Final = frozenset({"input"})


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A kind and the node that it was read from.

    Args:
        group: extract, transform, check or load.
        name: the kind's name.
        kind: the kind; FAILED where something in it is wrong.
        node: its options.
        called: option -> what it is called in the file, where that is something else.
        meta: what its author notes beside it.
    """

    group: str
    name: str
    kind: Any
    node: Node
    called: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Verbs:
    """The verbs as read; what is wrong in them has been told."""

    extract: dict[str, Placed] = field(default_factory=dict)
    sources: dict[str, ScalarNode] = field(default_factory=dict)
    transform: dict[str, list[Placed]] = field(default_factory=dict)
    origins: dict[str, ScalarNode] = field(default_factory=dict)
    datasets: dict[str, Node] = field(default_factory=dict)
    check: dict[str, list[Placed]] = field(default_factory=dict)
    checked: dict[str, Node] = field(default_factory=dict)
    load: dict[str, Placed] = field(default_factory=dict)
    targets: dict[str, ScalarNode] = field(default_factory=dict)
    implied: bool = False
    complete: dict[str, dict[str, Any]] = field(default_factory=dict)  # as Pipeline has it

    def placed(self) -> Iterator[Placed]:
        """Every kind, in the order of the verbs."""
        yield from self.extract.values()
        for steps in self.transform.values():
            yield from steps
        for checks in self.check.values():
            yield from checks
        yield from self.load.values()


@dataclass(frozen=True, kw_only=True)
class VerbReader:
    """Reads the verbs' nodes.

    Args:
        reading: where problems go, what `${…}` stands for.
        suites: reads the suites that checks name; None where the environment isn't known, and then none is read.
    """

    reading: Reading
    verbs: Verbs = field(default_factory=Verbs)
    suites: Suites | None = None

    @property
    def problems(self) -> Problems:
        """Where problems go."""
        return self.reading.problems

    def read(self, nodes: Mapping[str, Node | None]) -> Verbs:
        """All four.

        Args:
            nodes: extract, transform, check and load; None for one that the file leaves out.
        """
        self._extract(nodes.get("extract"))
        self._transform(nodes.get("transform"))
        self._check(nodes.get("check"))
        self._load(nodes.get("load"))
        return self.verbs

    def alone(self, sources: Mapping[str, Entry], checks: Node | None) -> Verbs:
        """Sources that are mappings with one key, their kind, and the checks of the first of them.

        Args:
            sources: name -> its key and its value.
            checks: the list of checks; None where there is none.
        """
        for name, entry in sources.items():
            if not _NAME.fullmatch(name):
                self.problems.add(entry.key, "invalid-name", f"{shown(name)} is no name", _NAMES)
            for placed in self._single(entry.value, "extract"):
                self.verbs.sources[name], self.verbs.extract[name] = entry.key, placed
        name, first = next(iter(sources.items()))
        self.verbs.datasets[RESULT], self.verbs.transform[RESULT] = first.key, []
        self.verbs.origins[RESULT] = ScalarNode(first.key.source, first.key.line, first.key.column, text=name)
        self.verbs.implied = True
        if isinstance(checks, ListNode):
            self._checks(RESULT, checks)
        elif checks is not None:
            self._wrong(checks, "a list of checks")
        return self.verbs

    def waits(self, node: Node | None) -> list[Placed]:
        """The conditions of `wait_for`, in the order of the file."""
        if node is None:
            return []
        if not isinstance(node, ListNode):
            self._wrong(node, "a list of conditions", "- file: data/drop.csv")
            return []
        return [placed for item in node.items for placed in self._single(item, "wait_for")]

    def _extract(self, node: Node | None) -> None:
        for name, key, options in self._named(node, "extract", "sources"):
            self.verbs.sources[name] = key
            self.verbs.extract[name] = self._typed(options, "extract")

    def _transform(self, node: Node | None) -> None:
        if isinstance(node, ListNode):
            self.verbs.datasets[RESULT] = node.holder
            self._steps_with_origin(node)
        elif isinstance(node, MapNode):
            for name, key, options in self._named(node, "transform", "datasets"):
                self.verbs.datasets[name] = key
                self._dataset(name, options)
        elif node is not None:
            self._wrong(node, "a list of steps, or a mapping of datasets,")
        elif len(self.verbs.sources) == 1:
            name, key = next(iter(self.verbs.sources.items()))
            self.verbs.datasets[RESULT], self.verbs.transform[RESULT] = key, []
            self.verbs.origins[RESULT] = ScalarNode(key.source, key.line, key.column, text=name)
            self.verbs.implied = True

    def _steps_with_origin(self, node: ListNode) -> None:
        first = node.items[0] if node.items else None
        origin = first.get("from") if isinstance(first, MapNode) and len(first.entries) == 1 else None
        if origin is None:
            self.problems.add(first or node.holder, "missing-key", "the first step must say `from:`", "- from: flights")
        elif isinstance(origin, ScalarNode):
            self.verbs.origins[RESULT] = origin
        else:
            self._wrong(origin, "the name of a source")
        steps = node.items[1:] if origin is not None else node.items
        self.verbs.transform[RESULT] = [placed for item in steps for placed in self._single(item, "transform")]

    def _dataset(self, name: str, node: Node) -> None:
        if not isinstance(node, MapNode):
            self._wrong(node, "a mapping with `from` and `steps`")
            return
        self._only(node, ("from", "steps"))
        origin, steps = node.get("from"), node.get("steps")
        if origin is None:
            hint = "name a source or an earlier dataset"
            self.problems.add(node.holder, "missing-key", "key 'from' is missing", hint)
        elif isinstance(origin, ScalarNode):
            self.verbs.origins[name] = origin
        else:
            self._wrong(origin, "the name of a source or of a dataset")
        if steps is not None and not isinstance(steps, ListNode):
            self._wrong(steps, "a list of steps")
        items = steps.items if isinstance(steps, ListNode) else []
        self.verbs.transform[name] = [placed for item in items for placed in self._single(item, "transform")]

    def _check(self, node: Node | None) -> None:
        if isinstance(node, ListNode):
            if len(self.verbs.datasets) > 1:
                names = ", ".join(self.verbs.datasets)
                self.problems.add(
                    node.holder, "wrong-type", f"a list of checks, but there are the datasets {names}", "name → checks"
                )
            name = next(iter(self.verbs.datasets), RESULT)
            self._checks(name, node)
        elif isinstance(node, MapNode):
            for name, entry in node.entries.items():
                self.verbs.checked[name] = entry.key
                if isinstance(entry.value, ListNode):
                    self._checks(name, entry.value)
                else:
                    self._wrong(entry.value, "a list of checks")
        elif node is not None:
            self._wrong(node, "a list of checks, or a mapping of datasets,")

    def _checks(self, name: str, node: ListNode) -> None:
        items = [check for item in node.items for check in self._suite(item)]
        self.verbs.check[name] = [placed for item in items for placed in self._single(item, "check")]

    def _suite(self, node: Node) -> list[Node]:
        """The checks that a suite stands for; a check stands for itself."""
        if not isinstance(node, MapNode) or list(node.entries) != [suites.KEY]:
            return [node]
        return self.suites.checks(node.entries[suites.KEY].value) if self.suites is not None else []

    def _load(self, node: Node | None) -> None:
        for name, _key, options in self._named(node, "load", "destinations"):
            dataset = options.get("from") if isinstance(options, MapNode) else None
            if isinstance(dataset, ScalarNode):
                self.verbs.targets[name] = dataset
            elif dataset is not None:
                self._wrong(dataset, "the name of a dataset")
            rest = options.without("from") if isinstance(options, MapNode) else options
            self.verbs.load[name] = self._typed(rest, "load")

    # -- what the four are made of --------------------------------------------------------------------------------

    def _named(self, node: Node | None, group: str, what: str) -> Iterator[tuple[str, ScalarNode, Node]]:
        if node is None:
            return
        if not isinstance(node, MapNode):
            self._wrong(node, f"a mapping of {what}")
            return
        if not node.entries:
            self.problems.add(node.holder, "missing-key", f"{group} names no {what}", "give at least one")
        for name, entry in node.entries.items():
            if not _NAME.fullmatch(name):
                self.problems.add(entry.key, "invalid-name", f"{shown(name)} is no name", _NAMES)
            elif name.lower() in _RESERVED:
                self.problems.add(
                    entry.key, "invalid-name", f"{name!r} is what the sql step calls the incoming rows", "another name"
                )
            yield name, entry.key, entry.value

    def _typed(self, node: Node, group: str) -> Placed:
        """A kind that its options name by `type`."""
        if not isinstance(node, MapNode):
            self._wrong(node, "a mapping with `type`")
            return Placed(group=group, name="", kind=FAILED, node=node)
        name = node.get("type")
        if not isinstance(name, ScalarNode):
            if name is None:
                known = nearest("", REGISTRIES[group])
                self.problems.add(node.holder, "missing-key", "key 'type' is missing", known)
            else:
                self._wrong(name, "the name of a kind")
            return Placed(group=group, name="", kind=FAILED, node=node)
        kind = self._find(name, name.text, group)
        read = FAILED if kind is None else shape.build(kind, node.without("type"), self.reading)
        return Placed(group=group, name=name.text, kind=read, node=node)

    def _single(self, node: Node, group: str) -> Iterator[Placed]:
        """A kind that is the only key of its mapping; nothing where it isn't one."""
        if not isinstance(node, MapNode):
            hint = f"write {node.text}: {{}}" if isinstance(node, ScalarNode) and node.text else ""
            self._wrong(node, "a mapping with one key", hint)
            return
        if len(node.entries) != 1:
            keys = ", ".join(node.entries) or "none"
            hint = "begin each with a dash of its own, and indent its options"
            self.problems.add(node, "one-key", f"one key is wanted here, found {keys}", hint)
        for name, entry in node.entries.items():
            if name == "from" and group == "transform":
                self.problems.add(entry.key, "unknown-key", "`from` belongs at the beginning", "make it the first step")
                continue
            if group == "check" and expectations.is_expectation(name):
                yield from self._expectation(name, entry)
                continue
            kind = self._find(entry.key, name, group)
            read = FAILED if kind is None else shape.build(kind, entry.value, self.reading)
            yield Placed(group=group, name=name, kind=read, node=entry.value)

    def _expectation(self, name: str, entry: Entry) -> Iterator[Placed]:
        """A check by Great Expectations' name for it."""
        found = expectations.native(name, entry.key, entry.value, self.problems)
        kind = None if found is None else self._find(entry.key, found.kind, "check")
        if found is None or found.node is None or kind is None:
            yield Placed(group="check", name=name, kind=FAILED, node=entry.value)
        else:
            read = shape.build(kind, found.node, self.reading)
            yield Placed(
                group="check", name=found.kind, kind=read, node=found.node, called=found.called, meta=found.meta
            )

    def _find(self, node: ScalarNode, name: str, group: str) -> type[Any] | None:
        try:
            return kinds.find(REGISTRIES[group], name, group)
        except ConfigError:
            words = {"extract": "source", "transform": "step", "load": "destination", "wait_for": "condition"}
            message = f"unknown {words.get(group, group)} {shown(name)}"
            near = expectations.nearest_expectation(name) if name.startswith("expect") and group == "check" else ""
            more = [suites.KEY] if group == "check" else []
            self.problems.add(node, "unknown-kind", message, near or nearest(name, [*REGISTRIES[group], *more]))
        except Exception as error:  # noqa: BLE001 - a third party's module may fail in any way; it is told here
            message = f"{name!r} can't be imported: {type(error).__name__}: {error}"
            self.problems.add(node, "kind-broken", message, "mend its installation")
        return None

    def _only(self, node: MapNode, keys: tuple[str, ...]) -> None:
        for key, entry in node.entries.items():
            if key not in keys:
                self.problems.add(entry.key, "unknown-key", f"unknown key {shown(key)}", nearest(key, keys))

    def _wrong(self, node: Node, wanted: str, hint: str = "") -> None:
        self.problems.add(node, "wrong-type", f"{described(node)} stands where {wanted} is wanted", hint)


def datasets_of(verbs: Verbs) -> dict[str, Dataset]:
    """The datasets as the plan has them."""
    return {
        name: Dataset(
            source=verbs.origins[name].text, steps=tuple((placed.name, placed.kind) for placed in verbs.transform[name])
        )
        for name in verbs.datasets
    }
