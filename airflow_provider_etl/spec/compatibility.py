"""Which jars fit a line of Spark, from compat.toml; a set that can't be is refused with its reason."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from typing import Any, Final, Literal

from airflow_provider_etl.spec.locks import locked, locked_for_s3

LINE: Final = "4.1"  # of the pyspark that this package pins
Evidence = Literal["run", "documented", "none"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of Spark: what its release brings."""

    name: str
    pyspark: str
    scala: str
    hadoop: str
    java: str
    python: str
    evidence: Evidence
    why: str


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What a part needs on some lines of Spark.

    Args:
        spark: the lines.
        packages: Maven coordinates; none where there is nothing to be had.
        brought: whether the cluster brings it.
        evidence: run, documented or none.
        why: why these, or why none.
    """

    spark: tuple[str, ...]
    evidence: Evidence
    why: str
    packages: tuple[str, ...] = ()
    brought: bool = False

    @property
    def possible(self) -> bool:
        """Whether the part is to be had."""
        return bool(self.packages) or self.brought


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a pipeline may use beside Spark itself, and how it is recognised; see compat.toml."""

    name: str
    title: str
    fits: tuple[Fit, ...]
    types: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    always: bool = False

    def on(self, line: str) -> Fit:
        """What it needs on a line of Spark."""
        unknown = Fit(spark=(line,), evidence="none", why=f"nothing is known of {self.title} on Spark {line}")
        return next((fit for fit in self.fits if line in fit.spark), unknown)


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """A part that a line of Spark hasn't got.

    Args:
        part: its name.
        message: what can't be, and why.
        hint: the nearest that can.
    """

    part: str
    message: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What some parts need on a line of Spark.

    Args:
        line: the line.
        fits: part -> what it needs; the order is that of compat.toml.
        misfits: those that can't be; then there is no set.
    """

    line: str
    fits: Mapping[str, Fit]
    misfits: tuple[Misfit, ...]

    @property
    def packages(self) -> tuple[str, ...]:
        """The coordinates for `spark.jars.packages`."""
        return tuple(item for fit in self.fits.values() for item in fit.packages)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the jars folder, those for S3 below `s3/`; empty on a line that the locks aren't of."""
        if self.line != LINE:
            return ()
        named = [jar.name for jar in locked() if jar.coordinates in self.packages]
        return (*named, *(f"s3/{jar.name}" for jar in locked_for_s3() if "s3" in self.fits))

    @property
    def unlocked(self) -> tuple[str, ...]:
        """The coordinates that no lock has: no folder holds them yet."""
        known = {jar.coordinates for jar in (*locked(), *locked_for_s3())}
        return tuple(item for item in self.packages if item not in known)


def line_of(version: str) -> str:
    """`4.1` of `4.1.3`."""
    return ".".join(version.split(".")[:2])


def resolve(parts: Iterable[str], spark: str = LINE) -> Resolved:
    """What parts need on a version of Spark.

    Args:
        parts: names, as in compat.toml.
        spark: a line or a version, such as 4.1 or 4.1.3.

    Returns:
        What they need; with `misfits` where they can't be together there.
    """
    wanted, line = set(parts), line_of(spark)
    fits = {name: part.on(line) for name, part in known().items() if name in wanted}
    misfits = tuple(_misfit(name, fit, line, tuple(fits)) for name, fit in fits.items() if not fit.possible)
    return Resolved(line=line, fits=fits, misfits=misfits)


def _misfit(name: str, fit: Fit, line: str, wanted: tuple[str, ...]) -> Misfit:
    return Misfit(
        part=name,
        message=f"{known()[name].title} can't be used on Spark {line}: {fit.why}",
        hint=_nearest(line, wanted) or f"no line of Spark that is known has {', '.join(wanted)} together",
    )


def _nearest(line: str, wanted: tuple[str, ...]) -> str:
    """The line that has all of them and is nearest; empty where there is none."""
    able = [other for other in lines() if all(known()[name].on(other).possible for name in wanted)]
    if not able:
        return ""
    best = min(able, key=lambda other: abs(_minor(other) - _minor(line)))
    jars = [item for name in wanted for item in known()[name].on(best).packages]
    return f"Spark {best} has all that the pipeline uses: {', '.join(jars)}"


def _minor(line: str) -> int:
    major, _, minor = line.partition(".")
    return int(major) * 100 + int(minor or 0)


def lines() -> Mapping[str, Line]:
    """Line of Spark -> what is known of it."""
    return _read()[0]


def known() -> Mapping[str, Part]:
    """Name -> part, in the order of compat.toml."""
    return _read()[1]


@functools.cache
def _read() -> tuple[Mapping[str, Line], Mapping[str, Part]]:
    data = tomllib.loads(files("airflow_provider_etl").joinpath("compat.toml").read_text(encoding="utf-8"))
    found = {name: Line(name=name, **item) for name, item in data["spark"].items()}
    return found, {name: _part(name, item) for name, item in data["part"].items()}


def _part(name: str, data: Mapping[str, Any]) -> Part:
    fits = tuple(Fit(**_frozen(item)) for item in data["fits"])
    return Part(name=name, **_frozen({key: item for key, item in data.items() if key != "fits"}), fits=fits)


def _frozen(data: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(data) - {item.name for kind in (Fit, Part) for item in fields(kind)}
    if unknown:
        raise ValueError(f"compat.toml: unknown key {', '.join(sorted(unknown))}")
    return {key: tuple(item) if isinstance(item, list) else item for key, item in data.items()}
