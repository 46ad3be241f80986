"""Every code that lint tells is in the catalogue, and every example gives what the catalogue says of it."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from airflow_provider_etl.cli import lint
from airflow_provider_etl.cli.main import parser
from airflow_provider_etl.spec import Diagnostic
from airflow_provider_etl.spec.catalogue import BASE, RULES
from airflow_provider_etl.spec.catalogue.rule import Example, Rule
from airflow_provider_etl.spec.verbs import REGISTRIES
from spark_jobs import kinds
from tests.spec.conftest import CATALOGS, ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
# Words with a dash that are no codes.
OTHERS = {"utf-8", "date-time", "ignore-file", "scd-2"}
SOURCES = [
    *(ROOT / "airflow_provider_etl/spec").rglob("*.py"),
    ROOT / "airflow_provider_etl/cli/lint.py",
    ROOT / "spark_jobs/outline.py",
]


def raised() -> set[str]:
    """Every text in the reader, the rules and lint that looks like a code."""
    found = set()
    for path in SOURCES:
        if "catalogue" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if re.fullmatch(r"[a-z]+(-[a-z0-9]+)+|secret", node.value) else set()
    return found - OTHERS


def test_every_code_that_is_raised_is_in_the_catalogue_and_the_other_way_round() -> None:
    missing, stale = raised() - set(RULES), set(RULES) - raised()
    assert not missing, f"add a Rule to airflow_provider_etl/spec/catalogue for {sorted(missing)}"
    assert not stale, f"no rule raises {sorted(stale)}"


@dataclass(frozen=True, kw_only=True)
class Merge:
    """A strategy that no destination of this release has; a fake."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = kinds.PYDANTIC

    strategy: Literal["merge"]
    """How rows reach the table."""
    sequence: tuple[str, ...] = ()
    """What orders the rows of a key."""


@dataclass(frozen=True, kw_only=True)
class Merging:
    """A destination with it; a fake."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = kinds.PYDANTIC
    type: ClassVar[str] = "merging"

    write: Merge = field()
    """How rows reach the table."""


@dataclass(frozen=True, kw_only=True)
class Falling:
    """A step with a mistake in its code; a fake."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = kinds.PYDANTIC

    def conflicts(self) -> dict[str, str]:
        """Options that can't be."""
        return {"share": str(1 // 0)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.setitem(REGISTRIES["load"], "merging", f"{__name__}:Merging")  # type: ignore[arg-type]
    monkeypatch.setitem(REGISTRIES["transform"], "broken", "no.such.module:Kind")  # type: ignore[arg-type]
    monkeypatch.setitem(REGISTRIES["transform"], "falling", f"{__name__}:Falling")  # type: ignore[arg-type]
    (tmp_path / "config/environments").mkdir(parents=True)
    (tmp_path / "config/environments/local.yaml").write_text(ENVIRONMENT + CATALOGS)
    (tmp_path / "dags/empty").mkdir(parents=True)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/web.yaml").write_text(BASE)
    (tmp_path / "linked/there").symlink_to(tmp_path / "dags/empty")
    monkeypatch.chdir(tmp_path / "dags")
    return tmp_path / "dags"


def linted(rule: Rule, example: Example, folder: Path) -> list[Diagnostic]:
    """What `lint` tells of an example."""
    found: list[Diagnostic] = []
    arguments = ["lint", "."]
    files, variables = rule.files(example), dict[str, str]()
    if rule.command:
        words, files = shlex.split(str(example)), {"orders.yaml": BASE}
        given = list(takewhile(lambda word: "=" in word, words))
        variables = dict(word.split("=", 1) for word in given)
        arguments = words[len(given) + 1 :]
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    options = parser(["lint"]).parse_args(arguments)
    paths, found = lint.files_of(options.paths)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return lint.diagnostics_of(paths, found, options)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_wrong_example_gives_exactly_the_code_and_the_right_one_none(rule: Rule, folder: Path) -> None:
    wrong = linted(rule, rule.wrong, folder)
    assert {item.code for item in wrong} == {rule.code}, [str(item) for item in wrong]
    assert {item.severity for item in wrong} == {rule.severity}
    assert all(item.message for item in wrong)
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert [str(item) for item in linted(rule, rule.right, folder)] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_why_and_what_to_do(rule: Rule) -> None:
    assert rule.why.endswith(".")
    assert rule.mend.endswith(".")
    assert len(rule.why) > 40
