"""Whether rows that were set aside may be loaded alone: only where that leaves what a run of the window would.

Rows that are loaded add to what their window has brought; nothing of that goes. So the strategy must take more rows of
a window that is loaded, and each row must come through the steps and checks without the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Protocol

from spark_jobs.alone.origins import few
from spark_jobs.audit import wanted
from spark_jobs.check.expectation import Expectation
from spark_jobs.errors import ConfigError
from spark_jobs.load.by_key import Cdc, Merge, Scd2
from spark_jobs.load.strategies import Append
from spark_jobs.privacy import masks

_ONE_BY_ONE: Final = frozenset(
    {"cast", "clean", "derive", "drop", "filter", "flatten", "lookup", "rename", "select", "validate"}
)
"""Steps that ask nothing of the other rows."""
_KEEPING: Final = frozenset({"clean", "derive", "filter", "lookup", "validate"})
"""Those of them after which a row still has all that its source gave, so that it may go through them once more."""
_OVER: Final = re.compile(r"\bover\b", re.IGNORECASE)
_COMPARING: Final = {
    "unique": "compares rows with others of their window",
    "monotonic": "compares rows with others of their window",
    "python": "calls a function, which may compare rows with others of their window",
}
_FEW: Final = "reads rows of the same source, of which only a few are here"
_WHOLE: Final = "it replaces its {what} whole: rows alone would take the place of all others"


class Told(Protocol):
    """What is asked of a pipeline, or of a plan of it."""

    @property
    def extract(self) -> Mapping[str, Any]:
        """Name -> source."""

    @property
    def transform(self) -> Mapping[str, Any]:
        """Name -> dataset."""

    @property
    def check(self) -> Mapping[str, tuple[tuple[str, Any], ...]]:
        """Dataset -> checks."""

    @property
    def load(self) -> Mapping[str, tuple[str, Any]]:
        """Name -> (dataset, destination)."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How rows of a source come to the one load.

    Args:
        load: its name.
        source: the source's name.
        datasets: the source and every dataset that they pass: what others refuse is no row of the load.
        steps: all steps from the source to the load, each `(name, kind)`.
    """

    load: str
    source: str
    datasets: frozenset[str]
    steps: tuple[tuple[str, Any], ...]

    def added(self) -> set[str]:
        """The columns that steps may have added to a row, in small letters."""
        return {name.lower() for kind, step in self.steps for name in _added(kind, step)}

    def changed(self, columns: Mapping[str, Any]) -> str:
        """Why a row behind the steps isn't what its source gave; empty where it is.

        Args:
            columns: the source's.
        """
        for place, (name, step) in enumerate(self.steps):
            if name not in _KEEPING:
                return f"step {name} changes what a row has"
            if name == "clean" and place:  # cleaned twice over is the same, but not to the steps between
                return "step clean changes what the steps before it have seen"
            twice = next((item for item in _added(name, step) if item.lower() in {own.lower() for own in columns}), "")
            if twice:
                return f"step {name} changes column {twice} of the source"
        return ""


def _added(name: str, step: Any) -> tuple[str, ...]:
    if name == "derive":
        return tuple(step.expressions)
    if name == "lookup":
        return (*(step.columns or ()), *step.default, *(("_inferred",) if step.infer else ()))
    return ()


def way(told: Told, where: str, *, reaches_back: bool) -> Way:
    """How rows alone come to the load.

    Args:
        told: the pipeline, or a plan of it.
        where: the pipeline's name.
        reaches_back: whether windows read more than their own rows (`lookback`).

    Raises:
        ConfigError: rows alone can't be loaded, with the reason.
    """
    reason = next(_reasons(told, reaches_back=reaches_back), None)
    if reason is None:
        return _way(told)
    raise ConfigError(
        f"--rows: {reason}",
        where=where,
        expected="a load of type delta by append, or by merge, scd2 or cdc with a sequence; steps of single rows",
        remedy="leave --rows out: the window is run again with the file as it is now, which loads no row twice",
    )


def _reasons(told: Told, *, reaches_back: bool) -> Iterator[str]:
    """Why not, the first one first."""
    if len(told.load) != 1:
        yield f"there are {len(told.load)} loads, and no one commit covers their tables and the quarantine"
    yield from _of_loads(told)
    if reaches_back:
        yield "with lookback a window's rows are computed from those before it too"
    for name, source in told.extract.items():
        if getattr(source, "consumes", False) or getattr(source, "changes", False):
            yield f"source {name} gives each window what no other has read, and the load keeps what that was"
    yield from _of_source(told)
    yield from _of_steps(told)
    yield from _of_checks(told)


def _of_loads(told: Told) -> Iterator[str]:
    for name, (_, destination) in told.load.items():
        if (why := _of_load(destination)) is not None:
            yield f"load {name} is by {destination.write.strategy}, and {why}"
        if destination.type != "delta":
            yield f"load {name} is of type {destination.type}: only a Delta table's commit says to which others it adds"


def _of_source(told: Told) -> Iterator[str]:
    name = _way(told).source
    if wanted(told.extract.get(name)):
        yield f"source {name} has audit_columns, which would say of these rows that they come from the quarantine"


def _of_checks(told: Told) -> Iterator[str]:
    for dataset, checks in told.check.items():
        for name, check in checks:
            label = f"check {check.name or name} of {dataset}"
            if name in _COMPARING:
                yield f"{label} {_COMPARING[name]}"
            if few(told, check, _way(told).source):
                yield f"{label} {_FEW}"


def _of_load(destination: Any) -> str | None:
    """Why a strategy can't take rows of a window that is loaded; None where it can."""
    write = destination.write
    if isinstance(write, Append):
        return None
    if not isinstance(write, Merge | Scd2 | Cdc):
        return _WHOLE.format(what="table" if write.strategy == "snapshot" else "window")
    if not write.sequence:
        return "without a sequence nothing says which of two rows of a key is newer"
    if isinstance(write, Merge) and write.update != "all":
        return "where it updates some columns only, the order in which rows come shows"
    if isinstance(write, Cdc) and write.after is not None:
        return "its records stand in envelopes"
    return None


