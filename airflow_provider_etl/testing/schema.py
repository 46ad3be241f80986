"""JSON Schema (2020-12) of the test file, made of the classes that check it."""

from __future__ import annotations

from typing import Any

from airflow_provider_etl.spec.gate import adapter
from airflow_provider_etl.spec.json_schema import DIALECT, plain
from airflow_provider_etl.testing.language import CaseFile


def schema_of_tests() -> dict[str, Any]:
    """The schema of a test file as JSON."""
    from airflow_provider_etl.spec.described import Described

    schema = plain(adapter(CaseFile).json_schema(schema_generator=Described))
    for name in ("CaseOption", "Earlier"):
        # A window is read as it is written, a date too: to YAML 1.2, which editors read, both are text.
        schema["$defs"][name]["properties"]["window"] |= {"type": "string"}
    return {"$schema": DIALECT, **schema, "title": "Tests of a pipeline"}
