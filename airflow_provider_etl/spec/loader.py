"""A file, or a mapping of the same shape, -> a Pipeline and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.spec import (
    asking,
    breaking,
    dag_names,
    earlier,
    identity,
    ignores,
    lookback,
    rules,
    s3,
    secrets,
    settling,
    shape,
    strategies,
    tables,
    waits,
)
from airflow_provider_etl.spec.defaults import fitting
from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.environment import Environment, load_environment
from airflow_provider_etl.spec.extends import extended, over
from airflow_provider_etl.spec.language import PipelineFile
from airflow_provider_etl.spec.loaded import Loaded
from airflow_provider_etl.spec.making import Settled, made
from airflow_provider_etl.spec.mappings import from_mapping
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, described, is_true
from airflow_provider_etl.spec.params import defaults_of
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_file
from airflow_provider_etl.spec.reading import FAILED, Reading
from airflow_provider_etl.spec.settings import Settings
from airflow_provider_etl.spec.suites import Suites
from airflow_provider_etl.spec.variables import Substitution
from airflow_provider_etl.spec.verbs import Placed, VerbReader, Verbs
from airflow_provider_etl.spec.waiting import Awaited
from spark_jobs.errors import ConfigError
from spark_jobs.outline import Outline

if TYPE_CHECKING:
    from airflow_provider_etl.spec.contracts.across import Read, Written
    from airflow_provider_etl.spec.contracts.using import Contracts


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
    problems, name, node = Problems(), file.name.removesuffix(file.suffix), None
    try:
        node = read_file(str(path), problems)
        opened = _Opened(name=name, file=file.absolute(), base=file.absolute().parent, problems=problems)
        return _load(opened, str(path), node, environment, expressions=expressions)
    except Exception as error:  # noqa: BLE001 - a kind's or our own mistake must not take the other files with it
        return _fallen(name, str(path), node, problems, error)


def _fallen(name: str, path: str, node: Node | None, problems: Problems, error: Exception) -> Loaded:
    """A file over which the reader fell: what was found before, and that."""
    message = f"the file can't be read to its end: {type(error).__name__}: {error}"
    hint = "mend what else is told of it; if nothing is, it is a fault of this package or of a kind: report it"
    problems.put(Diagnostic(path=path, line=1, column=1, code="reader-failed", message=message, hint=hint))
    told = secrets.hidden(problems.sorted(), node)
    text = node.source.text if node is not None else ""
    return Loaded(name=name, path=path, pipeline=None, diagnostics=told, text=text)


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
    awaited: list[Awaited] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    suites: list[Suites | None] = field(default_factory=list)


def _load(opened: _Opened, path: str, node: Node | None, asked: str | None, *, expressions: bool) -> Loaded:
    problems, pipeline = opened.problems, None
    if node is not None and not isinstance(node, MapNode):
        message = f"{described(node)} stands where the keys of a pipeline are wanted"
        problems.add(node, "not-a-mapping", message, "begin with extract:, transform:, check:, load:")
    if isinstance(node, MapNode):
        dag_names.check(opened.name, Node(node.source), problems)
        pipeline = _pipeline(opened, node, asked, expressions=expressions)
    ignored = ignores.ignores_of(node.source) if node is not None and expressions else ()
    found = secrets.hidden(_of_expectations(opened, problems), node)
    kept = ignores.kept(found, ignored)
    return Loaded(
        name=opened.name,
        path=path,
        pipeline=None if problems.failed else pipeline,
        awaited=tuple(opened.awaited),
        read=tuple(opened.read),
        written=tuple(opened.written),
        diagnostics=kept,
        ignored=ignored,
        spared=tuple(sorted(set(found) - set(kept))),
        node=node if isinstance(node, MapNode) else None,
        text=node.source.text if node is not None else "",
    )


def _of_expectations(opened: _Opened, problems: Problems) -> tuple[Diagnostic, ...]:
    """The problems, those of a suite's file with the names of its expectations."""
    suites = next((item for item in opened.suites if item is not None), None)
    return problems.sorted() if suites is None else tuple(sorted(map(suites.named, problems.sorted())))


def _places(
    verbs: Verbs, environment: Environment | None, read: Any, given: Mapping[str, Any], problems: Problems
) -> None:
    tables.check(verbs, environment, given, problems)
    engine = None if environment is None or read is FAILED else environment.engines.get(read.engine)
    s3.check(verbs, engine, given, problems)


