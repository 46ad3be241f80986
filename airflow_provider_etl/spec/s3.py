"""What a pipeline on S3 must not do: name it by a scheme that Spark can't read, or let Delta lose commits there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.engines import Engine
from airflow_provider_etl.spec.nodes import Node
from airflow_provider_etl.spec.paths import absolute
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.rules import SAMPLE, path_fields
from airflow_provider_etl.spec.variables import text_with_window
from airflow_provider_etl.spec.verbs import Placed, Verbs
from spark_jobs.object_store.s3 import bucket_of, unsafe

_OTHERS: Final = re.compile(r"(s3n?):", re.IGNORECASE)


def check(verbs: Verbs, engine: Engine | None, params: Mapping[str, Any], problems: Problems) -> None:
    """Tell of both.

    Args:
        verbs: what was read.
        engine: what runs it; None where that isn't known.
        params: values of parameters that stand in paths.
        problems: where problems go.
    """
    for placed in verbs.placed():
        for node, path in _paths(placed, params):
            if found := _OTHERS.match(path):
                message = f"Spark reads S3 as s3a://, not as {found[1]}://"
                hint = f"write s3a:{path[found.end() :]}; where a variable says it, in the environment file"
                problems.add(node, "path-scheme", message, hint)
    if engine is None:
        return
    for name, placed in verbs.load.items():
        for node, path in _paths(placed, params):
            for key in unsafe(engine.conf) if bucket_of(absolute(path, Path())) else ():
                message = f"engine {engine.name} sets {key}: commits of concurrent writers could get lost on S3"
                hint = f"take it out of the environment file; load {name} then commits by conditional puts"
                problems.add(node, "unsafe-log-store", message, hint)


def _paths(placed: Placed, params: Mapping[str, Any]) -> Iterator[tuple[Node, str]]:
    """The paths of a kind and where they stand."""
    if placed.kind is FAILED:
        return
    for key, field in path_fields(placed.kind):
        node = option_node(type(placed.kind), placed.node, key) or placed.node
        yield node, text_with_window(getattr(placed.kind, field.name), SAMPLE, params)
