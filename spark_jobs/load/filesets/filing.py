"""How a folder of files takes a window: write files that nobody sees, then make the manifest that names them.

Two that commit at once both want the next number; the one that doesn't get it looks at the manifest that is there now,
and makes the one after it. What it has written stays as it is, unless the other has changed what it depends on.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.filesets.catalog import Catalog
from spark_jobs.load.filesets.layout import Asked, Layout, layout_of, read, span_of
from spark_jobs.load.filesets.manifest import Manifest, Slice
from spark_jobs.load.filesets.writing import Sizes, Written, attempt_folder, write
from spark_jobs.load.reaching import Reading, refuse_overtaken
from spark_jobs.load.strategies import ReplaceWindow, Snapshot
from spark_jobs.points import reach
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TRIES: Final = 60


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ended.

    Args:
        entry: its commit; None where somebody newer has loaded the unit.
        found: whether an earlier try had made it.
        tries: manifests that were tried.
    """

    entry: Mapping[str, Any] | None
    found: bool = False
    tries: int = 1


@dataclass(kw_only=True)
class Filing:
    """One attempt at a unit of a folder of files.

    Args:
        path: the table's folder.
        write: the strategy.
        asked: what the files look like.
        sizes: how many they are.
        unit: what is written, for the ledger.
        context: session and plan.
        reading: what is replaced; None for a snapshot.
        grace: so long files stay that count no more: somebody may be reading them.
    """

    path: str
    write: ReplaceWindow | Snapshot
    asked: Asked
    sizes: Sizes
    unit: LoadUnit
    context: Context
    reading: Reading | None = None
    grace: timedelta = timedelta(days=7)
    _made: dict[tuple[Any, ...], Written] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the folder's manifests."""
        self.path = self.path.rstrip("/")
        self.catalog = Catalog(self.context.spark, self.path)

    @property
    def number(self) -> int:
        """What the attempt's entry carries."""
        return self.unit.commit_number(self.context.plan.attempt.number)

    def found(self) -> Mapping[str, Any] | None:
        """The commit that an earlier try of this same attempt made, whose result got lost."""
        held = self.catalog.newest()
        mine = self._mine(held)
        if held is not None and mine is not None:
            self.catalog.tidy(held)  # that try may have died before
        return mine

    def publish(self, rows: DataFrame, staged: int) -> Outcome:
        """Write rows and publish them.

        Args:
            rows: what was staged and checked.
            staged: how many rows that are.

        Raises:
            ConfigError: the folder is somebody else's, or laid out in another way.
            DataError: columns or values that the files can't hold.
            InfrastructureError: others were always faster; or another run has published rows of the same time that it
                read later than these.
        """
        try:
            for tried in range(1, _TRIES + 1):
                if (outcome := self._once(rows, staged, tried)) is not None:
                    return outcome
                time.sleep(random.uniform(0, min(0.01 * 2**tried, 1)))  # noqa: S311 - jitter, not a secret
            remedy = "run it again, with fewer loads of the folder at once"
            raise InfrastructureError(f"{_TRIES} times others were faster", where=self.path, remedy=remedy)
        except EtlError:  # whatever else it is, nobody knows whether the manifest was made
            self._remove_unused(set())
            raise

    # -- inside ---------------------------------------------------------------------------------------------------

    def _once(self, rows: DataFrame, staged: int, tried: int) -> Outcome | None:
        """Look, write what isn't written yet, commit; None where somebody else was faster."""
        held = self.catalog.newest()
        if self._superseded(held):
            mine = self._mine(held)
            self._remove_unused({part.folder for part in held.slices} if held is not None else set())
            if held is not None:
                self.catalog.tidy(held)
            return Outcome(entry=mine, found=mine is not None, tries=tried)
        made = self._next(held, rows, staged)
        reach("before commit")
        if not self._commit(held, made):
            return None
        reach("after commit")
        self._remove_unused({part.folder for part in made.slices})
        self._tidy(held, made)
        return Outcome(entry=made.units[self.unit.key], tries=tried)

    def _superseded(self, held: Manifest | None) -> bool:
        """Whether the ledger holds a later attempt, or another run's that read its sources after this one did."""
        entry, attempt = self._held(held), self.context.plan.attempt
        if entry is None or entry["number"] < self.unit.commit_number(attempt.since):
            return False
        return bool(entry["number"] >= self.number or entry["run"] != attempt.run)

    def _held(self, held: Manifest | None) -> Mapping[str, Any] | None:
        return held.units.get(self.unit.key) if held is not None else None

    def _mine(self, held: Manifest | None) -> Mapping[str, Any] | None:
        entry = self._held(held)
        return entry if entry is not None and entry["token"] == self.context.plan.attempt.token else None

    def _next(self, held: Manifest | None, rows: DataFrame, staged: int) -> Manifest:
        """The manifest that this attempt makes of the one that is there; its files are written."""
        self._refuse_strangers(held)
        kept = None if isinstance(self.write, Snapshot) else held
        layout = layout_of(kept, self.asked, rows.schema, self.path)
        span = self._span(layout)
        before = held.slices if held is not None else ()
        stay = [] if isinstance(self.write, Snapshot) else [part for part in before if not part.overlaps(span)]
        rests = [] if isinstance(self.write, Snapshot) else self._rests(held, span, layout)
        written = self._written(("own", repr(layout.schema)), layout.fitted(rows), layout, self.context.plan.window)
        self._refuse_loss(written.rows, staged)
        mine = [self._slice(self.unit.key, written, span, layout)] if written.rows else []
        slices = (*stay, *rests, *mine)
        deleted = sum(part.rows for part in before) + written.rows - sum(part.rows for part in slices)
        return self._manifest(held, layout, slices, {"inserted": written.rows, "deleted": deleted})

    def _span(self, layout: Layout) -> Window:
        """What is replaced, on the column's own scale."""
        kind = layout.schema[layout.column].dataType if layout.column is not None else None
        return span_of(self.reading.span if self.reading else self.context.plan.window, kind)

    def _rests(self, held: Manifest | None, span: Window, layout: Layout) -> list[Slice]:
        """What stays of the files that hold rows of the span and others, written anew."""
        assert isinstance(self.write, ReplaceWindow)  # noqa: S101 - for mypy
        found = []
        for part in held.slices if held is not None else ():
            if held is None or part.lies_in(span) or not part.overlaps(span):
                continue
            for start, end in ((part.start, span.start), (span.end, part.end)):
                if start >= end:
                    continue
                rest = Window(start=start, end=end)
                there = layout.fitted(read(self.context.spark, self.path, held.layout, [part]))
                rows = there.where(self.write.condition(there, rest, self.context.where))
                written = self._written((part.folder, rest, repr(layout.schema)), rows, layout, rest)
                found += [self._slice(part.unit, written, rest, layout)] if written.rows else []
        return found

    def _written(self, key: tuple[Any, ...], rows: DataFrame, layout: Layout, window: Window) -> Written:
        """Files of rows; those that an earlier try has written, where nothing that they depend on has changed."""
        if key not in self._made:
            folder = attempt_folder(window, self.context.plan.attempt.number, snapshot=self.unit.snapshot)
            self._made[folder,] = Written(folder=folder, rows=0, files=())  # to be removed, whatever happens
            reach("before staging")
            self._made[key] = write(rows, self.path, folder, layout, self.sizes)
            reach("staged")
        return self._made[key]

    def _slice(self, unit: str, written: Written, span: Window, layout: Layout) -> Slice:
        return Slice(
            unit=unit,
            folder=written.folder,
            start=span.start,
            end=span.end,
            rows=written.rows,
            files=written.files,
            columns=len(layout.schema),
        )

    def _manifest(
        self, held: Manifest | None, layout: Layout, slices: tuple[Slice, ...], changed: Mapping[str, int]
    ) -> Manifest:
        now, number = iso(datetime.now(UTC)), held.number + 1 if held else 1
        entry = self._entry({**changed, "version": number}, now)
        units = {**(held.units if held else {}), self.unit.key: entry}
        gone = {part.folder for part in held.slices} - {part.folder for part in slices} if held else set()
        return Manifest(
            number=number,
            at=now,
            pipeline=self.context.plan.id,
            layout=layout.to_json(),
            slices=slices,
            units=units,
            dropped={**self._still(held), **dict.fromkeys(sorted(gone), now)},
            commit={"operation": "load", "unit": self.unit.key, **changed},
        )

    def _entry(self, changed: Mapping[str, int], now: str) -> dict[str, Any]:
        plan = self.context.plan
        return {
            "number": self.number,
            "attempt": plan.attempt.number,
            "token": plan.attempt.token,
            "run": plan.attempt.run,
            "fingerprint": plan.fingerprint,
            "window": plan.window.to_json(),
            "at": now,
            **changed,
            **(self.reading.told() if self.reading else {}),
        }

    def _commit(self, held: Manifest | None, made: Manifest) -> bool:
        if self.reading is not None and held is not None:
            numbers = {unit: int(entry["number"]) for unit, entry in held.units.items()}
            refuse_overtaken(lambda: held.units, numbers, self.reading, self.path)
        return self.catalog.commit(made)

    def _still(self, held: Manifest | None) -> dict[str, str]:
        """Folders that count no more, and that somebody may still be reading."""
        oldest = datetime.now(UTC) - self.grace
        dropped = held.dropped if held is not None else {}
        return {folder: at for folder, at in dropped.items() if datetime.fromisoformat(at) > oldest}

    def _tidy(self, held: Manifest | None, made: Manifest) -> None:
        """What can wait: a load that dies here has loaded its window."""
        for folder in held.dropped if held is not None else ():
            if folder not in made.dropped:
                self.catalog.storage.delete(f"{self.path}/{folder}")
        self.catalog.tidy(made)

    def _remove_unused(self, committed: set[str]) -> None:
        """Remove what counts for nothing; the rest isn't this attempt's to remove any more, whatever fails later."""
        for written in self._made.values():
            if written.folder not in committed:
                self.catalog.storage.delete(f"{self.path}/{written.folder}")
        self._made.clear()

    def _refuse_strangers(self, held: Manifest | None) -> None:
        if held is None:
            self.catalog.refuse_strangers()
        elif held.pipeline != self.context.plan.id:
            raise ConfigError(
                f"the folder is loaded by {held.pipeline}",
                where=self.path,
                expected=f"a folder of {self.context.plan.id} alone",
                remedy=f"give each pipeline a folder of its own; a renamed pipeline says `id: {held.pipeline}`",
            )

    def _refuse_loss(self, written: int, staged: int) -> None:
        if written != staged:
            raise InfrastructureError(
                f"{written} rows were written, {staged} were checked",
                where=self.path,
                expected="equal counts",
                remedy="nothing was published; run it again",
            )
