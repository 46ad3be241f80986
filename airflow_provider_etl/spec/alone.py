"""A source and its checks with no pipeline around them -> a Pipeline that reads and checks, and loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec import rules, s3, secrets, settling
from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.environment import Environment, load_environment
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import PipelineFile
from airflow_provider_etl.spec.loaded import Loaded
from airflow_provider_etl.spec.making import Settled, made
from airflow_provider_etl.spec.mappings import from_mapping
from airflow_provider_etl.spec.nodes import Entry, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED, Reading
from airflow_provider_etl.spec.schedule import Manual
from airflow_provider_etl.spec.settings import Settings
from airflow_provider_etl.spec.suites import Suites
from airflow_provider_etl.spec.variables import Substitution, names_window_in
from airflow_provider_etl.spec.verbs import RESULT, Placed, VerbReader, Verbs
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import consumes

SOURCE: Final = "source"
_TAKEN: Final = (SOURCE, RESULT)
_ASIDE: Final = "rows are set aside only where others are loaded, and here nothing is"
_EARLIER: Final = "it is compared with earlier loads, and here nothing is loaded"
_BOUNDS: Final = "give bounds (min, max), or check it in a pipeline with a load"
_INSTEAD: Final = {
    "ask": "say on_fail: stop or warn, or check it in a pipeline with a load: that waits for the answer",
    "on_fail": "say on_fail: stop or warn, or check it in a pipeline with a load",
    "bad_records": "say bad_records: fail, which is the default here, or read it in a pipeline with a load",
    "new_columns": "say new_columns: evolve, freeze or discard, or read it in a pipeline with a load",
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a table.

    Args:
        source: `{kind: options}`, as under `extract` without `type`.
        checks: as under `check`.
        datasets: name -> `{kind: options}`, for the checks that look at other data too.
        window: whether a window will be there for sources that name one.
        timezone: IANA name of the zone in which windows are cut.
        engine: a name from the environment file; None: its default.
    """

    source: Mapping[str, Any]
    checks: Sequence[Any]
    datasets: Mapping[str, Any] = field(default_factory=dict)
    window: bool = False
    timezone: str = "UTC"
    engine: str | None = None


def load_question(question: Question, *, name: str, key: str, environment: str | None, base: Path) -> Loaded:
    """Read a question by the rules of pipeline files.

    Args:
        question: what is asked.
        name: what it is called in errors, logs and reports.
        key: what its staging is known by; no pipeline has it.
        environment: a name, a path to a file, or None for the configured one.
        base: the folder from which the environment is searched upwards, and paths of suites start.

    Returns:
        The pipeline, or None and why, all of it; the key paths are those of the operator's arguments.
    """
    problems = Problems()
    node = from_mapping(_mapping(question), name, problems)
    found, default = _environment(environment, base, node, problems)
    pipeline = suites = None
    if isinstance(node, MapNode):
        reading = Reading(
            problems=problems,
            substitute=Substitution(problems=problems, pipeline=name, variables=found.variables if found else None),
        )
        if found is not None:
            suites = Suites(base=base, project=found.project, roots=found.roots, reading=reading)
        _refuse_datasets(node.get("datasets"), problems)
        verbs = VerbReader(reading=reading, suites=suites).alone(_sources(node), node.get("checks"))
        if not verbs.check.get(RESULT) and not problems.failed:
            problems.add(node.entries["checks"].key, "missing-key", "there are no checks", "give at least one check")
        engine = question.engine or default or "local"
        read = PipelineFile(
            id=key, schedule="manual", timezone=question.timezone, engine=engine, extract=node, load=node
        )
        pipeline = _Answerable(node, verbs, problems, windowed=question.window).pipeline(name, read, found)
    diagnostics = problems.sorted() if suites is None else tuple(sorted(map(suites.named, problems.sorted())))
    told = secrets.hidden(diagnostics, node)
    return Loaded(name=name, path=name, pipeline=None if problems.failed else pipeline, diagnostics=told)


def _mapping(question: Question) -> dict[str, Any]:
    told: dict[str, Any] = {"source": question.source, "checks": question.checks, "timezone": question.timezone}
    told |= {"engine": question.engine} if question.engine else {}
    return told | ({"datasets": question.datasets} if question.datasets else {})


def _sources(node: MapNode) -> dict[str, Entry]:
    others = node.get("datasets")
    named = others.entries if isinstance(others, MapNode) else {}
    return {SOURCE: node.entries["source"], **{name: named[name] for name in named if name not in _TAKEN}}


def _refuse_datasets(node: Node | None, problems: Problems) -> None:
    """Report datasets that are no mapping, and those whose names what is checked has."""
    if node is not None and not isinstance(node, MapNode):
        message = f"{described(node)} stands where a mapping of datasets is wanted"
        problems.add(node, "wrong-type", message, "name -> {kind: options}")
    named = node.entries if isinstance(node, MapNode) else {}
    for name in _TAKEN:
        if name in named:
            message = f"{name!r} is what is checked, and no name for other data"
            problems.add(named[name].key, "option-conflict", message, "choose another name")