def _of_steps(told: Told) -> Iterator[str]:
    if any(masks(step) for dataset in told.transform.values() for _, step in dataset.steps):
        yield "the pipeline masks columns: what the quarantine keeps may be masked, or no record at all"
    found = _way(told)
    if found.source not in told.extract:
        yield f"the load's rows don't come from a source, but from {found.source!r}"
    for name, step in found.steps:
        if name not in _ONE_BY_ONE or getattr(step, "duplicates", "keep") == "drop":
            yield f"step {name} makes rows of several: a record can't be read back as rows of the source"
        expressions = [*getattr(step, "expressions", {}).values(), *getattr(step, "rules", {}).values()]
        if any(_OVER.search(text) for text in expressions):
            yield f"step {name} looks at other rows of the window"
        if few(told, step, found.source):
            yield f"step {name} {_FEW}"


def _way(told: Told) -> Way:
    load, (name, _) = next(iter(told.load.items()))
    steps: list[tuple[str, Any]] = []
    seen = set[str]()
    while name in told.transform and name not in seen:
        seen.add(name)
        steps = [*told.transform[name].steps, *steps]
        name = told.transform[name].source
    return Way(load=load, source=name, datasets=frozenset({*seen, name}), steps=tuple(steps))


def of_rows(checks: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
    """Those checks of a dataset that judge single rows, as they are asked of a few of them.

    What all rows say together says nothing of a few, and so does the share of those that pass (`mostly`): failing rows
    are set aside, or loaded, as in a window where enough others pass. Great Expectations' own may be either.
    """
    return tuple((name, _shareless(check)) for name, check in checks if _asks_rows(check))


def _asks_rows(check: Any) -> bool:
    if isinstance(check, Expectation):
        return False
    kinds = {item.name: str(item.type) for item in fields(check)}
    return kinds.get("on_fail") == "OnFail" or "quarantine" in kinds.get("on_fail", "")


def _shareless(check: Any) -> Any:
    share = getattr(check, "mostly", None)
    return replace(check, mostly=0.0) if share is not None and share < 1 else check
