"""`schema`: the JSON Schema of the pipeline file and of the test file, for editors and other programs."""

from __future__ import annotations

import argparse
from typing import Final

from airflow_provider_etl.schemas import text_of

NAME: Final = "schema"
HELP: Final = "print the JSON Schema of pipeline files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--tests", action="store_true", help="that of test files (FILE.test.yaml)")


def execute(options: argparse.Namespace) -> int:
    """Print the schema."""
    print(text_of("tests" if options.tests else "pipeline"), end="")
    return 0
