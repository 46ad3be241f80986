"""Given the locks, then every part of the product is in its bill of materials, with a licence that is allowed."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

from supply.__main__ import complete, main
from supply.judging import judged
from supply.parts import LOCKS, Known, absent, jars, locked
from tests.packaging.conftest import ROOT

KNOWN = Known.read()


def part(name: str, *licences: dict[str, Any], version: str = "1") -> dict[str, Any]:
    return {"type": "library", "bom-ref": name, "name": name, "version": version, "licenses": list(licences)}


def problem(*licences: dict[str, Any], name: str = "x", version: str = "1") -> str:
    [verdict] = judged([part(name, *licences, version=version)], KNOWN)
    return verdict.problem


@pytest.mark.parametrize(
    "expression",
    ["MIT", "Apache-2.0 OR GPL-3.0-only", "(MIT OR GPL-2.0-only) AND BSD-3-Clause", "MPL-2.0 AND MIT", "ISC"],
)
def test_what_can_be_kept_with_allowed_licences_is_no_problem(expression: str) -> None:
    assert not problem({"expression": expression})


@pytest.mark.parametrize(
    "expression",
    [
        *("GPL-3.0-only", "AGPL-3.0-or-later", "Elastic-2.0", "FSL-1.1-MIT", "BUSL-1.1", "SSPL-1.0", "proprietary"),
        *("MIT AND GPL-2.0-only", "MIT OR", "(MIT", "MIT MIT", ")", "Apache-2.0 WITH LLVM-exception AND GPL-2.0-only"),
    ],
)
def test_any_other_is(expression: str) -> None:
    assert "isn't allowed by supply/licences.toml" in problem({"expression": expression})


def test_a_classifier_counts_and_one_that_says_nothing_does_not() -> None:
    mit = {"license": {"name": "License :: OSI Approved :: MIT License"}}
    gpl = {"license": {"name": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"}}
    empty = {"license": {"name": "License :: DFSG approved"}}
    assert not problem(mit, empty)
    assert "GPLv3" in problem(mit, gpl)
    assert "nobody says its licence" in problem(empty)
    assert "nobody says its licence" in problem()


def test_a_package_that_can_not_say_it_is_known() -> None:
    assert not problem(name="openlineage_sql", version=locked()["openlineage-sql"])
    assert not problem({"license": {"id": "GPL-2.0-or-later"}}, name="text-unidecode", version="1.3")


@pytest.mark.parametrize("licences", [[], [{"license": {"id": "MIT"}}]])
def test_what_is_known_of_one_version_says_nothing_of_another(licences: list[dict[str, Any]]) -> None:
    told = problem(*licences, name="Text_Unidecode", version="2.0")
    assert "its licence is known of 1.3 alone: read `pip download --no-deps Text_Unidecode==2.0`" in told
    assert "name 2.0 in supply/licences.toml" in told
    [jar] = judged([part("postgresql", version="99") | {"group": "org.postgresql"}], KNOWN)
    assert re.search(r"its licence is known of [\d.]+ alone: read its POM, and name 99", jar.problem)


def test_whatever_is_known_is_of_a_version_that_is_locked() -> None:
    """Else it waits for a version that nobody has read, or is of one that is gone."""
    pins = "".join((ROOT / "requirements" / f"{name}.txt").read_text() for name in LOCKS)
    assert not [key for key in KNOWN.packages if key.replace("@", "==") not in pins]
    locked_jars = [(item["group"], item["name"], item["version"]) for item in jars(KNOWN)]
    names = {key for group, name, version in locked_jars for key in (f"{group}@{version}", f"{group}:{name}@{version}")}
    assert not [key for key in KNOWN.jars if key not in names]


def test_every_jar_that_ships_is_in_the_bill_with_hash_and_licence() -> None:
    found = list(jars(KNOWN))
    lines = [
        line.split()
        for name in ("jars.lock", "jars-s3.lock")
        for line in (ROOT / "airflow_provider_etl" / name).read_text().splitlines()
        if line and not line.startswith("#")
    ]
    told = [(f"{item['group']}:{item['name']}:{item['version']}", item["hashes"][0]["content"]) for item in found]
    assert sorted(told) == sorted((coordinates, digest) for coordinates, digest in lines)
    assert [item for item in judged(found, KNOWN) if item.problem] == []
    nothing = replace(KNOWN, jars={})
    [bad, *_] = judged(jars(nothing), nothing)
    assert "nobody says its licence" in bad.problem


def test_a_package_of_a_lock_that_is_not_installed_here_is_known() -> None:
    """Those of other platforms, and of extras that the tests don't need."""
    installed = [part(name) for name in locked() if _there(name)]
    more = list(absent(installed, KNOWN))
    assert {item["name"] for item in more} | {item["name"] for item in installed} == set(locked())
    assert [item for item in judged(more, KNOWN) if item.problem] == []


def _there(name: str) -> bool:
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def test_a_bill_is_completed_once_and_a_part_that_can_not_be_used_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bill = tmp_path / "sbom.cdx.json"
    bill.write_text(json.dumps({"components": [part("pyspark", {"expression": "Apache-2.0"})]}))
    once = complete(bill, KNOWN)
    assert once > len(locked())
    assert complete(bill, KNOWN) == once
    told = json.loads(bill.read_text())
    told["components"] = [*jars(KNOWN), part("evil", {"expression": "AGPL-3.0-only"})]
    bill.write_text(json.dumps(told))
    assert main("licences", tmp_path) == 1
    assert capsys.readouterr().err == "evil 1: AGPL-3.0-only isn't allowed by supply/licences.toml: use another part\n"
    assert "| org.postgresql:postgresql | " in (tmp_path / "licences.md").read_text()


@pytest.mark.prove
def test_the_bill_of_this_checkout_is_cyclonedx_and_all_its_parts_may_be_used() -> None:
    told = subprocess.run(["make", "-C", str(ROOT), "licences"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert re.search(r"\d{3} parts, 0 that can't be used", told.stdout)
