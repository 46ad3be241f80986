"""What destinations already hold, read without Spark."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.hooks.stores import storage_options
from airflow_provider_etl.hooks.tables import Span, ledger_of, place_of
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.ledger import Commit, LoadUnit, entry_of, held, owing, same_configuration
from spark_jobs.object_store.failures import refusal
from spark_jobs.plan import Attempt
from spark_jobs.report import LoadReceipt, Report
from spark_jobs.window import Window

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from airflow_provider_etl.spec import Pipeline

_COLOURS: Final = re.compile(r"\x1b\[\d*m|\u21b3")
_COMMITS: Final = 100  # commits looked through for one that carries our metadata


def delta_table(path: str, store: Mapping[str, Any] | None) -> DeltaTable | None:
    """A Delta table, read without Spark; None where there is none.

    Args:
        path: the table's folder or URI.
        store: how its bucket is reached, as a plan says it.

    Raises:
        ConfigError: deltalake isn't installed, or the store refuses.
        InfrastructureError: its log can't be read.
    """
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise ConfigError(
            "deltalake isn't installed",
            where=path,
            remedy="install airflow-provider-etl[delta] where tasks run",
        ) from None
    options = storage_options(path, store)
    try:
        there = DeltaTable.is_deltatable(path, storage_options=options)
        return DeltaTable(path, storage_options=options) if there else None
    except (DeltaError, OSError) as error:
        if refused := refusal(path, str(error), where="ledger"):
            raise refused from None
        raise InfrastructureError(f"the ledger can't be read: {_plain(str(error))}", where=path) from error


class LedgerHook:
    """The ledger in the log of one Delta table.

    Args:
        path: the table's folder or URI.
        store: how its bucket is reached, as a plan says it.
    """

    def __init__(self, path: str, store: Mapping[str, Any] | None = None) -> None:
        self.path, self._store = path, store

    @property
    def silent(self) -> bool:
        """Whether Spark alone can ask it: never."""
        return False

    @cached_property
    def _table(self) -> DeltaTable | None:
        return delta_table(self.path, self._store)

    def number(self, unit: LoadUnit) -> int | None:
        """The number of the last commit of a unit, None where the table or the unit isn't there."""
        return self._number(unit.key)

    def last_attempt(self, unit: LoadUnit) -> int | None:
        """The attempt's number that the next attempt of a unit must exceed, None where nothing was loaded."""
        number = self.number(unit)
        return None if number is None else unit.last_attempt(number)

    def newest_attempt(self, pipeline: str, destination: str) -> int | None:
        """The largest attempt's number among the last commits of a load, whichever window; None where there is none."""
        prefix, load = f"etl:{pipeline}:{destination}:", (pipeline, destination)
        mine = (
            entry
            for entry in self._entries()
            # A commit of many windows says whose they are: a refresh, an adoption.
            if str(entry.get("unit", "")).startswith(prefix) or (entry.get("pipeline"), entry.get("load")) == load
        )
        return max((int(entry["attempt"]) for entry in mine if "attempt" in entry), default=None)

    def holds(self, unit: LoadUnit, fingerprint: str) -> bool:
        """Whether the unit was loaded last with this configuration; where that isn't known any more, the answer is no.

        Args:
            unit: what is asked for.
            fingerprint: the pipeline's.
        """
        number = self.number(unit)
        if number is None or not unit.last_attempt(number):
            return False
        if unit.snapshot:  # its number has no room for the fingerprint
            return self._entry(unit).get("fingerprint") == fingerprint
        return same_configuration(number, fingerprint) and unit.key not in owing(self._commits(), unit.key)

    def tried_with(self, unit: LoadUnit, number: int) -> str:
        """The fingerprint that an attempt went by; empty where the unit's last commit isn't its, or isn't known.

        The number of one that adds rows to another doesn't tell.
        """
        entry = self._entry(unit)
        return str(entry.get("fingerprint", "")) if entry.get("attempt") == number else ""

    def snapshot_end(self, unit: LoadUnit) -> datetime | None:
        """The end, to the minute, of the window that a snapshot holds; None where nothing was loaded."""
        number = self.number(unit)
        return None if number is None else unit.snapshot_end(number)

    def windows(self, pipeline: str, destination: str) -> list[tuple[datetime, datetime]]:
        """The windows that the last commits of a destination have loaded; none of a snapshot."""
        found = []
        for entry in self._entries():
            unit = str(entry.get("unit", ""))
            mine = unit.startswith(f"etl:{pipeline}:{destination}:") and not unit.endswith(":snapshot")
            if mine and self._number(unit) is not None:  # a restore may have taken it back
                window = Window.from_json(entry["window"])
                found.append((window.start, window.end))
        return found

    def appended(self, pipeline: str) -> set[Span]:
        """The windows of a pipeline whose rows stand in files of their own: files of several windows say nothing."""
        import pyarrow as pa  # type: ignore[import-untyped]

        if self._table is None:
            return set()
        files = pa.table(self._table.get_add_actions(flatten=True)).to_pylist()
        return {span for file in files if (span := _span(file, pipeline))}

    def _number(self, unit: str) -> int | None:
        return held(self._table.transaction_version(unit)) if self._table is not None else None

    def _entry(self, unit: LoadUnit) -> Mapping[str, Any]:
        return next((entry for entry in self._entries() if entry.get("unit") == unit.key), {})

    def _entries(self) -> Iterator[Mapping[str, Any]]:
        """Our entries in the last commits, the newest first."""
        return (commit.entry for commit in self._commits())

    def _commits(self) -> Iterator[Commit]:
        """The last commits, the newest first."""
        for commit in self._table.history(_COMMITS) if self._table is not None else []:
            said = commit.get("userMetadata")
            entry = entry_of(said if isinstance(said, str) else json.dumps(said))
            yield Commit(version=int(commit.get("version", -1)), entry=entry, metrics={})


