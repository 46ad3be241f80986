"""Rules that no single key can keep: who reads what, which rows belong to a window, where files may lie."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import repeat
from typing import Any, Final

from airflow_provider_etl.spec import catalogs, python_steps
from airflow_provider_etl.spec.class_plan import option_node, plan_of
from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.nodes import ListNode, Node, ScalarNode, scalars
from airflow_provider_etl.spec.paths import absolute, expands_upwards, under
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.schedule import zone_problem
from airflow_provider_etl.spec.variables import names_window, text_with_window
from airflow_provider_etl.spec.verbs import RESULT, Placed, Verbs
from spark_jobs.kinds import consumes, reads_datasets
from spark_jobs.window import Window

SAMPLE: Final = Window(start=datetime(2013, 1, 1, tzinfo=UTC), end=datetime(2013, 1, 2, tzinfo=UTC))


def check(verbs: Verbs, environment: Environment | None, params: Mapping[str, Any], problems: Problems) -> None:
    """All rules.

    Args:
        verbs: what was read.
        environment: where it runs; None where that isn't known.
        params: values of parameters that stand in paths.
        problems: where problems go.
    """
    _names(verbs, problems)
    _origins(verbs, problems)
    _references(verbs, problems)
    _targets(verbs, problems)
    _set_aside(verbs, problems)
    _unused(verbs, problems)
    _windows(verbs, problems)
    _zones(verbs, problems)
    _conflicts(verbs, problems)
    if environment is not None:  # else an option that means nothing has been told
        python_steps.check(verbs, problems)
        catalogs.check_named(verbs, environment, problems)
        for placed in verbs.placed():
            check_paths(placed, environment, params, problems)


# -- the graph ---------------------------------------------------------------------------------------------------


def _names(verbs: Verbs, problems: Problems) -> None:
    seen: dict[str, str] = {}
    datasets = {} if verbs.implied else verbs.datasets
    for name, node in [*verbs.sources.items(), *datasets.items()]:
        other = seen.setdefault(name.lower(), name)
        if other is not name:
            what = "the dataset of a list of steps is called `result`" if name == RESULT else "case makes no difference"
            message = f"{name!r} clashes with the source or dataset {other!r}: {what}"
            problems.add(node, "name-clash", message, "choose another name")

    loads: dict[str, str] = {}
    for name, placed in verbs.load.items():
        other = loads.setdefault(name.lower(), name)
        if other is not name:
            message = f"load {name!r} clashes with {other!r}: case makes no difference"
            problems.add(placed.node.holder, "name-clash", message, "choose another name")


def _origins(verbs: Verbs, problems: Problems) -> None:
    earlier: list[str] = list(verbs.sources)
    for name in verbs.datasets:
        origin = verbs.origins.get(name)
        if origin is not None and origin.text not in earlier:
            _tell_origin(name, origin, earlier, verbs, problems)
        earlier.append(name)


def _tell_origin(name: str, origin: ScalarNode, earlier: list[str], verbs: Verbs, problems: Problems) -> None:
    cycle = _cycle(name, verbs)
    if cycle:
        problems.add(origin, "dataset-cycle", f"datasets read each other in a circle: {' <- '.join(cycle)}")
    elif origin.text in verbs.datasets:
        message = f"dataset {origin.text!r} is defined further down"
        problems.add(origin, "unknown-dataset", message, f"move it above {name!r}")
    else:
        message = f"{shown(origin.text)} is no source and no dataset"
        problems.add(origin, "unknown-dataset", message, nearest(origin.text, earlier))


def _cycle(name: str, verbs: Verbs) -> list[str]:
    seen = [name]
    while (origin := verbs.origins.get(seen[-1])) is not None:
        seen.append(origin.text)
        if origin.text == name:
            return seen
        if seen.count(origin.text) > 1 or origin.text not in verbs.datasets:
            return []
    return []


def named_datasets(placed: Placed) -> Iterator[tuple[str, Node]]:
    """The datasets that a kind's options name, each with its place."""
    if placed.kind is FAILED:
        return
    kind: Any = type(placed.kind)
    for key, name in _dataset_options(kind):
        value, node = getattr(placed.kind, name), option_node(kind, placed.node, key) or placed.node
        if isinstance(value, str):
            yield value, node
        elif value:
            yield from zip(value, node.items if isinstance(node, ListNode) else repeat(node), strict=False)


@functools.cache
def _dataset_options(kind: Any) -> tuple[tuple[str, str], ...]:
    """(key in the file, field) of the options that name a dataset."""
    return tuple((key, field.name) for key, field in plan_of(kind).fields.items() if field.metadata.get("dataset"))


