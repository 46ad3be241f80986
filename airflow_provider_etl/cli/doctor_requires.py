"""What `doctor FILE…` says of the modules that a pipeline's kinds import: whether they are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.spec import Pipeline

if TYPE_CHECKING:
    from airflow_provider_etl.cli.doctor import Finding

# Module -> the extra of this package that brings it.
_EXTRAS: Final = {
    "delta": "delta",
    "great_expectations": "gx",
    "psycopg": "postgres",
    "pyarrow": "spark",
    "pymysql": "mysql",
}


def of_pipeline(pipeline: Pipeline) -> dict[str, str]:
    """The modules that a pipeline's kinds import when they are at work -> the place that first asks for each."""
    found: dict[str, str] = {}
    for where, kind in _kinds(pipeline):
        for module in getattr(kind, "requires", ()):
            found.setdefault(module, where)
    return found


def findings(places: Mapping[str, str]) -> Iterator[Finding]:
    """One line for each module.

    Args:
        places: module -> the place that asks for it.
    """
    from airflow_provider_etl.cli.doctor import Finding

    for module, where in sorted(places.items()):
        if find_spec(module) is not None:
            yield Finding("ok", f"{module}, needed at {where}")
        else:
            extra = _EXTRAS.get(module)
            remedy = f"pip install 'airflow-provider-etl[{extra}]'" if extra else f"pip install {module}"
            yield Finding("missing", f"{module}, needed at {where}", f"{remedy}, where Spark runs too")


def _kinds(pipeline: Pipeline) -> Iterator[tuple[str, Any]]:
    yield from ((f"extract.{name}", kind) for name, kind in pipeline.extract.items())
    for name, dataset in pipeline.transform.items():
        yield from ((f"transform.{name}[{place}]", kind) for place, (_, kind) in enumerate(dataset.steps))
    for name, checks in pipeline.check.items():
        yield from ((f"check.{name}[{place}]", kind) for place, (_, kind) in enumerate(checks))
    yield from ((f"load.{name}", kind) for name, (_, kind) in pipeline.load.items())
