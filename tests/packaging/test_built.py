"""Given a checkout, when the wheel and the sdist are built, then they hold both packages and nothing else, and work."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

pytestmark = pytest.mark.e2e

PACKAGES = ("airflow_provider_etl", "spark_jobs")


def sources() -> set[str]:
    """Every file of both packages that belongs into what is shipped."""
    found = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_both_packages_and_its_metadata(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - metadata == sources()
    assert {name.rsplit("/", 1)[-1] for name in metadata} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "LICENSE"
    }  # fmt: skip


def test_the_sdist_holds_both_packages_and_what_builds_them(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    others = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}
    assert names == sources() | others


@pytest.mark.parametrize(
    "name",
    [
        "airflow_provider_etl/py.typed",
        "spark_jobs/py.typed",
        "airflow_provider_etl/compat.toml",
        "airflow_provider_etl/capacity/figures.yaml",
        "airflow_provider_etl/jars.lock",
        "airflow_provider_etl/jars-s3.lock",
        "spark_jobs/object_store/conditional-put-log-store.jar",
    ],
)
def test_what_is_no_python_is_shipped_too(built: Path, name: str) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        assert name in wheel.namelist()


@pytest.fixture(scope="module")
def clean(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the demo's lock and the wheel; nothing of the checkout is in it."""
    uv, folder = Path(sys.executable).with_name("uv"), tmp_path_factory.mktemp("clean") / "venv"
    python = str(folder / "bin" / "python")
    lock = ROOT / "requirements" / "demo.txt"
    build = ROOT / "requirements" / "build.txt"
    for arguments in (
        ["venv", "--python", sys.executable, str(folder)],
        ["pip", "sync", "--python", python, "--require-hashes", "--build-constraints", str(build), str(lock)],
        ["pip", "install", "--python", python, "--no-deps", str(next(built.glob("*.whl")))],
    ):
        subprocess.run([str(uv), *arguments], check=True, capture_output=True, timeout=600)
    return folder / "bin"


def run(clean: Path, *command: str) -> str:
    """What a command of the clean environment prints; run outside of the checkout."""
    home = {"AIRFLOW_HOME": str(clean.parent / "airflow"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [str(clean / command[0]), *command[1:]],
        cwd=clean, env=home, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installed_command_knows_its_commands(clean: Path) -> None:
    said = run(clean, "airflow-etl", "--help")
    assert all(command in said for command in ("lint", "schema", "explain", "plan", "run", "doctor"))


def test_the_installed_command_lints_a_pipeline(clean: Path) -> None:
    run(clean, "airflow-etl", "lint", str(ROOT / "dags" / "pipelines" / "flights.yaml"))


def test_airflow_lists_the_provider(clean: Path) -> None:
    assert "airflow-provider-etl" in run(clean, "airflow", "providers", "list", "--output", "plain")


def test_the_spark_side_is_installed_and_imports_neither_airflow_nor_pydantic(clean: Path) -> None:
    code = (
        "import sys, spark_jobs.run, spark_jobs.plan;"
        "assert 'site-packages' in spark_jobs.run.__file__, spark_jobs.run.__file__;"
        "assert not {'airflow', 'pydantic', 'pyspark'} & set(sys.modules)"
    )
    run(clean, "python", "-c", code)
