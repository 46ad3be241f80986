"""docs/language.md: the pipeline file, from the classes that check it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from airflow_provider_etl.spec.catalogue import BASE
from airflow_provider_etl.spec.class_docs import text_of
from airflow_provider_etl.spec.language import EnvironmentFile, PipelineFile
from airflow_provider_etl.spec.reference.options import anchor, nested, table, written
from airflow_provider_etl.spec.reference.texts import CHECKS, ENVIRONMENT, HEAD, LOAD, SOURCES, STEPS, VARIABLES, WAITS
from airflow_provider_etl.spec.verbs import REGISTRIES
from spark_jobs import kinds

# Group -> (heading, what stands below it, how an example is written in a file).
_GROUPS: Final = {
    "wait_for": ("Conditions: `wait_for`", WAITS, "wait_for:\n"),
    "extract": ("Sources: `extract`", SOURCES, "extract:\n  orders:\n"),
    "transform": ("Steps: `transform`", STEPS, "transform:\n  - from: orders\n"),
    "check": ("Checks: `check`", CHECKS, "check:\n"),
    "load": ("Destinations: `load`", LOAD, "load:\n  lake:\n"),
}


def language_page() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    yield f"```yaml\n{BASE}```\n"
    yield from _contents()
    yield "\n## Keys\n"
    yield f"{text_of(PipelineFile)}\n"
    yield from table(PipelineFile)
    for inner, path in nested(PipelineFile).items():
        yield from _class(inner, path)
    yield f"\n{VARIABLES}"
    for group, (heading, text, begin) in _GROUPS.items():
        yield f"\n## {heading}\n\n{text}"
        told: list[Any] = []
        for name in REGISTRIES[group]:
            yield from _kind(group, name, begin, told)
    yield f"\n{ENVIRONMENT}"
    yield from table(EnvironmentFile)
    for inner, path in nested(EnvironmentFile).items():
        yield from _class(inner, path)


def _contents() -> Iterator[str]:
    for group, (heading, _, _) in _GROUPS.items():
        yield f"- **{heading}**: " + ", ".join(f"[{name}](#{group}-{name})" for name in REGISTRIES[group])


def _kind(group: str, name: str, begin: str, told: list[Any]) -> Iterator[str]:
    kind = kinds.find(REGISTRIES[group], name, group)
    yield f'\n### <a id="{group}-{name}"></a>{name}\n\n{text_of(kind)}\n'
    yield f"```yaml\n{example(group, kind, begin)}```\n"
    short = getattr(kind, "shorthand", None)
    if short and getattr(kind, "whole", False):
        yield f"The value is the mapping `{short}` itself.\n"
    elif short:
        yield f"A value that is no mapping is short for `{short}`.\n"
    yield from table(kind)
    for inner, path in nested(kind).items():
        if inner not in told:
            told.append(inner)
            yield from _class(inner, path)


def example(group: str, kind: Any, begin: str | None = None) -> str:
    """A kind's example as it stands in a file."""
    begin = _GROUPS[group][2] if begin is None else begin
    if group in {"extract", "load"}:
        return begin + textwrap.indent(kind.example, "    ")
    return f"{begin}  - {kind.example}\n"


def _class(kind: Any, path: str) -> Iterator[str]:
    """A class that isn't a kind: a table of its own, under the key path that leads to it."""
    promise = getattr(kind, "promise", None)
    yield f'\n#### <a id="{anchor(kind)}"></a>`{path}: {written(kind).strip("`")}`\n\n{text_of(kind)}\n'
    if promise:
        yield f"The promise: {promise}.\n"
    if getattr(kind, "example", None):
        yield f"```yaml\n    write: {kind.example}\n```\n"
    yield from table(kind)
