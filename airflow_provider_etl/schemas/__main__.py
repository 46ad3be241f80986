"""Make the schemas anew."""

from __future__ import annotations

import json

from airflow_provider_etl.schemas import Name, path_of
from airflow_provider_etl.spec.json_schema import json_schema, schema_of_contracts
from airflow_provider_etl.testing.schema import schema_of_tests


def made() -> dict[Name, str]:
    """Name -> text, of the classes as they are now."""
    schemas: dict[Name, object] = {
        "pipeline": json_schema(),
        "tests": schema_of_tests(),
        "contract": schema_of_contracts(),
    }
    return {name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


if __name__ == "__main__":
    for name, text in made().items():
        path_of(name).write_text(text, encoding="utf-8")
