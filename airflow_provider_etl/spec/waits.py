"""`wait_for`: rules that no single option can keep, and the conditions of a window."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.diagnostics import Diagnostic, nearest
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.nodes import Node
from airflow_provider_etl.spec.params import as_json
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.rules import path_fields, path_problem, resolve_paths
from airflow_provider_etl.spec.variables import text_with_window, with_window
from airflow_provider_etl.spec.verbs import Placed
from airflow_provider_etl.spec.waiting import Awaited, Wait
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec.loaded import Loaded
    from airflow_provider_etl.spec.pipeline import Pipeline

_SAMPLE: Final = Window(start=datetime(2013, 1, 1, tzinfo=UTC), end=datetime(2013, 1, 2, tzinfo=UTC))
Waiting = Sequence[tuple[Wait, Placed]]


def read(
    placed: Sequence[Placed],
    name: str,
    environment: Environment | None,
    params: Mapping[str, Any],
    problems: Problems,
) -> Waiting:
    """The conditions without errors, each with its place; what is wrong with the others is told.

    Args:
        placed: all of them, in the order of the file.
        name: the pipeline's.
        environment: None where it can't be read.
        params: values of parameters that stand in paths.
        problems: where problems go.
    """
    found: list[tuple[Wait, Placed]] = []
    for number, item in enumerate(placed, 1):
        if item.kind is FAILED:
            continue
        wait = Wait(name=item.kind.task or str(number), kind=item.name, condition=item.kind)
        _names(wait, item, [other for other, _ in found], problems)
        _times(item, problems)
        _self(item, name, problems)
        _texts(item, problems)
        if environment is not None:
            _places(item, environment, params, problems)
        found.append((wait, item))
    return found


def _names(wait: Wait, item: Placed, others: Iterable[Wait], problems: Problems) -> None:
    if any(other.name.lower() == wait.name.lower() for other in others):
        message = f"two conditions make task {wait.task!r}; case makes no difference"
        problems.add(_node(item, "task"), "name-clash", message, "choose another name")


def _times(item: Placed, problems: Problems) -> None:
    """Lengths of time that the wait can't live to see."""
    for key in ("every", "stable"):
        length = getattr(item.kind, key, None)
        if length is not None and length > item.kind.timeout:
            message = f"{key} is longer than timeout: it would be asked once"
            problems.add(_node(item, key), "wait-too-short", message, f"a longer timeout, or a shorter {key}")


def _self(item: Placed, name: str, problems: Problems) -> None:
    if item.name == "pipeline" and item.kind.name == name:
        hint = "for the window before, say depends_on_previous"
        problems.add(_node(item, "name"), "wait-cycle", f"{name} waits for itself, for ever", hint)


def _texts(item: Placed, problems: Problems) -> None:
    """Texts that a condition itself refuses (`refused`: option -> why)."""
    refused = getattr(item.kind, "refused", None)
    for key, (code, message, hint) in (refused() if callable(refused) else {}).items():
        problems.add(_node(item, key), code, message, hint)


def _places(item: Placed, environment: Environment, params: Mapping[str, Any], problems: Problems) -> None:
    for key, text in _rooted(item.kind):
        place = text_with_window(text, _SAMPLE, params)
        # What is left of ${…} is known when a window is, and looked at then; or unknown, and told already.
        complaint = None if "${" in place else _outside(place, environment)
        if complaint:
            problems.add(_node(item, key), "path-outside-roots", *complaint)


def _rooted(kind: Any) -> Iterator[tuple[str, str]]:
    """The options of a condition that must lie under a root: paths, keys of objects, addresses."""
    for key, field in path_fields(kind):
        yield key, getattr(kind, field.name)
    for field in dataclasses.fields(kind):
        if field.metadata.get("root") and getattr(kind, field.name) is not None:
            yield field.name, getattr(kind, field.name)


