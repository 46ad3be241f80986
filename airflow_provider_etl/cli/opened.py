"""Opening the pipeline file that a command works on."""

from __future__ import annotations

import argparse
import sys

from airflow_provider_etl.spec import Pipeline, load_file


def opened(options: argparse.Namespace, *, expressions: bool = True) -> Pipeline | None:
    """The pipeline of `options.file`; None where it has errors, all of them told on stderr.

    Args:
        options: has `file` and `environment`.
        expressions: whether SQL is checked too.
    """
    loaded = load_file(options.file, environment=options.environment, expressions=expressions)
    for diagnostic in loaded.diagnostics:
        print(diagnostic, file=sys.stderr)
    return loaded.pipeline