def _references(verbs: Verbs, problems: Problems) -> None:
    earlier = list(verbs.sources)
    for name in verbs.datasets:
        for placed in verbs.transform.get(name, []):
            _known(placed, name, earlier, problems)
        earlier.append(name)
    for name, node in verbs.checked.items():
        if name not in verbs.datasets:
            message = f"{shown(name)} is no dataset of transform"
            problems.add(node, "unknown-dataset", message, nearest(name, verbs.datasets))
    for name, checks in verbs.check.items():
        for placed in checks:
            _known(placed, name, [*verbs.sources, *verbs.datasets], problems)
            _another(placed, name, problems)


def _known(placed: Placed, dataset: str, valid: list[str], problems: Problems) -> None:
    for named, node in named_datasets(placed):
        if named not in valid:
            hint = nearest(named, [name for name in valid if name != dataset])
            problems.add(node, "unknown-dataset", f"{shown(named)} is no source and no earlier dataset", hint)


def _another(placed: Placed, dataset: str, problems: Problems) -> None:
    """Report a check that holds its dataset against the very same."""
    if placed.kind is FAILED:
        return
    kind: Any = type(placed.kind)
    for key, field in plan_of(kind).fields.items():
        if field.metadata.get("another") and getattr(placed.kind, field.name) == dataset:
            node = option_node(kind, placed.node, key) or placed.node
            problems.add(node, "option-conflict", f"{key}: {dataset!r} is the checked dataset itself", "name another")


def _targets(verbs: Verbs, problems: Problems) -> None:
    for name, placed in verbs.load.items():
        target = verbs.targets.get(name)
        if target is not None and target.text not in verbs.datasets:
            message = f"{shown(target.text)} is no dataset of transform"
            problems.add(target, "unknown-dataset", message, nearest(target.text, verbs.datasets))
        if target is None and target_of(name, verbs) is None and verbs.datasets:
            hint = f"name one of {', '.join(verbs.datasets)}"
            problems.add(placed.node.holder, "missing-key", "key 'from' is missing", hint)


def _set_aside(verbs: Verbs, problems: Problems) -> None:
    """Report checks that set rows aside of a dataset that no load takes: what starts from it loads them anyway."""
    loaded = {target_of(name, verbs) for name in verbs.load}
    for name, checks in verbs.check.items():
        for placed in checks if name in verbs.datasets and name not in loaded and verbs.load else ():
            if getattr(placed.kind, "on_fail", None) == "quarantine":
                message = f"no load takes {name!r}: rows can be set aside only of what is loaded"
                hint = f"check {' or '.join(sorted(filter(None, loaded)))}, set them aside by a step, or warn or stop"
                problems.add(placed.node, "quarantine-unloaded", message, hint)


def target_of(name: str, verbs: Verbs) -> str | None:
    """The dataset of a load: the one that it names, else `result`, else the only one."""
    if name in verbs.targets:
        return verbs.targets[name].text
    if RESULT in verbs.datasets:
        return RESULT
    return next(iter(verbs.datasets)) if len(verbs.datasets) == 1 else None


def read_by(placed: Placed, verbs: Verbs) -> list[str]:
    """What a step or check reads beside its own rows; of a query, the sources and datasets whose names stand in it."""
    named = {name for name, _ in named_datasets(placed)}
    words = set(re.findall(r"\w+", " ".join(_queries(placed))))
    return [name for name in (*verbs.sources, *verbs.datasets) if name in named or name in words]


def _unused(verbs: Verbs, problems: Problems) -> None:
    if any(placed.kind is FAILED for placed in verbs.placed()) or problems.tells("unknown-dataset", "dataset-cycle"):
        return  # who reads what isn't known yet
    used = {origin.text for origin in verbs.origins.values()} | {target_of(name, verbs) for name in verbs.load}
    used |= set(verbs.checked)
    for placed in verbs.placed():
        used |= set(read_by(placed, verbs))
    for name, node in [*verbs.sources.items(), *verbs.datasets.items()]:
        if name not in used and verbs.load:
            message = f"{name!r} is read by no dataset, no check and no load"
            problems.add(node, "unused-dataset", message, "use it, or take it out", severity="warning")


def _queries(placed: Placed) -> Iterator[str]:
    if placed.kind is not FAILED:
        kind: Any = type(placed.kind)
        for name in _query_options(kind):
            yield str(getattr(placed.kind, name))