def _outside(place: str, environment: Environment) -> tuple[str, str] | None:
    """Why a place may not be looked at; Hadoop says s3a:// where everybody else says s3://."""
    found = path_problem(place, environment)
    if found and place.startswith("s3:") and path_problem("s3a" + place.removeprefix("s3"), environment) is None:
        return None
    return found


def _node(item: Placed, key: str) -> Node:
    return option_node(type(item.kind), item.node, key) or item.node.holder


# -- across files ------------------------------------------------------------------------------------------------


def awaited(waiting: Waiting) -> Iterator[Awaited]:
    """The pipelines that are waited for."""
    for wait, item in waiting:
        if wait.kind == "pipeline":
            node = _node(item, "name")
            yield Awaited(
                name=item.kind.name,
                load=item.kind.load,
                anywhere=item.kind.by == "airflow" and item.kind.window == "same",
                path=node.source.path,
                line=node.line,
                column=node.column,
                key=node.path,
            )


def across(loaded: Sequence[Loaded], *, whole: bool) -> list[Diagnostic]:
    """What is wrong between files: pipelines that nobody defines, loads that they lack, circles of waiting.

    Args:
        loaded: the files.
        whole: whether they are all files of a folder, so that a name that is missing is missing for good.
    """
    files = {item.name: item for item in loaded}
    found = []
    for item in loaded:
        for wanted in item.awaited:
            other = files.get(wanted.name)
            if other is None and whole and not wanted.anywhere:
                message = f"there is no pipeline file of the name {wanted.name!r}"
                found.append(_at(wanted, "unknown-pipeline", message, nearest(wanted.name, set(files) - {item.name})))
            if other is not None and other.pipeline is not None and wanted.load not in (None, *other.pipeline.load):
                message = f"pipeline {wanted.name} has no load {wanted.load!r}"
                found.append(_at(wanted, "unknown-load", message, nearest(str(wanted.load), other.pipeline.load)))
            circle = _circle(item.name, wanted.name, files)
            if circle:
                told = " -> ".join([item.name, *circle])
                hint = "take one of the waits out: they wait for each other until their time is up"
                found.append(_at(wanted, "wait-cycle", f"pipelines wait for each other in a circle: {told}", hint))
    return found


def _circle(start: str, first: str, files: Mapping[str, Loaded]) -> list[str]:
    """The way from one pipeline back to another, by who waits for whom; empty where there is none, or it is itself."""
    ways, seen = [[first]], {first}
    while ways and first != start:
        way = ways.pop(0)
        for wanted in files[way[-1]].awaited if way[-1] in files else ():
            if wanted.name == start:
                return [*way, start]
            if wanted.name not in seen:
                seen.add(wanted.name)
                ways.append([*way, wanted.name])
    return []


def _at(place: Awaited, code: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        path=place.path, line=place.line, column=place.column, code=code, key=place.key, message=message, hint=hint
    )


# -- of a window -------------------------------------------------------------------------------------------------


def of_window(wait: Wait, pipeline: Pipeline, window: Window) -> Any:
    """A condition with the window's and the run's values in it, and its paths absolute.

    Raises:
        ConfigError: a place outside the roots, now that everything in it is known.
    """
    where = f"{pipeline.name}: {wait.task}"
    local = dataclasses.replace(window, timezone=pipeline.timezone)
    condition = with_window(wait.condition, local, pipeline.values)
    for _, place in _rooted(condition):
        complaint = _outside(place, pipeline.environment)
        if complaint:
            raise ConfigError(complaint[0], where=where, remedy=complaint[1])
    try:
        return resolve_paths(condition, pipeline.environment)
    except ValueError as error:
        raise ConfigError(str(error), where=where) from error


def values_of(pipeline: Pipeline) -> dict[str, str | int | float | bool]:
    """What `${env.…}`, `${param.…}` and `${pipeline}` stand for, where values are bound; dates as text."""
    params = {f"param.{name}": as_json(value) for name, value in pipeline.values.items()}
    return {"pipeline": pipeline.id, **{f"env.{k}": v for k, v in pipeline.environment.variables.items()}, **params}
