"""The graph as a tree: each source, below it the datasets that start from it, below them checks and loads."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_etl.explaining import words
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.nodes import MapNode, Source
from airflow_provider_etl.spec.rules import named_datasets
from airflow_provider_etl.spec.verbs import Placed
from spark_jobs.kinds import reads_datasets


@dataclass(frozen=True)
class _Item:
    text: str
    below: Sequence[_Item] = ()


def tree(pipeline: Pipeline) -> Iterator[str]:
    """The graph, line by line, at most 100 characters wide where words allow it."""
    yield "graph"
    for name, kind in pipeline.extract.items():
        yield from words.wrapped(f"{name}  {words.source(kind, pipeline.lookback)}", "  ", "      ")
        yield from _drawn([*_checks(pipeline, name), *_below(pipeline, name)], "  ")


def _checks(pipeline: Pipeline, name: str) -> list[_Item]:
    """What is asked of a dataset; of a source, what its contract says of all its rows together."""
    asked = [_Item(f"check  {words.option(check, kind)}") for check, kind in pipeline.check.get(name, ())]
    complete = pipeline.complete.get(name)
    if complete is None:
        return asked
    required = ", ".join(complete["columns"])
    return [_Item(f"stops  unless {100 * complete['share']:.4g} % of the values of {required} come"), *asked]


def _below(pipeline: Pipeline, name: str) -> list[_Item]:
    """What a source or dataset leads to."""
    found = [_Item(f"read by {place}") for _, place in readers(pipeline, name)]
    return found + [
        _Item(dataset, _parts(pipeline, dataset)) for dataset, made in pipeline.transform.items() if made.source == name
    ]


def _parts(pipeline: Pipeline, dataset: str) -> list[_Item]:
    steps = pipeline.transform[dataset].steps
    loads = ((name, kind) for name, (loaded, kind) in pipeline.load.items() if loaded == dataset)
    return [
        *(_Item(f"step   {words.option(name, kind)}") for name, kind in steps),
        *_checks(pipeline, dataset),
        *(_Item(f"load   {words.load(name, kind)}") for name, kind in loads),
        *_below(pipeline, dataset),
    ]


def readers(pipeline: Pipeline, name: str) -> list[tuple[str, str]]:
    """Sources, steps and checks that read a source or dataset, beside the datasets that start from it.

    Returns:
        (source or dataset they belong to, where they stand in words) of each.
    """
    made_of = ((source, kind) for source, kind in pipeline.extract.items() if reads_datasets(kind) and source != name)
    found = [(source, f"source {source}") for source, kind in made_of if _reads("extract", kind.type, kind, name)]
    for dataset, made in pipeline.transform.items():
        steps = (step for step, kind in made.steps if _reads("transform", step, kind, name))
        found += [(dataset, f"{dataset} in {step}") for step in steps]
    for dataset, checks in pipeline.check.items():
        asked = (check for check, kind in checks if _reads("check", check, kind, name))
        found += [(dataset, f"the checks of {dataset} in {check}") for check in asked]
    return list(dict.fromkeys(found))


def _reads(group: str, name: str, kind: Any, dataset: str) -> bool:
    placed = Placed(group=group, name=name, kind=kind, node=MapNode(Source("")))
    queries = (str(getattr(kind, item.name)) for item in dataclasses.fields(kind) if item.metadata.get("query"))
    return any(named == dataset for named, _ in named_datasets(placed)) or any(
        dataset in re.findall(r"\w+", query) for query in queries
    )


def _drawn(items: Sequence[_Item], before: str) -> Iterator[str]:
    for place, item in enumerate(items):
        last = place == len(items) - 1
        more = before + ("   " if last else "│  ")
        yield from words.wrapped(item.text, before + ("└─ " if last else "├─ "), more + "       ")
        yield from _drawn(item.below, more)
