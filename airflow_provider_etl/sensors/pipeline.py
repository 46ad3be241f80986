"""Condition `pipeline`: another pipeline has loaded what this window needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from airflow_provider_etl.sensors.condition import Answer, Asking, Condition, span
from airflow_provider_etl.sensors.coverage import Span, cut, gap
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC
from spark_jobs.ledger import LoadUnit
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


_PLACE: Final = ("type", "path", "connection", "catalog", "table")  # what a ledger is found by


@dataclass(frozen=True, kw_only=True)
class Lookback:
    """The window, and time before it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    lookback: timedelta = field(metadata={"ge": timedelta(seconds=1)})
    """How far before the window's start the other pipeline's windows must reach."""


@dataclass(frozen=True, kw_only=True)
class OtherPipeline(Condition):
    """Windows of another pipeline."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = "pipeline: {name: customers, timeout: 2h, on_timeout: skip}"
    shorthand: ClassVar[str] = "name"

    name: str = field(metadata={"min_length": 1})
    """The other pipeline: its file's name without the ending."""
    window: Literal["same", "covering"] | Lookback = "covering"
    """Which of its windows: those that cover this window together, the very same one, or `{lookback: 1d}`: those that
    cover this window and time before it."""
    by: Literal["ledger", "airflow"] = "ledger"
    """Who is asked: the ledger in its tables, or Airflow whether the runs of its schedule have succeeded."""
    load: str | None = field(default=None, metadata={"min_length": 1})
    """One of its loads; by default all of them."""

    @property
    def told(self) -> str:
        """What is waited for, in words."""
        what = f"pipeline {self.name}" + (f", load {self.load}" if self.load else "")
        if isinstance(self.window, Lookback):
            return f"{what}: its windows over this one and {span(self.window.lookback)} before, by {self.by}"
        return f"{what}: {'the same window' if self.window == 'same' else 'its windows over this one'}, by {self.by}"

    def prepare(self, window: Window, other: Pipeline | None) -> dict[str, Any]:
        """What has to be loaded, as JSON: found out once, where the pipelines' files are.

        Args:
            window: this pipeline's.
            other: the pipeline that is waited for; None where it has no file here: then Airflow alone can be asked.

        Raises:
            ConfigError: no such file or load, a window outside its life, or a schedule that cuts no windows.
        """
        same = self.window == "same"
        if other is None and not (same and self.by == "airflow"):
            raise ConfigError(
                f"there is no pipeline file of the name {self.name!r}",
                where="wait_for pipeline",
                expected="one in the same folder, or in one below or above it",
                remedy="for another DAG of Airflow, say window: same and by: airflow",
            )
        wanted = (window.start, window.end) if other is None else self._wanted(window, other)
        windows = [wanted] if same or other is None else self._windows(other, wanted)
        loads = _loaded_of(other, windows) if other is not None and (same or other.cuts) else windows
        prepared: dict[str, Any] = {
            "wanted": _json(wanted),
            "windows": [_json(item) for item in loads],
            "left_out": [_json(item) for item in windows if item not in loads],
        }
        if self.by == "ledger" and other is not None:
            prepared["loads"] = self._loads(other, Window(start=wanted[0], end=wanted[1], timezone=other.timezone))
        return prepared

    def _wanted(self, window: Window, other: Pipeline) -> Span:
        """The span that must be loaded, cut to the time in which the other pipeline has windows at all."""
        back = self.window.lookback if isinstance(self.window, Lookback) else timedelta()
        start, end = window.start - back, window.end
        first, last = _life(other)
        if self.window != "same":
            start, end = max(start, first or start), min(end, last or end)
        if start >= end or (first and window.end <= first):
            raise ConfigError(
                f"{self.name} loads {_told(first)} to {_told(last)}: nothing of window {window}",
                where="wait_for pipeline",
                expected="a window within that time",
            )
        return start, end

    def _windows(self, other: Pipeline, wanted: Span) -> list[Span]:
        if other.cuts:
            return list(cut(other.cuts, wanted))
        if self.by == "ledger":
            return [wanted]
        raise ConfigError(
            f"{self.name} has no schedule in time: Airflow doesn't know the windows of its runs",
            where="wait_for pipeline",
            remedy="say by: ledger",
        )

    def _loads(self, other: Pipeline, window: Window) -> list[dict[str, Any]]:
        units = other.units(window)
        if self.load is not None and self.load not in units:
            raise ConfigError(
                f"{self.name} has no load {self.load!r}", where="wait_for pipeline", expected=", ".join(units)
            )
        return [
            {
                "load": name,
                "table": {
                    key: options[key]
                    for key in ("type", "path", "connection", "catalog", "table", "store")
                    if key in options
                },
                "pipeline": unit.pipeline,
                "destination": unit.destination,
                "snapshot": unit.snapshot,
            }
            for name, (unit, options) in units.items()
            if self.load in (None, name)
        ]

    def ready(self, asking: Asking) -> Answer:
        """Whether the windows are loaded, or their runs have succeeded."""
        prepared: Mapping[str, Any] = asking.prepared
        windows = [_span(item) for item in prepared["windows"]]
        left_out = [_span(item) for item in prepared.get("left_out", ())]  # none where an older version has prepared it
        if not windows and left_out:
            return Answer(found=True, seen=f"{self.name} leaves {_words(_span(prepared['wanted']))} out (skip_if)")
        if self.by == "airflow":
            return self._by_airflow(windows)
        for load in prepared["loads"]:
            lacking = _lacking(load, _span(prepared["wanted"]), windows, left_out, same=self.window == "same")
            if lacking:
                return Answer(found=False, seen=f"load {load['load']} lacks {lacking}")
        return Answer(found=True, seen=f"loaded: {_words(_span(prepared['wanted']))}")

    def _by_airflow(self, windows: list[Span]) -> Answer:
        from airflow_provider_etl.compat import successful_runs

        count = successful_runs(self.name, [start for start, _ in windows])
        seen = f"{count} of {len(windows)} runs have succeeded"
        return Answer(found=count >= len(windows), seen=seen)


