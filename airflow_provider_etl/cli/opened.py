"""Opening the pipeline file that a command works on."""

from __future__ import annotations

import argparse
import sys

from airflow_provider_etl.spec import Pipeline, load_file
from airflow_provider_etl.spec.params import told


def add_params(parser: argparse.ArgumentParser) -> None:
    """Declare `--param`, which `opened` reads."""
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of one of the pipeline's parameters; may be given several times",
    )


def opened(options: argparse.Namespace, *, expressions: bool = True) -> Pipeline | None:
    """The pipeline of `options.file`; None where it has errors, all of them told on stderr.

    Args:
        options: has `file` and `environment`; and `param`, where the command takes some.
        expressions: whether SQL is checked too.

    Raises:
        ConfigError: a parameter that the pipeline doesn't have, or that has no value or a wrong one.
    """
    loaded = load_file(options.file, environment=options.environment, expressions=expressions)
    for diagnostic in loaded.diagnostics:
        print(diagnostic, file=sys.stderr)
    pipeline = loaded.pipeline
    if pipeline is None or not hasattr(options, "param"):
        return pipeline
    return pipeline.with_params(told(options.param, pipeline.params))
