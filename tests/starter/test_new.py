"""`airflow-etl new`: for every source and destination, a commented file that lints, and a test file that fits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import jsonschema
import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.class_docs import attribute_docs, summary
from airflow_provider_etl.spec.class_plan import plan_of
from airflow_provider_etl.spec.language import PipelineFile
from airflow_provider_etl.spec.verbs import REGISTRIES
from airflow_provider_etl.testing.cases import load_cases
from airflow_provider_etl.testing.schema import schema_of_tests
from spark_jobs import kinds
from spark_jobs.kinds import PYDANTIC
from tests.spec.conftest import CATALOGS, ENVIRONMENT, Project, project
from tests.spec.test_json_schema import read

__all__ = ["project"]

# A query over other sources is no beginning.
FIRST = [name for name in REGISTRIES["extract"] if name != "sql"]
PAIRS = [(source, destination) for source in FIRST for destination in REGISTRIES["load"]]


@pytest.fixture
def home(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, in which the command is run."""
    project.environment(ENVIRONMENT + CATALOGS)
    monkeypatch.chdir(project.folder)
    return project.folder


def new(name: str, source: str = "files", destination: str = "delta", *more: str) -> int:
    return main(["new", name, "--from", source, "--to", destination, *more])


@pytest.mark.parametrize(("source", "destination"), PAIRS)
def test_every_pair_lints_without_a_word_and_its_test_file_too(
    home: Path, capsys: pytest.CaptureFixture[str], source: str, destination: str
) -> None:
    assert new("orders", source, destination) == 0
    capsys.readouterr()
    assert main(["lint", "orders.yaml", "orders.test.yaml"]) == 0
    assert capsys.readouterr().out == "2 files: 0 errors, 0 warnings\n"


@pytest.mark.parametrize(("source", "destination"), PAIRS)
def test_every_pair_is_valid_by_the_schemas_that_it_names(home: Path, source: str, destination: str) -> None:
    (home / "dags/pipelines").mkdir(parents=True)
    assert new("orders", source, destination) == 0
    for name in ("orders.yaml", "orders.test.yaml"):
        text = (home / "dags/pipelines" / name).read_text()
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert named is not None
        schema = json.loads((home / "dags/pipelines" / named[1]).read_text())
        jsonschema.Draft202012Validator(schema).validate(read(text))


def test_every_key_of_the_language_and_of_the_kinds_is_in_it_with_its_text(home: Path) -> None:
    assert new("orders") == 0
    words = " ".join((home / "orders.yaml").read_text().replace("#", " ").split())
    for kind in (PipelineFile, kinds.find(REGISTRIES["extract"], "files", "extract")):
        texts = attribute_docs(kind)
        for key, option in plan_of(kind).fields.items():
            assert f" {key}:" in words, key
            if key not in REGISTRIES:
                assert " ".join(texts[option.name].split()) in words, key
    for registry in REGISTRIES:
        assert all(f" {name}: " in words for name in REGISTRIES[registry])


def test_lines_are_no_wider_than_a_page(home: Path) -> None:
    assert new("orders") == 0
    assert max(len(line) for line in (home / "orders.yaml").read_text().splitlines()) <= 120


def test_options_that_are_shown_as_comments_lint_when_they_are_switched_on(home: Path) -> None:
    """All of those that show a value: what a new file suggests must be right."""
    assert new("orders") == 0
    path = home / "orders.yaml"
    shown = re.compile(r"^( *)# ([a-z_]+: [^<].*)$", re.MULTILINE)
    keys = {key for kind in (PipelineFile, *(_kinds())) for key in plan_of(kind).fields}
    lines = []
    for line in path.read_text().splitlines():
        match = shown.fullmatch(line)
        suggested = match is not None and match[2].partition(":")[0] in keys and not line.startswith("#   ")
        lines.append(f"{match[1]}{match[2]}" if match and suggested else line)
    path.write_text("\n".join(lines))
    loaded = load_file(path, expressions=True)
    assert [str(item) for item in loaded.diagnostics] == []
    assert sum(line.startswith("catchup: false") for line in lines) == 1


def _kinds() -> list[type[Any]]:
    return [kinds.find(REGISTRIES[group], name, group) for group in ("extract", "load") for name in REGISTRIES[group]]


def test_a_query_over_other_sources_is_no_beginning(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("orders", "sql") == 2
    assert "a sql source is made of other sources; begin with one of those" in capsys.readouterr().err


def test_nothing_that_is_there_is_overwritten(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for there in ("orders.yaml", "orders.yml", "orders.test.yaml"):
        (home / there).write_text("mine")
        assert new("orders") == 2
        assert f"{there}: the file is there already" in capsys.readouterr().err
        assert (home / there).read_text() == "mine"
        (home / there).unlink()
    assert {path.name for path in home.iterdir()} == {"config"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("größe", "can't be a DAG's id"),
        ("a b", "can't be a DAG's id"),
        ("../x", "can't be a DAG's id"),
        ("", "can't be a DAG's id"),
        ("x" * 201, "has 201 characters, 200 is the most"),
        ("x.test", "would be a test file"),
        ("_x", "_x.yaml would be a base for others to extend, and no pipeline"),
        (".x", "can't be a DAG's id"),
    ],
)
def test_a_name_that_is_none_is_refused(home: Path, capsys: pytest.CaptureFixture[str], name: str, why: str) -> None:
    assert new(name) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "folder", [".drafts", "_bases/more", "dags/_x", "config/environments", "config/environments/more"]
)
def test_a_folder_that_no_command_looks_into_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    assert new("orders", "files", "delta", "--folder", folder) == 2
    assert f"no command would find {folder}/orders.yaml" in capsys.readouterr().err
    assert {path.name for path in home.iterdir()} == {"config"}


