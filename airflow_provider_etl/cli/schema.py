"""`schema`: the JSON Schema of the pipeline file and of the test file, for editors and other programs."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

NAME: Final = "schema"
HELP: Final = "print the JSON Schema of pipeline files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--tests", action="store_true", help="that of test files (FILE.test.yaml)")


def execute(options: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(schema_of(tests=options.tests), indent=2))
    return 0


def schema_of(*, tests: bool) -> dict[str, Any]:
    """The schema.

    Args:
        tests: of test files; else of pipeline files.
    """
    if tests:
        from airflow_provider_etl.testing.schema import schema_of_tests

        return schema_of_tests()
    from airflow_provider_etl.spec.json_schema import json_schema

    return json_schema()
