"""Given the locks, then they pin by hash, name no host, and fit each other."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.packaging.conftest import ROOT, pins

LANES = ("airflow-2.11", "airflow-3.1", "airflow-3.4")
LOCKS = ("uv", "build", "demo", "dev", "compose", "constraints", *LANES, "dag-factory", "sbom")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_no_folder(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert not re.findall(r".*(?:://|--index-url|--extra-index|--find-links|file:|@ /).*", text)


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_of_a_lock_has_hashes(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    entries = re.split(r"(?<!\\)\n(?=\S)", body.strip())
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []


@pytest.mark.parametrize("name", ["demo", "dev", "compose", "constraints"])
def test_pyspark_and_its_client_own_one_folder_so_they_are_equal(name: str) -> None:
    assert pins(name)["pyspark"] == pins(name)["pyspark-client"]


@pytest.mark.parametrize("larger", ["dev", "compose"])
def test_what_the_demo_installs_nobody_else_changes(larger: str) -> None:
    assert pins("demo").items() <= pins(larger).items()


def test_the_extras_of_the_package_resolve_with_what_the_demo_runs_on() -> None:
    together = pins("constraints")
    assert {"great-expectations", "apache-airflow-providers-amazon", "snowflake-connector-python"} <= set(together)
    both = pins("demo").keys() & together.keys()
    assert {name: (pins("demo")[name], together[name]) for name in both if pins("demo")[name] != together[name]} == {}


def test_the_package_pins_spark_as_the_lock_does() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for package in ("pyspark", "pyspark-client"):
        assert f"{package}=={pins('demo')[package]}" in extras["spark"]
    assert f"delta-spark=={pins('demo')['delta-spark']}" in extras["delta"]


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_has_the_airflow_that_it_is_called_by_and_our_own_libraries_as_everywhere(lane: str) -> None:
    assert pins(lane)["apache-airflow"].startswith(lane.removeprefix("airflow-") + ".")
    for package in ("pydantic", "sqlglot", "deltalake", "apache-airflow-providers-common-compat"):
        assert pins(lane)[package] == pins("demo")[package]