def _environment(
    asked: str | None, base: Path, node: Node, problems: Problems
) -> tuple[Environment | None, str | None]:
    """The environment, and the engine that it has for those who name none."""
    top = Node(node.source)
    try:
        found = load_environment(asked, base)
    except ConfigError as error:
        problems.add(top, "option-invalid", f"{error.where}: {error.what}", f"expected {error.expected}")
        return None, None
    if isinstance(found, str):
        hint = "write one with variables, roots and engines, or choose another with environment="
        problems.add(top, "environment-missing", found, hint)
        return None, None
    for diagnostic in found.diagnostics:
        problems.put(diagnostic)
    default = found.defaults.get("engine") if isinstance(found.defaults, MapNode) else None
    return found.environment, default.text if isinstance(default, ScalarNode) else None


class _Answerable:
    """Verbs that have been read, on their way to a pipeline."""

    def __init__(self, node: MapNode, verbs: Verbs, problems: Problems, *, windowed: bool) -> None:
        self.node, self.verbs, self.problems, self.windowed = node, verbs, problems, windowed

    def pipeline(self, name: str, read: PipelineFile, environment: Environment | None) -> Pipeline | None:
        """The pipeline; None where something is wrong, which has been told."""
        for source, placed in self.verbs.extract.items():
            self.verbs.extract[source] = self._as_asked(source, placed)
        for checks in self.verbs.check.values():
            for placed in checks:
                self._refuse_aside(placed, "on_fail")
                if placed.kind is not FAILED and getattr(placed.kind, "looks_back", False):
                    node = option_node(type(placed.kind), placed.node, "last") or placed.node
                    self.problems.add(node, "option-conflict", _EARLIER, _BOUNDS)
                if getattr(placed.kind, "on_fail", None) == "ask":
                    node = option_node(type(placed.kind), placed.node, "on_fail") or placed.node
                    self.problems.add(node, "option-conflict", "on_fail is ask: here no load waits", _INSTEAD["ask"])
        rules.check(self.verbs, environment, {}, self.problems)
        settling.check(self.verbs, self.problems)
        settings = Settings(self.node, self.problems)
        settings.timezone()
        engine = settings.engine(read, environment)
        s3.check(self.verbs, engine, {}, self.problems)
        if self.problems.failed or environment is None or engine is None:
            return None
        settled = Settled(environment=environment, engine=engine, schedule=Manual(), start=None, end=None, wait_for=())
        whole = made(name, None, read, self.verbs, settled)
        # What was read is what is checked: no dataset is made of it.
        return replace(whole, transform=FrozenMap({}), check=FrozenMap({SOURCE: whole.check.get(RESULT, ())}))

    def _as_asked(self, name: str, placed: Placed) -> Placed:
        """A source that sets nothing aside, and that reads all it has where no window is named."""
        kind = placed.kind
        if kind is FAILED:
            return placed
        if consumes(kind):
            message, hint = (
                "it gives what no load has read before, and here nothing is loaded",
                "check the table itself",
            )
            self.problems.add(self.verbs.sources[name], "option-conflict", message, hint)
        changed: dict[str, Any] = {}
        if self._refuse_aside(placed, "bad_records"):
            changed["bad_records"] = "fail"
        if getattr(kind, "mostly", 0):
            node = option_node(type(kind), placed.node, "mostly") or self.verbs.sources[name]
            self.problems.add(node, "option-conflict", f"mostly is {kind.mostly:g}: {_ASIDE}", _INSTEAD["bad_records"])
            changed["mostly"] = 0.0
        self._refuse_aside(placed, "new_columns")
        named = names_window_in(kind)
        if hasattr(kind, "window") and kind.window is None and not named:
            changed["window"] = "all"
        elif (named or getattr(kind, "window", "all") not in ("all", None)) and not self.windowed:
            message, hint = (
                "it reads a window, and the check has none",
                'give window="START/END", which may be a template',
            )
            self.problems.add(self.verbs.sources[name], "window-missing", message, hint)
        return replace(placed, kind=replace(kind, **changed)) if changed else placed

    def _refuse_aside(self, placed: Placed, key: str) -> bool:
        """Whether an option would set rows aside; told where somebody has said so, since a default wasn't."""
        if placed.kind is FAILED or getattr(placed.kind, key, None) != "quarantine":
            return False
        node = option_node(type(placed.kind), placed.node, key)
        if node is not None:
            self.problems.add(node, "option-conflict", f"{key} is quarantine: {_ASIDE}", _INSTEAD[key])
        return True
