"""Given docker-compose.airflow.yml, then a compose implementation accepts it, and only with every secret given."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from typing import Any

import pytest
import yaml

from tests.packaging.conftest import ROOT, pins

FILE = ROOT / "docker-compose.airflow.yml"
SECRETS = tuple(sorted(set(re.findall(r"\$\{(\w+):\?", FILE.read_text()))))
SERVICES = {
    "postgres", "migrate", "api-server", "scheduler", "dag-processor", "triggerer",
    "spark-master", "spark-worker", "store",
}  # fmt: skip


def implementation() -> list[str]:
    """The compose command of this machine; its absence is a failure in CI and a skip elsewhere."""
    for command in (["docker-compose"], ["docker", "compose"]):
        if shutil.which(command[0]):
            found = subprocess.run([*command, "version"], capture_output=True, check=False, timeout=60)
            if found.returncode == 0:
                return command
    if os.environ.get("CI") == "true":
        pytest.fail("docker-compose is missing: apt-get install docker-compose")
    pytest.skip("docker-compose is missing: apt-get install docker-compose")


def config(**variables: str) -> subprocess.CompletedProcess[str]:
    """Ask for the file with its variables filled in, as the implementation understands it; needs no engine."""
    with tempfile.NamedTemporaryFile(suffix=".env") as nothing:  # else it would read the .env of whoever runs this
        command = [*implementation(), "--env-file", nothing.name, "-f", str(FILE), "config"]
        environment = {"PATH": os.environ["PATH"]} | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def given() -> dict[str, str]:
    """A value for every secret."""
    return dict.fromkeys(SECRETS, "given")


def services() -> dict[str, Any]:
    """The services after interpolation."""
    done = config(**given())
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


def test_the_file_is_accepted_and_has_every_part() -> None:
    assert set(services()) == SERVICES


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("empty", [True, False])
def test_nothing_starts_without_a_secret(secret: str, empty: bool) -> None:
    variables = given()
    del variables[secret]
    done = config(**variables, **({secret: ""} if empty else {}))
    assert done.returncode != 0
    assert ".env.example" in done.stderr


def test_every_lasting_service_says_whether_it_is_healthy() -> None:
    assert {name for name, service in services().items() if "healthcheck" not in service} == {"migrate"}


def test_images_are_pinned_and_airflow_is_the_lock_s() -> None:
    images = {service["image"] for service in services().values()}
    assert all(re.search(r":\d+\.\d+(\.\d+)?$", image) for image in images), images
    version = pins("compose")["apache-airflow"]
    assert f"airflow-provider-etl:{version}" in images
    assert f"FROM apache/airflow:slim-{version}-" in (ROOT / "Dockerfile").read_text()


def test_the_example_names_every_secret_and_gives_none() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == [f"{secret}=" for secret in SECRETS]


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [str(port) for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert all("127.0.0.1" in port for port in ports)


def test_dags_and_config_are_mounted_where_airflow_works() -> None:
    for name in ("api-server", "scheduler", "dag-processor", "triggerer"):
        mounted = " ".join(str(volume) for volume in services()[name]["volumes"])
        assert "/opt/etl/dags" in mounted
        assert "/opt/etl/config" in mounted
