"""The locks of the jars that ship: which they are, by coordinates and SHA-256."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, kw_only=True)
class Jar:
    """One line of a lock."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""

    @property
    def coordinates(self) -> str:
        """`group:artifact:version`, and the classifier where it has one."""
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file(self) -> str:
        """The file's name without its group."""
        return f"{'-'.join(filter(None, (self.artifact, self.version, self.classifier)))}.jar"

    @property
    def name(self) -> str:
        """The file's name in the folder: Spark's resolver calls it so too."""
        return f"{self.group}_{self.file}"


def locked() -> list[Jar]:
    """The jars that the lock of this package names."""
    return of_lock(files("airflow_provider_etl").joinpath("jars.lock").read_text(encoding="utf-8"))


def locked_for_s3() -> list[Jar]:
    """The jars that only plans with s3a:// paths need, in a folder of their own: `s3` below that of the others."""
    return of_lock(files("airflow_provider_etl").joinpath("jars-s3.lock").read_text(encoding="utf-8"))


def of_lock(text: str) -> list[Jar]:
    """The jars of a lock: a line `group:artifact:version sha256` each; a classifier may follow the version."""
    found = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            coordinates, digest = line.split()
            group, artifact, version, *rest = coordinates.split(":")
            found.append(Jar(group=group, artifact=artifact, version=version, sha256=digest, classifier="".join(rest)))
    return found
