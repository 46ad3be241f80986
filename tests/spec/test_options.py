"""Given the provider's options in variables or in airflow.cfg, then they are read without Airflow and do what they say;
a value that means nothing is an error of every file."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_etl.provider_info import get_provider_info
from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.options import NAMES, Options, options
from spark_jobs.errors import ConfigError
from tests.packaging.conftest import ROOT
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

# What only code that has Airflow at hand asks for: there Airflow itself reads it.
OF_AIRFLOW = {"dags_backfill", "wait_mode"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Airflow home without a configuration."""
    for name in NAMES:
        monkeypatch.delenv(f"AIRFLOW__ETL__{name.upper()}", raising=False)
    monkeypatch.delenv("AIRFLOW_CONFIG", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_nothing_configured_gives_the_defaults_that_airflow_shows() -> None:
    shown = get_provider_info()["config"]["etl"]["options"]
    found = options()
    assert found == Options()
    assert set(shown) == {*NAMES, *OF_AIRFLOW}
    assert shown["environment"]["default"] == "local"
    assert shown["pipelines_folder"]["default"] == found.pipelines_folder
    assert shown["strict"]["default"] == str(found.strict)
    assert {shown[name]["default"] for name in ("allowed_roots", "allowed_python")} == {""}


def test_the_file_is_read_and_a_variable_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "airflow.cfg").write_text(
        "[etl]\nstrict = True\npipelines_folder = etl/files\nallowed_roots = /srv/lake/, s3a://lake/etl\n"
        "allowed_python = company.etl, tools\n"
    )
    found = options()
    assert (found.strict, found.pipelines_folder) == (True, "etl/files")
    assert found.allowed_roots == ("/srv/lake", "s3a://lake/etl")
    monkeypatch.setenv("AIRFLOW__ETL__STRICT", "f")
    assert not options().strict


def test_python_may_come_from_the_modules_named_and_from_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not options().allows_python("os")
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_PYTHON", "company.etl, tools")
    found = options()
    assert [name for name in ("company.etl", "company.etl.x", "tools", "company", "company.etl2", "os") if
            found.allows_python(name)] == ["company.etl", "company.etl.x", "tools"]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("strict", "perhaps", "'perhaps' is neither true nor false"),
        ("allowed_roots", "/srv/lake, data", "'data' is a relative path"),
        ("allowed_python", "os; import", "'os; import' is no name of a module"),
    ],
)
def test_a_value_that_means_nothing_is_an_error_of_every_file(
    name: str, value: str, told: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"AIRFLOW__ETL__{name.upper()}", value)
    with pytest.raises(ConfigError, match=told):
        options()
    loaded = load_file(_pipeline(project))
    assert loaded.pipeline is None
    [error] = [item for item in loaded.errors if item.code == "option-invalid"]
    assert f"option [etl] {name}: {told}" in error.message


def test_an_environment_lies_inside_of_the_deployment_s_bound(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = _pipeline(project)
    assert load_file(file).pipeline is not None
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_ROOTS", str(tmp_path))
    assert load_file(file).pipeline is not None
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_ROOTS", "/srv/lake, s3a://lake")
    loaded = load_file(file)
    assert loaded.pipeline is None
    told = [item for item in loaded.errors if item.code == "root-not-allowed"]
    assert {item.key for item in told} == {"roots[0]", "variables.staging", "variables.quarantine"}
    assert all(item.path.endswith("local.yaml") and "/srv/lake, s3a://lake" in item.hint for item in told)


def test_so_does_the_folder_of_jobs_of_a_cluster(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.environment(ENVIRONMENT + '  c: {kind: spark_submit, master: "spark://h:1", jobs: /elsewhere}\n')
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_ROOTS", str(tmp_path))
    told = [item for item in load_file(_pipeline(project)).errors if item.code == "root-not-allowed"]
    assert [item.key for item in told] == ["engines.c.jobs"]


def _pipeline(project: Project) -> Path:
    return project.write(PIPELINE)


def test_the_page_describes_every_option_with_its_default() -> None:
    page = (ROOT / "docs/options.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert set(rows) == {*NAMES, *OF_AIRFLOW}
    for name, option in get_provider_info()["config"]["etl"]["options"].items():
        assert rows[name].split("|")[2].strip(" `") == (option["default"] or "(empty)")
