"""A pipeline, read and checked: immutable, picklable, and able to make the plan of any window."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_etl.notify.message import Notifier
from airflow_provider_etl.spec import scalars, stores, tables
from airflow_provider_etl.spec.engines import Engine
from airflow_provider_etl.spec.environment import Environment
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import Aside, DataDocs, Kept, Pool, Resources, Retries, StepResources, Timeouts
from airflow_provider_etl.spec.lookback import reach
from airflow_provider_etl.spec.options import options
from airflow_provider_etl.spec.params import Param, values_of
from airflow_provider_etl.spec.rules import resolve_paths
from airflow_provider_etl.spec.schedule import (
    Cron,
    Cuts,
    Every,
    Schedule,
    demand_cut,
    local_instant,
    window_at,
    windows,
)
from airflow_provider_etl.spec.sizes import engine_for
from airflow_provider_etl.spec.skipping import SkipIf
from airflow_provider_etl.spec.variables import literal, names_window_in, with_window
from airflow_provider_etl.spec.waiting import Wait
from airflow_provider_etl.version import __version__
from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.table import load_unit
from spark_jobs.plan import VERBS, Attempt, Dataset, Plan
from spark_jobs.window import Window


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One pipeline file, or one mapping of the same shape.

    Args:
        name: the DAG's id.
        id: what tables, ledgers, staging and quarantine know it by; the name, unless the file says another.
        path: the file; None where it was given as a mapping.
        start, end: aware, UTC; end is exclusive.
        timezone: IANA name of the zone in which windows are cut.
        extract: name -> source, `env` substituted, window variables left.
        transform: name -> dataset, in the order of the file.
        check: dataset -> checks, each `(kind's name, kind)`.
        load: name -> (dataset, destination).
        notes: dataset -> place of a check -> what its author notes beside it; no part of the fingerprint.
        values: name of a parameter -> its value: the defaults, until a run gives others.

    The rest is as in `language.PipelineFile`.
    """

    name: str
    id: str
    path: Path | None
    description: str
    doc: str
    owner: str
    owner_links: Mapping[str, str]
    tags: tuple[str, ...]
    schedule: Schedule
    start: datetime | None
    end: datetime | None
    lookback: timedelta | None
    timezone: str
    catchup: bool
    max_active_windows: int
    retries: Retries
    depends_on_previous: bool
    pool: Pool | None
    priority: int | None
    params: Mapping[str, Param]
    timeout: Timeouts
    freshness: timedelta | None
    quarantine: Aside
    results: bool | Kept
    data_docs: DataDocs | None
    skip_if: SkipIf | None
    notify: tuple[Notifier, ...]
    execution: str
    deterministic: bool
    resources: Resources | None
    engine: Engine
    environment: Environment
    extract: Mapping[str, Any]
    transform: Mapping[str, Dataset]
    check: Mapping[str, tuple[tuple[str, Any], ...]]
    load: Mapping[str, tuple[str, Any]]
    values: Mapping[str, Any] = field(default_factory=FrozenMap)
    wait_for: tuple[Wait, ...] = ()
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=FrozenMap)
    complete: Mapping[str, Mapping[str, Any]] = field(default_factory=FrozenMap)

    def with_params(self, given: Mapping[str, Any]) -> Pipeline:
        """The pipeline with the values of a run's parameters; other names are left alone.

        Raises:
            ConfigError: a value that isn't what its parameter may be, or a parameter that has none.
        """
        values = values_of(self.params, given)
        missing = [name for name in self.params if name not in values]
        if missing:
            raise ConfigError(
                f"parameter {', '.join(missing)} has no value",
                where=self.name,
                remedy="give one in the run's form or configuration, or with --param NAME=VALUE",
            )
        return replace(self, values=FrozenMap(values))

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of what decides a window's rows: the verbs, the zone, the package's version; not the window.

        The id isn't in it: it says whose rows they are, and the ledger's units begin with it anyway.
        """
        configuration = {
            "extract": {name: _deciding(source) for name, source in self.extract.items()},
            "transform": {
                name: {"from": item.source, "steps": [{step: kinds.dump(kind)} for step, kind in item.steps]}
                for name, item in self.transform.items()
            },
            "check": {name: [{key: kinds.dump(kind)} for key, kind in items] for name, items in self.check.items()},
            "load": {name: {"from": dataset} | _deciding(kind) for name, (dataset, kind) in self.load.items()},
            "timezone": self.timezone,
            "version": __version__,
            **({"lookback": self.lookback.total_seconds()} if self.lookback else {}),
            **({"params": {name: literal(value) for name, value in self.values.items()}} if self.params else {}),
        }
        # Keys stay in the file's order: that of derived columns is the order in the table.
        text = json.dumps(configuration, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def asks(self) -> bool:
        """Whether a failed check may ask a person."""
        return any(getattr(kind, "on_fail", None) == "ask" for items in self.check.values() for _, kind in items)

    @functools.cached_property
    def cuts(self) -> Cuts | None:
        """Where the schedule cuts time into windows; None where it does not: by hand, or by assets."""
        if not isinstance(self.schedule, (Cron, Every)):
            return None
        anchor = self.start or datetime(1970, 1, 1, tzinfo=UTC)
        return Cuts(schedule=self.schedule, timezone=self.timezone, anchor=anchor)

    def plan(
        self,
        window: Window,
        attempt: Attempt,
        *,
        verbs: Sequence[str] = VERBS,
        previous: Mapping[str, Any] | None = None,
    ) -> Plan:
        """What Spark gets for one window.

        Args:
            window: what is loaded.
            attempt: who is writing.
            verbs: what this application does, a run of VERBS in their order.
            previous: the report of the verbs that ran before in other applications.

        Raises:
            ConfigError: a path that lies outside the roots, or where another load writes, now that the window is known.
        """
        extract = {name: self._resolved(source, window, f"extract.{name}") for name, source in self.extract.items()}
        load = {
            name: (dataset, self._resolved(kind, window, f"load.{name}")) for name, (dataset, kind) in self.load.items()
        }
        tables.refuse(load, self.environment, self.name)
        docs = self._resolved(self.data_docs, window, "data_docs").path if self.data_docs else ""
        needs = self.resources.of(verbs) if self.resources else StepResources()
        return Plan(
            pipeline=self.name,
            id=self.id,
            window=replace(window, timezone=self.timezone),
            reach=self.reach(window),
            fingerprint=self.fingerprint,
            attempt=attempt,
            verbs=tuple(verbs),
            extract=extract,
            transform={
                name: Dataset(
                    source=item.source, steps=tuple((step, self._windowed(kind, window)) for step, kind in item.steps)
                )
                for name, item in self.transform.items()
            },
            check={
                name: tuple((key, self._windowed(kind, window)) for key, kind in items)
                for name, items in self.check.items()
            },
            load=load,
            staging=self.environment.staging,
            quarantine=self.environment.quarantine,
            spark=engine_for(self.engine, needs, extract.values(), functools.partial(self.moved, verbs)).settings()
            | self.on_s3(extract, load, docs)
            | self.fetched_jars(),
            previous=previous,
            allowed_python=options().allowed_python,
            catalogs=self._catalogs,
            results=self.keeps_results,
            set_aside=self._limits,
            data_docs=docs,
            notes=self.notes if docs else {},
        )

    @property
    def _limits(self) -> dict[str, Any]:
        """How much may be set aside, as a plan has it."""
        complete = {name: dict(found) for name, found in self.complete.items()}
        return self.quarantine.limits | ({"complete": complete} if complete else {})

    def reach(self, window: Window) -> Window | None:
        """What sources with a window column read for a window, where the file says `lookback`; else None."""
        if self.lookback is None:
            return None
        return reach(replace(window, timezone=self.timezone), self.lookback, self._first())

    def skipped(self, window: Window, *, ask: bool = True) -> str | None:
        """Why a window is left out, in words; None where it is loaded.

        Args:
            window: which one.
            ask: whether the storage is asked (`missing`); without, only weekdays and dates count.

        Raises:
            ConfigError: the storage that is asked can't be.
        """
        if self.skip_if is None:
            return None
        local = replace(window, timezone=self.timezone)
        found = self.skip_if.by_date(local)
        if found is not None or not ask:
            return found
        resolved: SkipIf = self._resolved(self.skip_if, window, "skip_if")
        return resolved.reason(local)

    def loaded_of(self, windows: Iterable[Window], *, ask: bool = True) -> list[Window]:
        """Those of some windows that the pipeline loads: all but the ones that `skipped` names a reason for.

        Args:
            windows: in any order, which is kept.
            ask: as for `skipped`.

        Raises:
            ConfigError: as for `skipped`.
        """
        return [window for window in windows if self.skipped(window, ask=ask) is None]

    def units(self, window: Window) -> dict[str, tuple[LoadUnit, dict[str, Any]]]:
        """Load's name -> what it writes, for the ledger, and the destination's options with absolute paths."""
        found = {}
        for name, (_, kind) in self.load.items():
            resolved = self._resolved(kind, window, f"load.{name}")
            unit = load_unit(resolved.write, self.id, name, replace(window, timezone=self.timezone))
            found[name] = unit, self._told(resolved)
        return found

    def on_s3(self, extract: Mapping[str, Any], load: Mapping[str, tuple[str, Any]], docs: str = "") -> dict[str, Any]:
        """The engine's `s3`: the buckets that a plan names, those of catalogs, staging and quarantine too; or nothing.

        Args:
            extract: name -> source with resolved paths.
            load: name -> (dataset, destination with resolved paths).
            docs: where Data Docs are written.
        """
        kinds_named = [kinds.dump(kind) for kind in (*extract.values(), *(kind for _, kind in load.values()))]
        beside = [*self._catalogs.values(), self.environment.staging, self.environment.quarantine, docs]
        found = stores.named(self.environment.stores, [*kinds_named, *beside])
        return {"s3": found} if found else {}

    def window_of(self, text: str) -> Window:
        """A window from text.

        Args:
            text: `START/END`, or `START` for the schedule's window that starts there. Dates and times are of the
                pipeline's zone unless they carry an offset.

        Raises:
            ConfigError: no dates, an inverted window, a time that the zone's clock skips or repeats, a start at which
                the schedule cuts no window, or a single start where there is no schedule in time; where a source
                names the window, ends between which the schedule cuts none.
        """
        window = self.span_of(text)
        self.demand_cut(window)
        return window

    def demand_cut(self, window: Window) -> None:
        """See that a window can be loaded: it would read the files of its start alone, and replace all of its rows.

        Raises:
            ConfigError: a source names the window, and the schedule doesn't cut it.
        """
        if self.cuts and any(map(names_window_in, self.extract.values())):
            demand_cut(self.cuts, window)

    def span_of(self, text: str) -> Window:
        """As `window_of`, for a span that may hold any number of windows.

        Raises:
            ConfigError: as for `window_of`, except that any two ends will do.
        """
        parts = [self._instant(part.strip(), text) for part in text.split("/")]
        if len(parts) == 2:
            return Window(start=parts[0], end=parts[1], timezone=self.timezone)
        if len(parts) != 1:
            raise ConfigError(f"{text!r} is no window", expected="START/END, such as 2013-01-01/2013-01-02")
        return window_at(self._demand_cuts(text), parts[0])

    def windows(self, start: date | datetime, end: date | datetime) -> Iterator[Window]:
        """The schedule's windows that lie in `[start, end)` whole, in order.

        Args:
            start: first instant; a date or a naive time is of the pipeline's zone.
            end: first instant after the span, likewise.

        Raises:
            ConfigError: the pipeline has no schedule in time.
        """
        cuts = self._demand_cuts(f"{start}/{end}")
        return windows(cuts, local_instant(start, self.timezone), local_instant(end, self.timezone))

    @property
    def keeps_results(self) -> bool:
        """Whether what checks found is kept: the file says so, or one compares with earlier windows."""
        return bool(self.results) or any(
            getattr(kind, "looks_back", False) for items in self.check.values() for _, kind in items
        )

    def moved(self, verbs: Sequence[str] = VERBS) -> int | None:
        """The bytes that the largest of the last windows moved; None where nothing is kept, or only Spark can read it.

        Args:
            verbs: of the application that is meant.
        """
        if "://" in self.environment.quarantine:
            return None
        from airflow_provider_etl.spec.sizes import bytes_moved
        from spark_jobs.advice import LAST
        from spark_jobs.usage_kept import Kept, Local, name_of

        kept = Kept(folder=self.environment.quarantine, pipeline=self.id, storage=Local())
        try:
            entries = kept.entries(name_of(verbs))[-LAST:]
        except OSError:  # a hint of another user's: a window that can't read it is none that can't be loaded
            return None
        return max(map(bytes_moved, entries), default=None)

    def fetched_jars(self) -> dict[str, Any]:
        """The engine's `packages`, where Spark is to fetch its jars; else nothing."""
        if self.engine.packages != "resolve":
            return {}
        from airflow_provider_etl.spec.uses import packages_of

        return {"packages": list(packages_of(self))}

    @property
    def results_keep(self) -> timedelta | None:
        """How long what checks found is kept; None: for good."""
        return self.results.keep if isinstance(self.results, Kept) else None

    @property
    def _catalogs(self) -> dict[str, dict[str, str]]:
        """The catalogs that its kinds name."""
        kinds_of = [*self.extract.values(), *(kind for _, kind in self.load.values())]
        named = {getattr(kind, "catalog", None) for kind in kinds_of}
        return {name: found.to_json() for name, found in self.environment.catalogs.items() if name in named}

    def _told(self, kind: Any) -> dict[str, Any]:
        """A destination's options; catalog and store are told whole: its ledger is read without the environment."""
        options = _typed(kind)
        catalog = self._catalogs.get(str(options.get("catalog")))
        store = next(iter(stores.named(self.environment.stores, [options.get("path", ""), catalog]).values()), None)
        return options | {key: value for key, value in (("catalog", catalog), ("store", store)) if value is not None}

    # -- inside -------------------------------------------------------------------------------------------------

    def _first(self) -> datetime | None:
        """The start of the first window: no row before it is ever loaded."""
        return self.cuts.first(self.start) if self.start and self.cuts else self.start

    def _demand_cuts(self, text: str) -> Cuts:
        if self.cuts is None:
            raise ConfigError(
                f"{text!r}: pipeline {self.name} has no schedule that cuts time into windows",
                expected="both ends of the window",
                remedy="START/END, such as 2013-01-01/2013-01-02",
            )
        return self.cuts

    def _instant(self, part: str, text: str) -> datetime:
        try:
            return local_instant(scalars.instant(part), self.timezone)
        except ValueError as error:
            raise ConfigError(f"window {text!r}: {part!r} is not {error}") from error

    def _windowed(self, kind: Any, window: Window) -> Any:
        return with_window(kind, replace(window, timezone=self.timezone), self.values)

    def _resolved(self, kind: Any, window: Window, where: str) -> Any:
        try:
            return resolve_paths(self._windowed(kind, window), self.environment)
        except ValueError as error:
            raise ConfigError(str(error), where=f"{self.name}: {where}") from error


def _typed(kind: Any) -> dict[str, Any]:
    return {"type": kind.type, **kinds.dump(kind)}


def _deciding(kind: Any) -> dict[str, Any]:
    """A source or a destination without what changes no row."""
    aside = {item.metadata.get("alias", item.name) for item in fields(kind) if item.metadata.get("upkeep")}
    return {key: value for key, value in _typed(kind).items() if key not in aside}
