"""A real pipeline in a folder, on which runs and decisions about its quarantine are made and looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.aside import export, replay, rows
from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline, load_file
from airflow_provider_etl.upkeep import quarantine_plan
from spark_jobs import orders
from spark_jobs import run as entry
from spark_jobs.giving_up import drop
from spark_jobs.orders import Order
from spark_jobs.points import HOOK
from spark_jobs.window import Window as Span
from tests.conformance import replays
from tests.conformance.harness import Died, die_at
from tests.conformance.replays import Drop, Go, Record, Told
from tests.spark_jobs.plans import attempt, day
from tests.spec.conftest import Project

PIPELINE: Final = """\
schedule: "@daily"
start: 2013-01-01
extract:
  rows:
    type: files
    path: ${env.raw}/${window.start:%Y-%m-%d}.csv
    format: csv
    columns: {at: {type: timestamp}, id: {type: int, required: true}, value: {type: int}}
transform:
  - from: rows
  - filter: value <> 1 or value is null
  - dedupe: {keys: [id], keep: last, order_by: [value, at]}  # not where rows come alone
check:
  - in_range: {column: value, max: LIMIT, on_fail: quarantine}
load:
  lake:
    type: delta
    path: ${env.lake}/rows
    write: WRITE
"""
_DEDUPES: Final = next(line for line in PIPELINE.splitlines() if "dedupe" in line)
WRITES: Final = {True: "{strategy: append}", False: "{strategy: replace_window, column: at}"}
"""Whether rows come alone -> how they are written."""


@dataclass(kw_only=True)
class Scene:
    """A pipeline in a folder.

    Args:
        spark: the suite's session; every application gets one of its own.
        folder: an empty folder.
        told: what is done, and with which sources.
        alone: whether rows may be replayed alone.
    """

    spark: Any
    folder: Path
    told: Told
    alone: bool = False
    second: int = 100
    windows: dict[int, replays.Window] = field(default_factory=dict)

    def run(self) -> None:
        """Do all, and look after each: every window is what the actions that counted have made of it."""
        self.project = Project(self.folder)
        (self.folder / "data/raw").mkdir(parents=True)
        self.windows = {number: replays.Window() for number in range(1, replays.DAYS + 1)}
        for action in self.told.actions:
            self.second += 20
            if isinstance(action, Go):
                self._go(action)
            elif isinstance(action, Drop):
                self._drop(action)
            else:
                self._export()
            for number, window in self.windows.items():
                self._hold(number, window, action)

    def pipeline(self, limit: int) -> Pipeline:
        """The pipeline's file as it is today."""
        text = PIPELINE.replace("LIMIT", str(limit)).replace("WRITE", WRITES[self.alone])
        text = text.replace(f"{_DEDUPES}\n", "") if self.alone else text
        path = self.project.write(text, "flights.yaml")
        found = load_file(path).pipeline
        assert found is not None
        return found

    def _go(self, go: Go) -> None:
        pipeline = self.pipeline(go.limit)
        days = [go.day] if go.day else self._with_waiting_rows(pipeline)
        for number in range(1, replays.DAYS + 1):
            self._write(number, go.version)
        for number in days:
            if go.alone:
                self._alone(go, pipeline, number)
                continue
            made = replays.outcome(self.told.records(number, go.version), go.limit, dedupes=not self.alone)
            self.windows[number].seen |= made.refused
            before = self.number(pipeline, number)
            mine = self._tries(go, pipeline, number)
            committed = self.number(pipeline, number) in mine
            assert committed or before > mine[-1] or (go.dies_at and not go.retried), (go, number)
            if committed:
                self.windows[number].loaded(made)
            self.second += 20

    def _alone(self, go: Go, pipeline: Pipeline, number: int) -> None:
        """Run a day's waiting rows without it, again where that died."""
        for dies_at in [go.dies_at, None] if go.retried else [go.dies_at]:
            order = Order(name="rows", plans=(rows.plan(pipeline, day(number)),), options=rows.options(Wanted()))
            lives = self._carried_out(order, dies_at)
            committed = self.number(pipeline, number) == order.plan.attempt.number
            assert committed or not lives, (go, number)
            if committed:
                self.windows[number].added(go.limit)
            if lives:
                break

    def _carried_out(self, order: Order, dies_at: str | None) -> bool:
        HOOK.reached = partial(die_at, dies_at)
        try:
            report = orders.execute(order, lambda *_: self.spark.newSession(), lambda _: None)
        except Died:
            return False
        finally:
            HOOK.reached = None
        assert report["error"] is None, report["error"]
        return True

    def _with_waiting_rows(self, pipeline: Pipeline) -> list[int]:
        """The days that a replay runs."""
        found = [window.start.day for window in replay.waiting(pipeline, Wanted())]
        assert found == [number for number, window in self.windows.items() if window.of("waiting")]
        return found

    def _write(self, number: int, version: int) -> None:
        lines = [text(record) for record in self.told.records(number, version)]
        (self.folder / f"data/raw/2013-01-{number:02}.csv").write_text("\n".join(["at,id,value", *lines]) + "\n")

    def _tries(self, go: Go, pipeline: Pipeline, number: int) -> list[int]:
        """Run a window, again where it died and is retried; the numbers of the attempts."""
        mine = []
        for place, dies_at in enumerate([go.dies_at, None] if go.retried else [go.dies_at]):
            at = (self.second + 5 * place) / (1000 if go.zombie else 1)
            who = attempt(at, f"token-{self.second}", pipeline.fingerprint)
            mine.append(who.number)
            if self._lives(pipeline.plan(day(number), who), dies_at, number):
                break
        return mine

    def _lives(self, plan: Any, dies_at: str | None, number: int) -> bool:
        HOOK.reached = partial(die_at, dies_at)
        try:
            report = entry.run(plan, lambda *_: self.spark.newSession())
        except Died:
            return False
        finally:
            HOOK.reached = None
        assert report.error is None, report.error
        if report.datasets:
            counts = report.datasets.values()
            out = sum(count.filtered + count.deduplicated + count.quarantined for count in counts)
            lines = len((self.folder / f"data/raw/2013-01-{number:02}.csv").read_text().splitlines()) - 1
            assert report.datasets["result"].rows + out == lines, report.datasets
        return True

    def _drop(self, action: Drop) -> None:
        pipeline = self.pipeline(replays.LIMITS[0])
        span = day(action.day) if action.day else None
        wanted = Wanted(first=span.start, until=span.end) if span else Wanted()
        groups = QuarantineHook(pipeline).groups(wanted)
        mine = [{"window": group.window.to_json(), "attempt": number} for group in groups for number in group.attempts]
        options = {"attempts": mine, "rule": "", "dataset": "", "reason": "a test", "by": "me"}
        order = Order(name="quarantine", plans=(quarantine_plan(pipeline),), options=options)
        meant = [window for number, window in self.windows.items() if action.day in {None, number}]
        dropped = sum(window.dropped() for window in meant)
        if mine:
            assert drop(self.spark.newSession(), order, lambda _: None)["rows"] == dropped

    def _export(self) -> None:
        path = self.folder / "refused.jsonl"
        hook = QuarantineHook(self.pipeline(replays.LIMITS[0]))
        export.export(hook.rows(Wanted()), str(path), "json")
        found = sorted((record(json.loads(line)["raw"]) for line in path.read_text().splitlines()), key=repr)
        waiting = [item for window in self.windows.values() for item in window.of("waiting")]
        assert found == sorted(waiting, key=repr)

    def number(self, pipeline: Pipeline, number: int) -> int:
        """What the ledger holds for a day's window; 0 where it was never loaded."""
        from airflow_provider_etl.hooks.tables import ledger_of

        unit, options = pipeline.units(day(number))["lake"]
        return ledger_of(options).number(unit) or 0

    def _hold(self, number: int, window: replays.Window, after: Any) -> None:
        """See that table and quarantine have what they must, each record once."""
        assert self._table(number) == sorted(window.now.rows), (number, after)
        aside = list(self._aside(day(number)))
        for state in ("waiting", "dropped"):
            found = sorted((item for item, said in aside if said == state), key=repr)
            assert found == sorted(window.of(state), key=repr), (number, state, after)

    def _table(self, number: int) -> list[Record]:
        path = self.folder / "data/lake/rows"
        if not path.exists():
            return []
        found = self.spark.read.format("delta").load(str(path)).where(f"day(at) = {number}").collect()
        return sorted((row["at"].hour, row["id"], row["value"]) for row in found)

    def _aside(self, span: Span) -> Iterator[tuple[Record, str]]:
        """Records and their states, of the window; marks of those that a later run has loaded have none."""
        hook = QuarantineHook(self.pipeline(replays.LIMITS[0]))
        marks = 0
        for row in hook.rows(Wanted(first=span.start, until=span.end, states=())):
            if row["state"] == "replayed":
                assert (row["raw"], row["state_at"] is None) == (None, False)
                marks += 1
            else:
                yield record(row["raw"]), row["state"]
        window = self.windows[span.start.day]
        assert len(window.of("replayed")) <= marks <= len(window.seen), (span, marks, window)


def text(item: Record) -> str:
    """A line of the source."""
    hour, id_, value = item
    return f"2013-01-{id_ // 10:02} {hour:02}:00:00,{id_},{'x' if value is None else value}"


def record(raw: str) -> Record:
    """A record, of its line in the source or as the check has seen it."""
    if not raw.startswith("{"):
        at, id_, _ = raw.split(",")
        return int(at[11:13]), int(id_), None
    found = json.loads(raw)
    return int(found["at"][11:13]), found["id"], found["value"]