def _pipeline(opened: _Opened, node: MapNode, asked: str | None, *, expressions: bool) -> Pipeline | None:
    problems = opened.problems
    environment, defaults = _environment(opened, asked, Node(node.source), expressions=expressions)
    whole = extended(node, opened.base, environment.project if environment else opened.base, problems)
    if isinstance(defaults, MapNode):
        whole = over(whole, defaults)
    substitution = Substitution(
        problems=problems,
        pipeline=identity.of(node, opened.name),
        variables=environment.variables if environment else None,
        params=_names(whole.get("params")),
    )
    reading = Reading(problems=problems, substitute=substitution)
    identity.refuse_default(defaults, problems)
    opened.suites.append(_suites(opened, environment, reading))
    verbs, contracts = _verbs(whole, environment, reading, opened.suites[0], notes=expressions)
    whole = fitting(whole, defaults, verbs)
    read = shape.build(PipelineFile, whole, reading)
    given = {} if read is FAILED else defaults_of(read.params)
    rules.check(verbs, environment, given, problems)
    _places(verbs, environment, read, given, problems)
    conditions = VerbReader(reading=reading).waits(whole.get("wait_for"))
    waiting = waits.read(conditions, opened.name, environment, given, problems)
    opened.awaited.extend(waits.awaited(waiting))
    ordered = is_true(whole.get("depends_on_previous"))
    strategies.check(verbs, problems, ordered=ordered)
    asking.check(verbs, whole.get("execution"), problems)
    earlier.check(verbs, problems, ordered=ordered)
    breaking.check(verbs, environment, problems, ordered=ordered, schedule=whole.get("schedule"))
    lookback.check(whole.get("lookback"), verbs, problems)
    settling.check(verbs, problems)
    outlines = _followed(whole, verbs, problems) if expressions else {}
    settings = Settings(whole, problems)
    settings.tags()
    timezone = settings.timezone()
    schedule = settings.schedule(read)
    settings.unused(substitution.used)
    settings.rounded(substitution.pasted)
    if read is FAILED:
        return None
    settings.together(read)
    for key in ("skip_if", "data_docs"):
        kind = getattr(read, key)
        if environment is not None and kind is not None:
            placed = Placed(group=key, name=key, kind=kind, node=whole.get(key) or whole)
            rules.check_paths(placed, environment, given, problems)
    start, end = settings.span(read, timezone, schedule)
    engine = settings.engine(read, environment)
    if problems.failed or environment is None or engine is None or schedule is None:
        return None
    wait_for = tuple(wait for wait, _ in waiting)
    settled = Settled(
        environment=environment, engine=engine, schedule=schedule, start=start, end=end, wait_for=wait_for
    )
    pipeline = made(opened.name, opened.file, read, verbs, settled)
    if expressions:
        from airflow_provider_etl.spec import uses
        from airflow_provider_etl.spec.timing import Timed

        uses.check(pipeline, whole, verbs, problems)
        Timed(pipeline=pipeline, node=whole, verbs=verbs, outlines=outlines, problems=problems).check()
        _share(opened, pipeline, contracts, outlines)
    return pipeline


def _followed(whole: MapNode, verbs: Verbs, problems: Problems) -> Mapping[str, Outline]:
    """What a DAG processor has no time for: expressions, and the columns of each source and dataset."""
    from airflow_provider_etl.spec import columns, gate, sql

    deterministic = _says_true(whole.get("deterministic"))
    gate.check(verbs, problems)
    sql.check(verbs, problems, deterministic=deterministic)
    secrets.check(whole, problems)
    outlines = columns.check(verbs, problems, deterministic=deterministic)
    if "lookback" in whole.entries:
        lookback.check_columns(verbs, outlines, problems)
    return outlines


def _suites(opened: _Opened, environment: Environment | None, reading: Reading) -> Suites | None:
    """What reads the suites that checks name; None where the environment isn't known."""
    if environment is None:
        return None
    return Suites(base=opened.base, project=environment.project, roots=environment.roots, reading=reading)


def _verbs(
    whole: MapNode, environment: Environment | None, reading: Reading, suites: Suites | None, *, notes: bool
) -> tuple[Verbs, Contracts | None]:
    """The verbs, and the contracts that they name; None where they name none: what reads those isn't imported then."""
    nodes = {key: whole.get(key) for key in ("extract", "transform", "check", "load")}
    contracts = None
    if any(_names_contract(nodes[key]) for key in ("extract", "load")):
        from airflow_provider_etl.spec.contracts.opening import Opener
        from airflow_provider_etl.spec.contracts.using import Contracts

        opener = None
        if environment is not None:
            opener = Opener(project=environment.project, roots=environment.roots, reading=reading, notes=notes)
        contracts = Contracts(opener=opener, problems=reading.problems)
        nodes = contracts.rewritten(nodes)
    verbs, zone = VerbReader(reading=reading, suites=suites).read(nodes), whole.get("timezone")
    if contracts is not None:
        contracts.add_rules(verbs, zone.text if isinstance(zone, ScalarNode) else "UTC", notes=notes)
    return verbs, contracts


def _names_contract(node: Node | None) -> bool:
    kinds = [entry.value for entry in node.entries.values()] if isinstance(node, MapNode) else []
    return any(isinstance(item, MapNode) and "contract" in item.entries for item in kinds)


def _share(opened: _Opened, pipeline: Pipeline, contracts: Contracts | None, outlines: Mapping[str, Outline]) -> None:
    """Note what other files may want to know of this one's tables."""
    from airflow_provider_etl.spec.columns import scope_of
    from airflow_provider_etl.spec.contracts import across

    kept = contracts.kept if contracts is not None else []
    opened.read.extend(across.read_by(pipeline, kept))
    opened.written.extend(across.written_by(pipeline, kept, outlines, scope_of(dict(outlines))))


def _environment(
    opened: _Opened, asked: str | None, top: Node, *, expressions: bool
) -> tuple[Environment | None, Node | None]:
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
    if expressions and found.node is not None:
        secrets.check(found.node, opened.problems, apart=True)
    return found.environment, found.defaults


def _names(node: Node | None) -> frozenset[str]:
    return frozenset(node.entries) if isinstance(node, MapNode) else frozenset()


def _says_true(node: Node | None) -> bool:
    return not (isinstance(node, ScalarNode) and node.text == "false")