@functools.cache
def _query_options(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.metadata.get("query"))


def _conflicts(verbs: Verbs, problems: Problems) -> None:
    """Options that are each right and can't go together: the kinds know theirs."""
    for placed in verbs.placed():
        conflicts = getattr(placed.kind, "conflicts", None)
        for option, why in conflicts().items() if conflicts is not None else ():
            key = next(
                (key for key, field in plan_of(type(placed.kind)).fields.items() if field.name == option), option
            )
            node = option_node(type(placed.kind), placed.node, key) or placed.node.holder
            problems.add(node, "option-conflict", _in_its_words(f"{key}: {why}", placed.called))


def _in_its_words(text: str, called: Mapping[str, str]) -> str:
    """A complaint with the names that the file has for options: Great Expectations calls `min` `min_value`."""
    key, _, why = text.partition(": ")
    for option in ("min", "max"):  # the others are words of every day, too
        why = re.sub(rf"\b{option}\b", called.get(option, option), why)
    return f"{called.get(key, key)}: {why}"


# -- windows -----------------------------------------------------------------------------------------------------


def _windows(verbs: Verbs, problems: Problems) -> None:
    for name, placed in verbs.extract.items():
        if placed.kind is FAILED or getattr(placed.kind, "window", None) is not None or _says_itself(placed.kind):
            continue
        if not any(names_window(node.text) for node in scalars(placed.node)):
            problems.add(
                verbs.sources[name],
                "window-missing",
                f"source {name!r} doesn't say which of its rows belong to a window",
                "name ${window…} in its path, or say `window: {column: …}`, or `window: all` for reference data",
            )


def _says_itself(kind: Any) -> bool:
    """Whether a source needs no `window`: those that it reads have theirs, or it gives what no window has read."""
    return reads_datasets(kind) or consumes(kind)


def _zones(verbs: Verbs, problems: Problems) -> None:
    for placed in verbs.extract.values():
        zone = getattr(placed.kind, "timezone", None)
        message, hint = zone_problem(zone) if isinstance(zone, str) else ("", "")
        if message:
            node = option_node(type(placed.kind), placed.node, "timezone") or placed.node
            problems.add(node, "unknown-timezone", message, hint)


# -- paths -------------------------------------------------------------------------------------------------------


def path_fields(kind: Any) -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    """The options of a kind that are paths of files or folders."""
    known: Any = type(kind)
    for key, field in _path_options(known):
        if isinstance(getattr(kind, field.name), str):
            yield key, field


@functools.cache
def _path_options(kind: Any) -> tuple[tuple[str, dataclasses.Field[Any]], ...]:
    fields = dataclasses.fields(kind)
    named = (field for field in fields if field.metadata.get("path", field.name == "path"))
    return tuple((field.metadata.get("alias", field.name), field) for field in named)


def check_paths(placed: Placed, environment: Environment, params: Mapping[str, Any], problems: Problems) -> None:
    """Tell which paths of a kind lie outside the roots."""
    if placed.kind is FAILED:
        return
    for key, field in path_fields(placed.kind):
        node = option_node(type(placed.kind), placed.node, key)
        path = text_with_window(getattr(placed.kind, field.name), SAMPLE, params)
        # What is left of ${…} is unknown, and told already.
        complaint = None if "${" in path else path_problem(path, environment)
        if complaint:
            problems.add(node or placed.node, "path-outside-roots", *complaint)


def path_problem(path: str, environment: Environment) -> tuple[str, str] | None:
    """Why a path may not be touched, and what to do; None where it may."""
    roots = ", ".join(environment.roots)
    if not path.strip():
        return "the path is empty", f"give one under {roots}"
    if expands_upwards(path):
        return f"{shown(path, 120)} has .. inside {{}}", "write each path out"
    if under(absolute(path, environment.project), environment.roots):
        return None
    return (
        f"{shown(path, 120)} leads to {absolute(path, environment.project)}, outside the roots",
        f"roots of environment {environment.name}: {roots}",
    )


def resolve_paths(kind: Any, environment: Environment) -> Any:
    """A kind whose paths are absolute.

    Raises:
        ValueError: a path that lies outside the roots now that everything in it is known.
    """
    changed: Mapping[str, Any] = {}
    for _, field in path_fields(kind):
        path = getattr(kind, field.name)
        complaint = path_problem(path, environment)
        if complaint:
            raise ValueError("; ".join(complaint))
        changed = {**changed, field.name: absolute(path, environment.project)}
    return dataclasses.replace(kind, **changed) if changed else kind