@pytest.mark.parametrize("way", ["..", "dags/../..", "./config/.././.."])
def test_a_folder_that_is_named_by_the_way_up_is_one_like_any_other(
    home: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    before, up = sorted(home.rglob("*")), home.with_name(f"{home.name}-beside")
    assert new("orders", "files", "delta", "--folder", f"{way}/{up.name}") == 0
    assert sorted(home.rglob("*")) == before
    assert (up / "config/environments/local.yaml").is_file(), "the project beside it is another's"
    capsys.readouterr()
    assert main(["lint", f"../{up.name}"]) == 0
    assert "1 file: 0 errors, 0 warnings" in capsys.readouterr().out


def test_the_folder_above_is_one_like_any_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "config")
    assert new("orders", "files", "delta", "--folder", "..") == 0
    assert (home / "orders.yaml").is_file()


def test_environments_are_no_place_for_a_pipeline_from_within_them_either(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home / "config/environments")
    for folder in (".", "../environments"):
        assert new("orders", "files", "delta", "--folder", folder) == 2
        assert "no command would find" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.b-c", "2013", "result", "input", "INPUT", "x" * 200])
def test_a_name_that_is_one_lints(home: Path, name: str) -> None:
    assert new(name) == 0
    loaded = load_file(home / f"{name}.yaml", expressions=True)
    assert [str(item) for item in loaded.diagnostics] == []


def test_an_unknown_kind_says_what_was_meant(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new("orders", "file") == 2
    assert "unknown extract kind 'file'; did you mean 'files'?" in capsys.readouterr().err
    assert new("orders", "files", "detla") == 2
    assert "did you mean 'delta'?" in capsys.readouterr().err


def test_a_new_folder_gets_an_environment_and_one_that_has_one_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.chdir(tmp_path)
    assert main(["--environment", "prod", "new", "orders", "--from", "files", "--to", "delta"]) == 2
    assert "no environment 'prod'" in capsys.readouterr().err
    assert new("orders") == 0
    environment = tmp_path / "config/environments/local.yaml"
    before = environment.read_text()
    assert new("sales") == 0
    assert environment.read_text() == before
    assert main(["lint", "."]) == 0


def test_a_folder_elsewhere_gets_an_environment_of_its_own(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    before = sorted(home.rglob("*"))
    assert new("orders", "files", "delta", "--folder", str(elsewhere)) == 0
    assert sorted(home.rglob("*")) == before
    assert main(["lint", str(elsewhere)]) == 0


def test_a_broken_environment_is_told_first(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "config/environments/local.yaml"
    path.write_text(ENVIRONMENT.replace("roots:", "root:"))
    assert new("orders") == 2
    assert f"{path}:6:1: error[unknown-key]" in capsys.readouterr().err
    assert not (home / "orders.yaml").exists()


def test_an_environment_without_the_usual_variables_gets_paths_below_its_first_root(home: Path) -> None:
    path = home / "config/environments/local.yaml"
    path.write_text(ENVIRONMENT.replace("  raw: data/raw\n  lake: data/lake\n", ""))
    assert new("orders") == 0
    assert "/data/raw/orders/" in (home / "orders.yaml").read_text()


# -- a third party's kind -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """Rows by key. There is more to say."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    promise: ClassVar[str] = "the last one wins"

    strategy: Literal["keyed"]
    """How."""
    keys: tuple[str, ...] = field(metadata={"column": True})
    """Which."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A store of somebody else's. It isn't there: only its options are looked at."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    type: ClassVar[str] = "store"

    path: str = field(metadata={"substitute": "text", "path": True})
    """Where it is."""
    write: Keyed
    """How rows reach it."""
    mode: Literal["fast", "safe"]
    """What counts more."""
    workers: int = field(metadata={"ge": 2})
    """How many at once."""
    note: str | None = None
    """For people."""


def test_a_third_kind_gets_a_file_that_lints_for_free(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(REGISTRIES["load"], "store", f"{__name__}:Store")
    assert new("orders", "files", "store") == 0
    text = (home / "orders.yaml").read_text()
    assert "    write: {strategy: keyed, keys: [id]}\n" in text
    assert "    # What counts more.\n    mode: fast\n" in text
    assert "    workers: 2\n" in text
    assert "    # note: <text>\n" in text
    assert "#   store: A store of somebody else's\n" in text
    assert main(["lint", "orders.yaml"]) == 0, capsys.readouterr().out


def test_texts_of_a_class_are_read_from_its_source() -> None:
    assert attribute_docs(Keyed) == {"strategy": "How.", "keys": "Which."}
    assert summary(Keyed) == "Rows by key"


def test_the_test_file_s_case_is_read(home: Path) -> None:
    assert new("orders") == 0
    pipeline = load_file(home / "orders.yaml").pipeline
    assert pipeline is not None
    cases = load_cases(home / "orders.test.yaml", pipeline)
    assert not cases.diagnostics
    jsonschema.Draft202012Validator(schema_of_tests()).validate(read((home / "orders.test.yaml").read_text()))
    assert len(cases.cases) == 1


def test_the_sample_of_a_table_has_the_types_that_its_window_and_steps_need(home: Path) -> None:
    assert new("orders", "table") == 0
    pipeline = load_file(home / "orders.yaml").pipeline
    assert pipeline is not None
    (case,) = load_cases(home / "orders.test.yaml", pipeline).cases
    assert case.runs[0].samples["orders"].columns == {"id": "bigint", "updated_at": "timestamp", "amount": "double"}
