"""The quarantine of a pipeline, read without Spark: which rows count, by window and rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.hooks.ledger import LedgerHook, delta_table
from airflow_provider_etl.hooks.tables import TableLedger, ledger_of, unasked
from airflow_provider_etl.spec.stores import named
from spark_jobs.aside import COLUMNS, WAITING
from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import LoadUnit, same_configuration
from spark_jobs.quarantine import Quarantine
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from airflow_provider_etl.spec import Pipeline

Attempts = dict[Window, set[int]]
# What rows of an older release's table are.
_DEFAULTS: Final = {"state": WAITING, "retries": 0, "retryable": False}
_GROUPED: Final = ("window_start", "window_end", "attempt", "dataset", "stage", "rules", "first_seen", *_DEFAULTS)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows are meant.

    Args:
        first, last: starts of windows, both included; None for no bound.
        until: no window that ends later; None for no bound.
        rule: one that they broke; empty for any.
        dataset: the one that refused them; empty for any.
        states: empty for all.
    """

    first: datetime | None = None
    last: datetime | None = None
    until: datetime | None = None
    rule: str = ""
    dataset: str = ""
    states: tuple[str, ...] = (WAITING,)

    def window(self, window: Window) -> bool:
        """Whether a window is meant."""
        inside = self.first is None or window.start >= self.first
        inside = inside and (self.last is None or window.start <= self.last)
        return inside and (self.until is None or window.end <= self.until)

    def row(self, row: dict[str, Any]) -> bool:
        """Whether a row of such a window is."""
        fits = not self.rule or self.rule in (row["rules"] or ())
        return fits and self.dataset in {"", row["dataset"]} and (not self.states or row["state"] in self.states)


@dataclass(kw_only=True)
class Group:
    """Rows of a window that one dataset refused at one stage for the same rules.

    Args:
        window, dataset, stage, rules, state: what they share.
        rows: how many they are.
        first_seen: when the first of them was refused first.
        retries: of the one that was tried most often.
        retryable: how many may be accepted as they are, once other data has come.
        attempts: by which they were set aside.
    """

    window: Window
    dataset: str
    stage: str
    rules: tuple[str, ...]
    state: str
    rows: int = 0
    first_seen: datetime | None = None
    retries: int = 0
    retryable: int = 0
    attempts: set[int] = field(default_factory=set)

    def add(self, row: dict[str, Any]) -> None:
        """Count a row."""
        self.rows += 1
        self.retries = max(self.retries, row["retries"])
        self.retryable += bool(row["retryable"])
        self.attempts.add(row["attempt"])
        seen = row["first_seen"]
        self.first_seen = min(filter(None, (self.first_seen, seen)), default=None)

    def to_json(self, now: datetime) -> dict[str, Any]:
        """As JSON, with the age in seconds."""
        return {
            "window": self.window.to_json() | {"key": self.window.key},
            "dataset": self.dataset,
            "stage": self.stage,
            "rules": list(self.rules),
            "state": self.state,
            "rows": self.rows,
            "first_seen": iso(self.first_seen) if self.first_seen else None,
            "age": int((now - self.first_seen).total_seconds()) if self.first_seen else None,
            "retries": self.retries,
            "retryable": self.retryable,
        }