def _plain(text: str) -> str:
    """delta-rs's words in one line, without the arrows and colours between them."""
    return " ".join(_COLOURS.sub("", text).split())


def _span(file: Mapping[str, Any], pipeline: str) -> Span | None:
    ends = []
    for column in ("_pipeline", "_window_start", "_window_end"):
        low, high = file.get(f"min.{column}"), file.get(f"max.{column}")
        if low is None or low != high:
            return None
        ends.append(low)
    return (_aware(ends[1]), _aware(ends[2])) if ends[0] == pipeline else None


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def last_attempt(pipeline: Pipeline, window: Window) -> int | None:
    """The number of the attempt that loaded a window last; None where none of its loads is loaded."""
    units = pipeline.units(window).values()
    found = [ledger_of(options).last_attempt(unit) for unit, options in units]
    return max((number for number in found if number is not None), default=None)


def newest_attempt(pipeline: Pipeline, window: Window, *, again: bool = False) -> int | None:
    """The number that the next attempt of a window must exceed; None where there is none.

    With `lookback` windows replace rows of each other: what any of them has published was read before, whatever the
    clock of the machine that read it. Else only longer windows and those in them do: the others are asked where a try
    has failed, maybe for a number that a clock ahead of ours has given.

    Args:
        pipeline: the pipeline.
        window: what is loaded.
        again: whether a try has failed.
    """
    found = [last_attempt(pipeline, window)]
    if pipeline.lookback is not None or again:
        for unit, options in pipeline.units(window).values():
            found.append(ledger_of(options).newest_attempt(unit.pipeline, unit.destination))
    return max((number for number in found if number is not None), default=None)


def already_done(pipeline: Pipeline, window: Window, attempt: Attempt) -> Report | None:
    """The report of a run that has nothing to do; None where a load doesn't hold the window as it is configured now.

    Args:
        pipeline: what would run.
        window: what would be loaded.
        attempt: who asks.
    """
    units = pipeline.units(window)
    for unit, options in units.values():
        if not ledger_of(options).holds(unit, pipeline.fingerprint):
            return None
    receipts = {
        name: LoadReceipt(strategy=options["write"]["strategy"], state="already_done", table=place_of(options))
        for name, (_, options) in units.items()
    }
    return Report(
        pipeline=pipeline.name,
        id=pipeline.id,
        window=window.to_json() | {"key": window.key},
        fingerprint=pipeline.fingerprint,
        attempt=asdict(attempt),
        state="skipped",
        loads=receipts,
    )
