"""Figures with their evidence: what was measured by which run, what is derived, what is assumed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import as_file, files
from typing import Any, Final, Literal, get_args

from airflow_provider_etl.capacity.quantities import number
from airflow_provider_etl.capacity.reading import below, entries, mapping, place, text
from airflow_provider_etl.spec.nodes import MapNode, Node
from spark_jobs.errors import ConfigError

Basis = Literal["measured", "derived", "assumed"]
_NUMBERS: Final = ("value", "least", "most", "records", "record_bytes")
_TOP: Final = {"runs": None, "figures": None}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What measured a figure.

    Args:
        what: the benchmark, or the pipeline.
        machine, date, commit, versions: where and when, of which code.
        records: how many it moved.
        record_bytes: of each, as it was read.
        remark: what one should know of it.
    """

    what: str
    machine: str = "not told"
    date: str = "not told"
    commit: str = "not told"
    versions: str = "not told"
    records: float = 0.0
    record_bytes: float = 0.0
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number and how it is known.

    Args:
        value: the number, above 0.
        unit: of what.
        basis: measured, derived or assumed.
        run: the name of the run that measured it, or that it is derived of; none where it is assumed.
        why: what it rests on.
        least, most: between which values the runs' were, where there were several.
    """

    value: float
    unit: str
    basis: Basis
    run: str = ""
    why: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def told(self) -> str:
        """The number, and from where to where it went."""
        spread = f" ({number(self.least)} to {number(self.most)})" if self.least and self.most else ""
        return f"{number(self.value)}{spread} {self.unit}"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All of them.

    Args:
        known: name -> figure.
        runs: name -> run.
    """

    known: Mapping[str, Figure]
    runs: Mapping[str, Run]

    def value(self, name: str) -> float:
        """A figure's number."""
        return self.known[name].value

    def run_of(self, name: str) -> Run:
        """The run that measured a figure."""
        return self.runs[self.known[name].run]

    @property
    def record_bytes(self) -> float:
        """Of the records of which `cpu` is told.

        Raises:
            ConfigError: it names no run, or one that doesn't say.
        """
        run = self.runs.get(self.known["cpu"].run)
        if run is None or not run.record_bytes:
            remedy = "name its run, measured or derived, and the run's record_bytes"
            raise ConfigError("nothing says how large the records were", where="figures.cpu", remedy=remedy)
        return run.record_bytes

    def with_value(self, name: str, value: float) -> Figures:
        """The same with another number."""
        return replace(self, known={**self.known, name: replace(self.known[name], value=value)})

    def under(self, other: Figures) -> Figures:
        """The same, replaced by what another set names."""
        return Figures(known={**self.known, **other.known}, runs={**self.runs, **other.runs})

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "runs": {name: asdict(run) for name, run in self.runs.items()},
            "figures": {name: asdict(figure) for name, figure in self.known.items()},
        }


@functools.cache
def ours() -> Figures:
    """Those that ship."""
    with as_file(files("airflow_provider_etl").joinpath("capacity/figures.yaml")) as path:
        return _read(str(path), base=None)


def replaced(base: Figures, path: str) -> Figures:
    """Figures with those of a file in their place.

    Args:
        base: those that hold where the file says nothing.
        path: a YAML file of the form of figures.yaml.

    Raises:
        ConfigError: the file, with place and remedy.
    """
    return base.under(_read(path, base))


def _read(path: str, base: Figures | None) -> Figures:
    found = {key: below(node) for key, node in entries(mapping(path), _TOP)}
    runs = {name: _run(node) for name, node in entries(found["runs"])} if "runs" in found else {}
    all_runs = {**(base.runs if base else {}), **runs}
    known = {}
    for name, node in entries(found["figures"], base.known if base else None) if "figures" in found else ():
        known[name] = _figure(below(node), all_runs, base.known[name].unit if base else "")
    return Figures(known=known, runs=runs)


def _figure(node: MapNode, runs: Mapping[str, Run], unit: str) -> Figure:
    said = {"unit": unit, **_said(node, Figure)}
    if unit and said["unit"] != unit:
        raise ConfigError(f"unit {said['unit']!r}", where=place(node), expected=unit)
    if "value" not in said:
        raise ConfigError("no value", where=place(node), expected="a number above 0")
    if said.get("basis") not in get_args(Basis):
        raise ConfigError(f"basis {said.get('basis')!r}", where=place(node), expected=" or ".join(get_args(Basis)))
    if (said["basis"] != "assumed") != (said.get("run", "") in runs):
        expected = f"one of {', '.join(runs) or 'the runs of the file'}, and none where it is assumed"
        raise ConfigError(f"run {said.get('run', '')!r}", where=place(node), expected=expected)
    return Figure(**said)


def _run(node: Node) -> Run:
    said = _said(below(node), Run)
    if "what" not in said:
        raise ConfigError("no `what`", where=place(node), expected="what was run")
    return Run(**said)


def _said(node: MapNode, kind: type) -> dict[str, Any]:
    known = {item.name: None for item in fields(kind)}
    return {key: _number(item) if key in _NUMBERS else text(item) for key, item in entries(node, known)}


def _number(node: Node) -> float:
    try:
        value = float(text(node))
    except ValueError:
        value = 0.0
    if not 0 < value < 1e18:
        raise ConfigError(repr(text(node)), where=place(node), expected="a number above 0")
    return value


def found_by(run: str, old: Figure, value: float, why: str, basis: Basis = "measured") -> Figure:
    """A figure of the same unit by another run."""
    return replace(old, value=value, basis=basis, run=run, why=why, least=None, most=None)
