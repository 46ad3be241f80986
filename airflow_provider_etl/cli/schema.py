"""`schema`: the JSON Schema of the pipeline file, of the test file and of contracts, for editors and other programs."""

from __future__ import annotations

import argparse
from typing import Final

from airflow_provider_etl.schemas import text_of

NAME: Final = "schema"
HELP: Final = "print the JSON Schema of pipeline files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--tests", action="store_true", help="that of test files (FILE.test.yaml)")
    what.add_argument("--contract", action="store_true", help="that of contract files")


def execute(options: argparse.Namespace) -> int:
    """Print the schema."""
    print(text_of("tests" if options.tests else "contract" if options.contract else "pipeline"), end="")
    return 0