def _life(other: Pipeline) -> tuple[datetime | None, datetime | None]:
    """The start of a pipeline's first window and the end of its last one; None where there is no such limit."""
    start, end, cuts = other.start, other.end, other.cuts
    if cuts:
        start = start and cuts.first(start)
        end = end and (end if cuts.first(end) == end else cuts.previous(end))
    return start, end


def _loaded_of(other: Pipeline, windows: list[Span]) -> list[Span]:
    """The windows that a pipeline doesn't leave out by their date; what its storage lacks can come yet."""
    loads = other.loaded_of((_window(item) for item in windows), ask=False)
    return [(window.start, window.end) for window in loads]


def _lacking(load: Mapping[str, Any], wanted: Span, windows: list[Span], left_out: list[Span], *, same: bool) -> str:
    """What one load's ledger lacks, in words; empty where it holds everything."""
    from airflow_provider_etl.hooks.tables import ledger_of, unasked

    table = load["table"]  # a path alone where an older version has prepared it
    hook = ledger_of({"type": "delta", "path": table} if isinstance(table, str) else table)
    if hook.silent:  # nobody waits for ever
        remedy = "wait for the pipeline's DAG run, or for another load of it"
        raise unasked(load["pipeline"], load["destination"], remedy)
    who = {"pipeline": load["pipeline"], "destination": load["destination"]}
    if load["snapshot"]:
        unit = LoadUnit(**who, window=Window(start=wanted[0], end=wanted[1]), snapshot=True)
        reached = hook.snapshot_end(unit)
        last = min(wanted[1], max(end for _, end in windows))
        enough = last.replace(second=0, microsecond=0)  # a snapshot's number counts minutes
        return "" if reached and reached >= enough else f"a snapshot of {iso(last)} (has {_told(reached)})"
    held = [item for item in windows if hook.number(LoadUnit(**who, window=_window(item))) is not None]
    if same:
        return "" if held else _words(wanted)
    held += left_out
    lacking = gap(wanted, held)
    # Windows that no schedule cuts (run by hand) stand in the commits' own words, as far as the log goes back.
    lacking = lacking and gap(wanted, [*held, *hook.windows(**who)])
    return _words(lacking) if lacking else ""


def _window(item: Span) -> Window:
    return Window(start=item[0], end=item[1])


def _json(item: Span) -> list[str]:
    return [iso(item[0]), iso(item[1])]


def _span(item: list[str]) -> Span:
    return datetime.fromisoformat(item[0]), datetime.fromisoformat(item[1])


def _words(item: Span) -> str:
    return f"{iso(item[0])}/{iso(item[1])}"


def _told(instant: datetime | None) -> str:
    return iso(instant) if instant else "none"
