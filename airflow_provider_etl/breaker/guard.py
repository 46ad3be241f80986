"""What a task does with the breakers of its sources: it asks them before Spark starts, and tells them how it went."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from airflow_provider_etl.breaker.machine import CLOSED, State, admit, answered, counted, failed, phase, until
from airflow_provider_etl.breaker.memory import recall, remember
from airflow_provider_etl.compat import AirflowSkipException
from airflow_provider_etl.spec.reaching import connections_of
from spark_jobs.errors import InfrastructureError
from spark_jobs.extract.breaker import Breaker
from spark_jobs.plan import Plan
from spark_jobs.window import iso

_AWAY: Final = "the database can't be reached"
_MUTE: Final = "the catalog's server doesn't answer"
_SERVER: Final = re.compile(r"connection '(.*)'")
_BUCKET: Final = re.compile(r"the service of (s3a://[^/\s]+)\S* doesn't answer")
_READING: Final = ("extract", "transform")
_BACKFILL: Final = "its window is not loaded: `airflow-etl backfill DAG --missing` finds it"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The breakers of one application's sources.

    Args:
        sources: source -> each connection that it is reached by -> the breaker's options.
        who: names the application; the same for every try.
        say: takes one line of progress.
        hint: what a skipped task leaves behind, and who finds it.
        stores: `s3a://bucket` -> its connection.
        servers: the connections of catalogs that are servers.
        clock: the time; another one only in tests.
    """

    sources: Mapping[str, Mapping[str, Breaker]]
    who: str
    say: Callable[[str], None]
    hint: str = _BACKFILL
    stores: Mapping[str, str] = field(default_factory=dict)
    servers: frozenset[str] = frozenset()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def admit(self) -> None:
        """Go on where all connections may be asked.

        Raises:
            AirflowSkipException: one may not, and its source says `when_open: skip`.
            InfrastructureError: one may not.
        """
        refused, probing = {}, {}
        for connection, options in self._connections().items():
            now, state = self.clock(), self._recall(connection)
            let, after = admit(state, options, now, self.who)
            if not let:
                refused[connection] = self._told(connection, state, options)
            elif after != state:
                probing[connection] = after
        self._refuse(refused)
        for connection, state in probing.items():  # not before: a task that is refused tries nothing
            self.say(f"[etl] breaker {connection}: half-open, this task tries whether it answers")
            self._remember(connection, state)

    def _refuse(self, refused: Mapping[str, str]) -> None:
        """End the task where a connection may not be asked; connection -> why."""
        if not refused:
            return
        asking = [item for item in self._each() if item[1] in refused]
        source, connection, _ = asking[0]
        told = refused[connection]
        if all(options.when_open == "skip" for _, _, options in asking):
            self.say(f"[etl] error: extract.{source}: skipped, {told}; {self.hint}")
            raise AirflowSkipException(f"{told}; {self.hint}")
        raise InfrastructureError(
            told,
            where=f"extract.{source}",
            remedy="see why it doesn't answer; deleting the Variable closes the breaker by hand",
        )

    def note(self, report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Remember how it went; connection -> {state, failures, until}, for the report.

        Args:
            report: the last one of the application.
        """
        silent = self._silent(report)
        read = _read(report)
        states = {}
        for connection, options in self._connections().items():
            state, now = self._recall(connection), self.clock()
            after = state
            if connection in silent:
                after = failed(state, options, now, self.who)
            elif read:
                after = answered(state, self.who)
            if after != state:
                self._remember(connection, after)
                self._tell(connection, after, options, now)
            states[connection] = self._shown(after, options)
        return states

    def _each(self) -> list[tuple[str, str, Breaker]]:
        """(source, connection, options) of all sources."""
        return [(name, connection, options) for name, of in self.sources.items() for connection, options in of.items()]

    def _connections(self) -> dict[str, Breaker]:
        """Connection -> its options: where sources differ, those of the one that leaves it alone the longest."""
        found: dict[str, Breaker] = {}
        for _, connection, options in self._each():
            found[connection] = max(found.get(connection, options), options, key=lambda item: item.cool_down)
        return found

    def _silent(self, report: Mapping[str, Any]) -> set[str]:
        """The connections that didn't answer, as far as the error says so."""
        error = report.get("error") or {}
        if error.get("kind") != "infrastructure":
            return set()
        where, message = str(error.get("where")), str(error.get("message"))
        server, bucket = _SERVER.fullmatch(where), _BUCKET.search(message)
        if server is not None and _MUTE in message:  # a catalog's, which no verb is told of
            return {server[1]} & set(self._connections())
        verb, _, name = where.partition(".")
        if bucket is not None:
            return {self.stores.get(bucket[1], "")} & set(self._connections()) if verb in _READING else set()
        return self._databases(verb, name.partition(".")[0]) if _AWAY in message else set()

    def _databases(self, verb: str, name: str) -> set[str]:
        """The databases that may not have answered.

        A source is read lazily: its database may go away while a step runs. That counts where one connection alone has
        a breaker; of several, it isn't known which it was.
        """
        others = {*self.stores.values(), *self.servers}
        found = {
            connection
            for source, connection, _ in self._each()
            if connection not in others and (verb != "extract" or source == name)
        }
        return found if verb in _READING and len(found) == 1 else set()

    def _recall(self, connection: str) -> State:
        try:
            return recall(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, no load fails for it
            self.say(f"[etl] breaker {connection}: its Variable can't be read, so it counts as closed: {error}")
            return CLOSED

    def _remember(self, connection: str, state: State) -> None:
        try:
            remember(connection, state)
        except Exception as error:  # noqa: BLE001 - whatever it is, no load fails for it
            self.say(f"[etl] breaker {connection}: its Variable can't be written: {error}")

    def _told(self, connection: str, state: State, options: Breaker) -> str:
        now = self.clock()
        when = until(state, options, now)
        what = "open" if phase(state, options, now) == "open" else "half-open, and another task tries it"
        return f"connection {connection} isn't asked: its breaker is {what}, until {iso(when) if when else '?'}"

    def _shown(self, state: State, options: Breaker) -> dict[str, Any]:
        now = self.clock()
        when = until(state, options, now)
        return {
            "state": phase(state, options, now),
            "failures": counted(state, options, now),
            "until": iso(when) if when else None,
        }

    def _tell(self, connection: str, state: State, options: Breaker, now: datetime) -> None:
        when = until(state, options, now)
        if when is not None:
            self.say(f"[etl] breaker {connection}: opened, nobody asks it until {iso(when)}")
        elif state.failures:
            self.say(f"[etl] breaker {connection}: failure {counted(state, options, now)} of {options.failures}")
        else:
            self.say(f"[etl] breaker {connection}: closed again")


def _read(report: Mapping[str, Any]) -> bool:
    """Whether the sources have answered to the end: a step that loses its machines may not have read them yet."""
    if report.get("state") != "failed":
        return True
    error = report.get("error") or {}
    lost = error.get("kind") == "infrastructure" and str(error.get("where")).startswith("transform")
    return "extract" in report.get("verbs", ()) and not lost


def guard_of(
    plans: Sequence[Plan], defaults: Mapping[str, Breaker], who: str, say: Callable[[str], None], hint: str = _BACKFILL
) -> Guard | None:
    """The breakers of what an application reads; None where it has none.

    Args:
        plans: what it runs.
        defaults: connection -> options, as the environment says.
        who: as the guard's.
        say: as the guard's.
        hint: as the guard's.
    """
    if not any("extract" in plan.verbs for plan in plans):
        return None
    first = plans[0]
    named = {bucket: store.get("connection") for bucket, store in (first.spark.get("s3") or {}).items()}
    stores = {bucket: connection for bucket, connection in named.items() if connection}
    found = {
        name: _options(source, connections_of(source, stores, first.catalogs), defaults)
        for name, source in first.extract.items()
    }
    found = {name: options for name, options in found.items() if options}
    servers = frozenset(item["connection"] for item in first.catalogs.values() if item["type"] == "rest")
    return Guard(sources=found, who=who, say=say, hint=hint, stores=stores, servers=servers) if found else None


def _options(source: Any, reached: Sequence[str], defaults: Mapping[str, Breaker]) -> dict[str, Breaker]:
    """Connection -> options, of those that a source is reached by and that have a breaker."""
    own = getattr(source, "breaker", None)
    options = {connection: own or defaults.get(connection) for connection in reached}
    return {connection: item for connection, item in options.items() if item is not None}