class QuarantineHook:
    """The quarantine table of one pipeline, as it was when it was opened.

    Args:
        pipeline: whose.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.path = Quarantine(folder=pipeline.environment.quarantine, pipeline=pipeline.id).path
        self._ledgers: dict[str, TableLedger] = {}
        self._spans: dict[str, list[Window]] = {}

    def attempts(self, wanted: Wanted | None = None) -> Attempts:
        """Window -> the attempts whose rows count, since a load's ledger names them; in the order of windows.

        Args:
            wanted: whose windows are meant; None for all.

        Raises:
            ConfigError: rows are there, and no ledger can say without Spark which of them count.
        """
        found: Attempts = {}
        self._refuse_silent()
        for window, numbers in sorted(self._there.items()):
            if wanted is None or wanted.window(window):
                held = {number for number in numbers if self._counts(window, number)}
                found |= {window: held} if held else {}
        return found

    def begun(self, window: Window) -> set[int]:
        """All attempts of a window that have set rows aside, those that died included."""
        return self._there.get(window, set())

    def rows(self, wanted: Wanted, columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[dict[str, Any]]:
        """The rows that count, each as name -> value; times are aware.

        Args:
            wanted: which.
            columns: names; those by which rows are chosen come along.
        """
        attempts = self.attempts(wanted)
        if self._table is None or not attempts:
            return
        data = self._table.to_pyarrow_dataset()
        asked = [name for name in dict.fromkeys([*columns, *_GROUPED]) if name in data.schema.names]
        numbers = sorted(set().union(*attempts.values()))
        for row in self._read(data, asked, numbers):
            known = {**dict.fromkeys([*columns, *_GROUPED]), **row}
            known |= {name: value for name, value in _DEFAULTS.items() if known[name] is None}
            if known["attempt"] in attempts.get(self.window(known), ()) and wanted.row(known):
                yield known

    def _read(self, data: Any, columns: Sequence[str], attempts: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows of some attempts.

        Raises:
            InfrastructureError: a file of the table can't be read.
        """
        import pyarrow.compute as pc  # type: ignore[import-untyped]

        try:
            for batch in data.scanner(columns=columns, filter=pc.field("attempt").isin(attempts)).to_batches():
                yield from batch.to_pylist()
        except OSError as error:
            raise InfrastructureError(f"the quarantine can't be read: {error}", where=self.path) from error

    def groups(self, wanted: Wanted) -> list[Group]:
        """The rows that count, by window, dataset, stage and rules; the first windows and the largest groups first."""
        found: dict[Any, Group] = {}
        for row in self.rows(wanted, _GROUPED):
            key = (self.window(row), row["dataset"], row["stage"], tuple(row["rules"] or ()), row["state"])
            if key not in found:
                names = ("window", "dataset", "stage", "rules", "state")
                found[key] = Group(**dict(zip(names, key, strict=True)))
            found[key].add(row)
        return sorted(found.values(), key=lambda group: (group.window, -group.rows, group.dataset, group.rules))

    def hopeful(self, group: Group) -> bool:
        """Whether rows may be accepted now though their source is as it was: other data, or another configuration."""
        return group.retryable > 0 or any(not self._alike(group.window, number) for number in group.attempts)

    def _alike(self, window: Window, number: int) -> bool:
        """Whether an attempt went by the file as it is now."""
        fingerprint = self.pipeline.fingerprint
        if same_configuration(number, fingerprint):
            return True
        loads = [(unit, self._ledger(options)) for unit, options in self.pipeline.units(window).values()]
        known = (ledger.tried_with(unit, number) for unit, ledger in loads if isinstance(ledger, LedgerHook))
        return fingerprint in known

    def window(self, row: dict[str, Any]) -> Window:
        """The window of a row."""
        return self._window(row["window_start"], row["window_end"])

    def _window(self, start: datetime, end: datetime) -> Window:
        return Window(start=_aware(start), end=_aware(end), timezone=self.pipeline.timezone)

    def _counts(self, window: Window, number: int) -> bool:
        """Whether a load's ledger names an attempt of a window, and no longer window was loaded over it since."""
        for unit, options in self.pipeline.units(window).values():
            own, ledger = replace(unit, window=window), self._ledger(options)
            if ledger.number(own) == own.commit_number(number) and not self.covered(own, options, number):
                return True
        return False

    def _refuse_silent(self) -> None:
        units = self.pipeline.units(next(iter(self._there))) if self._there else {}
        silent = [name for name, (_, options) in units.items() if self._ledger(options).silent]
        if units and len(silent) == len(units):
            raise unasked(self.pipeline.name, silent[0], f"read {self.path}, where attempt is the number of a load")

    def covered(self, unit: LoadUnit, options: Mapping[str, Any], number: int) -> Window | None:
        """A longer window around a unit's that was loaded over it; None where none is known.

        Known are the windows of the destination's last commits, and those that have set rows aside.

        Args:
            unit: of the window.
            options: the destination's, as a plan has them.
            number: the attempt's that has loaded the window.
        """
        window, ledger = unit.window, self._ledger(options)
        if unit.snapshot:  # its one number says which window it holds
            return None
        longer = takewhile(lambda other: _length(other) > _length(window), self._longest(unit, options))
        around = (other for other in longer if other.start <= window.start and window.end <= other.end)
        return next((other for other in around if (ledger.number(replace(unit, window=other)) or 0) > number), None)

    def _longest(self, unit: LoadUnit, options: Mapping[str, Any]) -> list[Window]:
        """The windows that are known, the longest first."""
        if repr(options) not in self._spans:
            spans = self._ledger(options).windows(unit.pipeline, unit.destination)
            known = {*self._there, *(self._window(*span) for span in spans)}
            self._spans[repr(options)] = sorted(known, key=_length, reverse=True)
        return self._spans[repr(options)]

    def _ledger(self, options: Mapping[str, Any]) -> TableLedger:
        return self._ledgers.setdefault(repr(options), ledger_of(options))

    @cached_property
    def _there(self) -> Attempts:
        """Window -> all attempts that have set rows aside."""
        import pyarrow as pa

        found: Attempts = {}
        files = pa.table(self._table.get_add_actions(flatten=True)).to_pylist() if self._table is not None else []
        for file in files:
            values = [file[f"partition.{name}"] for name in ("window_start", "window_end", "attempt")]
            found.setdefault(self._window(*values[:2]), set()).add(int(values[2]))
        return found

    @cached_property
    def _table(self) -> DeltaTable | None:
        stores = named(self.pipeline.environment.stores, [self.path])
        return delta_table(self.path, next(iter(stores.values()), None))


def _length(window: Window) -> timedelta:
    return window.end - window.start


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
