"""Given an Airflow, then it takes the provider's metadata, and knows the provider and its options."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest

pytestmark = pytest.mark.airflow


def test_the_metadata_fits_the_schema_of_this_airflow() -> None:
    import jsonschema

    from airflow_provider_etl.provider_info import get_provider_info

    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_this_airflow_lists_the_provider_and_its_options() -> None:
    from airflow.providers_manager import ProvidersManager

    from airflow_provider_etl.provider_info import get_provider_info

    manager = ProvidersManager()
    assert "airflow-provider-etl" in manager.providers
    options = dict(manager.provider_configs)["airflow-provider-etl"]["etl"]["options"]
    assert set(options) == set(get_provider_info()["config"]["etl"]["options"])
