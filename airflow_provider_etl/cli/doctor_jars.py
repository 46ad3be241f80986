"""What `doctor` says of the Spark that engines have, and of the jars that pipelines need there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_provider_etl.spec import Engine, Pipeline, uses
from airflow_provider_etl.spec.compatibility import line_of, lines

if TYPE_CHECKING:
    from airflow_provider_etl.cli.doctor import Finding


def of_engines(engines: Sequence[Engine], installed: str) -> Iterator[Finding]:
    """Whether local engines say the Spark that is installed, and whether it is one that is known.

    Args:
        engines: those that run here.
        installed: version of pyspark; empty where there is none.
    """
    from airflow_provider_etl.cli.doctor import Finding

    line = line_of(installed)
    for engine in engines if installed else ():
        if line_of(engine.spark) != line:
            what = f"engine {engine.name} says Spark {engine.spark}, and {installed} is installed"
            yield Finding("missing", what, f'spark: "{line}" in the environment, or pip install pyspark of that line')
    if installed and line in lines():
        known = lines()[line]
        yield Finding("ok", f"Spark {line}: Hadoop {known.hadoop}, Java {known.java} (evidence: {known.evidence})")
    elif installed:
        yield Finding("optional", f"nothing is known of Spark {line}", f"known lines: {', '.join(lines())}")


def of_pipeline(pipeline: Pipeline, path: object) -> Iterator[Finding]:
    """Whether what a pipeline uses can be together on its engine's Spark."""
    from airflow_provider_etl.cli.doctor import Finding

    resolved = uses.resolved_of(pipeline)
    for misfit in resolved.misfits:
        yield Finding("missing", f"{path}: {misfit.message} (engine {pipeline.engine.name})", misfit.hint)
    folder = pipeline.engine.packages == "folder" and not pipeline.engine.service
    if resolved.unlocked and folder and not resolved.misfits:
        what = f"{path}: no lock has {', '.join(resolved.unlocked)}"
        yield Finding("optional", what, "put them into the folder of jars, or say packages: resolve")
    if not resolved.misfits:
        yield Finding("ok", f"{path}: {', '.join(resolved.fits)} fit Spark {resolved.line}")
