"""What the locks name: packages of Python and jars, each with a version, as components of a CycloneDX bill."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec.locks import locked as jars_locked
from airflow_provider_etl.spec.locks import locked_for_s3

ROOT: Final = Path(__file__).resolve().parent.parent
LOCKS: Final = ("demo", "dev", "compose", "constraints")
_PIN: Final = re.compile(r"^([\w.-]+)(?:\[[^]]*])?==([^ ;\\]+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What `licences.toml` says.

    Args:
        allowed: SPDX names of licences that a part may have.
        words: what packages say in place of an SPDX name -> that; an empty text says nothing.
        packages: package@version -> SPDX expression.
        jars: group@version, or group:artifact@version -> SPDX expression.
    """

    allowed: frozenset[str]
    words: Mapping[str, str]
    packages: Mapping[str, str]
    jars: Mapping[str, str]

    @classmethod
    def read(cls) -> Known:
        """As the file has it."""
        told = tomllib.loads((ROOT / "supply/licences.toml").read_text(encoding="utf-8"))
        return cls(**(told | {"allowed": frozenset(told["allowed"])}))

    def package(self, name: str, version: str) -> str:
        """What is known of a package in this version; empty where nothing is."""
        return self.packages.get(f"{plain(name)}@{version}", "")

    def jar(self, group: str, artifact: str, version: str) -> str:
        """What is known of a jar in this version; empty where nothing is."""
        return self.jars.get(f"{group}:{artifact}@{version}") or self.jars.get(f"{group}@{version}", "")

    def others(self, group: str, name: str) -> list[str]:
        """The versions of a part, of a package where it has no group, that something is known of."""
        names = {f"{group}:{name}", group} if group else {plain(name)}
        told = [key.rpartition("@") for key in (self.jars if group else self.packages)]
        return sorted(version for known, _, version in told if known in names)


def plain(name: str) -> str:
    """A package's name as all its spellings have it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Package -> version, of all locks; of several versions that of the first lock."""
    found: dict[str, str] = {}
    for lock in LOCKS:
        text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        for name, version in _PIN.findall(text):
            found.setdefault(plain(name), version)
    return found


def jars(known: Known) -> Iterator[dict[str, Any]]:
    """The jars of the locks that ship.

    Args:
        known: their licences; one that isn't known is left out.
    """
    for jar in [*jars_locked(), *locked_for_s3()]:
        licence = known.jar(jar.group, jar.artifact, jar.version)
        purl = f"pkg:maven/{jar.group}/{jar.artifact}@{jar.version}?type=jar"
        part = _component(jar.artifact, jar.version, purl, licence)
        yield part | {"group": jar.group, "hashes": [{"alg": "SHA-256", "content": jar.sha256}]}


def absent(components: list[dict[str, Any]], known: Known) -> Iterator[dict[str, Any]]:
    """Packages of the locks that aren't installed where the bill was written.

    Args:
        components: those that are.
        known: their licences.
    """
    there = {plain(item["name"]) for item in components}
    for name, version in locked().items():
        if name not in there:
            yield _component(name, version, f"pkg:pypi/{name}@{version}", known.package(name, version))


def _component(name: str, version: str, purl: str, licence: str) -> dict[str, Any]:
    made = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return made | ({"licenses": [{"expression": licence}]} if licence else {})
