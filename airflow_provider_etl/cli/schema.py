"""`schema`: the JSON Schema of the pipeline file, for editors and other programs."""

from __future__ import annotations

import argparse
import json
from typing import Final

NAME: Final = "schema"
HELP: Final = "print the JSON Schema of pipeline files"


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """There are none."""


def execute(_options: argparse.Namespace) -> int:
    """Print the schema."""
    from airflow_provider_etl.spec.json_schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
