"""What a task does with the breakers of its sources: it asks them before Spark starts, and tells them how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from airflow_provider_etl.breaker.machine import CLOSED, State, admit, answered, counted, failed, phase, until
from airflow_provider_etl.breaker.memory import recall, remember
from airflow_provider_etl.compat import AirflowSkipException
from spark_jobs.errors import InfrastructureError
from spark_jobs.extract.breaker import Breaker
from spark_jobs.plan import Plan
from spark_jobs.window import iso

_AWAY: Final = "the database can't be reached"
_BACKFILL: Final = "its window is not loaded: `airflow-etl backfill DAG --missing` finds it"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The breakers of one application's sources.

    Args:
        sources: source -> its connection and the breaker's options.
        who: names the application; the same for every try.
        say: takes one line of progress.
        hint: what a skipped task leaves behind, and who finds it.
        clock: the time; another one only in tests.
    """

    sources: Mapping[str, tuple[str, Breaker]]
    who: str
    say: Callable[[str], None]
    hint: str = _BACKFILL
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
        asking = {source: item for source, item in self.sources.items() if item[0] in refused}
        source, (connection, _) = next(iter(asking.items()))
        told = refused[connection]
        if all(options.when_open == "skip" for _, options in asking.values()):
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

    def _connections(self) -> dict[str, Breaker]:
        """Connection -> its options: where sources differ, those of the one that leaves it alone the longest."""
        found: dict[str, Breaker] = {}
        for connection, options in self.sources.values():
            found[connection] = max(found.get(connection, options), options, key=lambda item: item.cool_down)
        return found

    def _silent(self, report: Mapping[str, Any]) -> set[str]:
        """The connections that didn't answer, as far as the error says so.

        A source is read lazily: its database may go away while a step runs. That counts where one connection alone has
        a breaker; of several, it isn't known which it was.
        """
        error = report.get("error") or {}
        if error.get("kind") != "infrastructure" or _AWAY not in str(error.get("message")):
            return set()
        verb, _, name = str(error.get("where")).partition(".")
        if verb == "extract":
            found = self.sources.get(name.partition(".")[0])
            return {found[0]} if found else set()
        connections = {connection for connection, _ in self.sources.values()}
        return connections if verb == "transform" and len(connections) == 1 else set()

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
    found: dict[str, tuple[str, Breaker]] = {}
    for name, source in plans[0].extract.items():
        connection = getattr(source, "connection", None)
        options = getattr(source, "breaker", None) or defaults.get(str(connection))
        if connection and options is not None:
            found[name] = (str(connection), options)
    return Guard(sources=found, who=who, say=say, hint=hint) if found else None
