"""What the sensors share: they ask once where they are, then wait in the triggerer, rescheduled, or in their slot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NoReturn

from airflow_provider_etl.compat import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    Context,
    default_wait_mode,
    first_asked,
)
from airflow_provider_etl.sensors.asking import Ask, Round, ask_all
from airflow_provider_etl.sensors.waiting import MODES, Patience, progress, timed_out
from spark_jobs.errors import ConfigError, DataError, EtlError

# After its own time the trigger tells what it saw last; where no triggerer does that, Airflow ends the wait this later.
_GRACE = timedelta(minutes=5)


class WaitError(AirflowSensorTimeout):
    """The time is up; the message says what was seen last and what to do."""


class EtlSensor(BaseSensorOperator):
    """A task that waits until conditions are true.

    Args:
        deferrable: whether to wait in the triggerer; None: as `[etl] wait_mode` says, which is yes by default.
        mode: where to wait otherwise: `reschedule`, or `poke`.
        on_timeout: what happens when the time is up: `fail`, or `skip`.

    The others are those of every Airflow sensor: `poke_interval`, `timeout`.
    """

    ui_color: ClassVar[str] = "#e6f1f2"

    def __init__(
        self, *, deferrable: bool | None = None, mode: str = "reschedule", on_timeout: str = "fail", **kwargs: Any
    ) -> None:
        super().__init__(mode=mode, **kwargs)
        if on_timeout not in ("fail", "skip"):
            raise ValueError(f"on_timeout is {on_timeout!r}, expected fail or skip")
        self.deferrable = deferrable
        self.on_timeout = on_timeout

    def asks(self, context: Context) -> Sequence[Ask]:
        """The conditions, one a window.

        Raises:
            EtlError: they can't be made out.
        """
        raise NotImplementedError

    def patience(self) -> Patience:
        """How long and where to wait."""
        where = "deferrable" if self.deferrable else None if self.deferrable is None else self.mode
        return Patience(
            every=timedelta(seconds=self.poke_interval),
            timeout=timedelta(seconds=self.timeout),
            on_timeout=self.on_timeout,
            mode=where,
        )

    def execute(self, context: Context) -> list[str]:
        """Wait.

        Returns:
            What was found, in words, one for each condition and window.

        Raises:
            AirflowFailException: waiting can't help.
            AirflowSensorTimeout: the time is up; Airflow doesn't try again.
            AirflowSkipException: likewise, with `on_timeout: skip`.
        """
        try:
            return self._wait(context)
        except EtlError as error:
            self._give_up(error)

    def _wait(self, context: Context) -> list[str]:
        asks, patience = self.asks(context), self.patience()
        mode = self._mode(patience)
        began, met = self._began(context, mode), list[str]()
        self.log.info("[etl] waiting for %s", "; ".join(ask.told for ask in asks))
        while True:
            now = datetime.now(UTC)
            told = ask_all(asks, now, remembers=mode != "reschedule")
            met += told.met
            if not told.open:
                return self._found(met)
            asks = told.open
            left = patience.timeout - (now - began)
            if left <= timedelta():
                self._time_is_up(asks, patience, told.seen)
            self.log.info("%s", progress(told, patience, left, mode))
            if mode == "poke":
                time.sleep(min(patience.every, left).total_seconds())
            else:
                self._let_go(mode, told, patience, began, met)

    def _mode(self, patience: Patience) -> str:
        mode = patience.mode or default_wait_mode()
        if mode not in MODES:
            raise ConfigError(f"{mode!r} is no way to wait", where="[etl] wait_mode", expected=", ".join(MODES))
        return mode

    def _began(self, context: Context, mode: str) -> datetime:
        """When it was asked for the first time."""
        first = first_asked(context) if mode == "reschedule" else None
        return first or datetime.now(UTC)

    def _let_go(self, mode: str, told: Round, patience: Patience, began: datetime, met: list[str]) -> NoReturn:
        """Free the worker."""
        if mode == "reschedule":
            raise AirflowRescheduleException(datetime.now(UTC) + patience.every)
        from airflow_provider_etl.triggers.wait import WaitTrigger

        end = began + patience.timeout
        trigger = WaitTrigger(
            asks=[ask.to_json() for ask in told.open],
            every=patience.every.total_seconds(),
            end=end.isoformat(),
            met=met,
        )
        grace = _GRACE + 2 * patience.every
        self.defer(trigger=trigger, method_name="execute_complete", timeout=end - datetime.now(UTC) + grace)
        raise AssertionError("defer raises")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> list[str]:  # noqa: ARG002 - Airflow gives it
        """What the trigger found.

        Args:
            context: the task's.
            event: `met`, and `error` or `seen` where it isn't over well.
        """
        if "error" in event:
            raised = {"config": ConfigError, "data": DataError}.get(event["error"]["kind"], EtlError)
            self._give_up(raised(event["error"]["message"]))
        asks = [Ask.from_json(ask) for ask in event["asks"]]
        if asks:
            self._time_is_up(asks, self.patience(), event["seen"])
        return self._found(event["met"])

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on where the trigger ended; where nobody ran it, say so."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except WaitError:
            raise
        except AirflowSensorTimeout as error:
            message = f"the time is up, and no triggerer has said what it saw ({error}): is one running?"
            self._end(f"{message} Without one, say mode: reschedule", self.on_timeout)

    # -- ends ----------------------------------------------------------------------------------------------------

    def _found(self, met: list[str]) -> list[str]:
        for line in met:
            self.log.info("[etl] found %s", line)
        return met

    def _time_is_up(self, asks: Sequence[Ask], patience: Patience, seen: str) -> NoReturn:
        self._end(timed_out(asks, patience, seen), patience.on_timeout)

    def _end(self, message: str, on_timeout: str) -> NoReturn:
        raise (AirflowSkipException if on_timeout == "skip" else WaitError)(message)

    def _give_up(self, error: EtlError) -> NoReturn:
        kind = AirflowFailException if isinstance(error, ConfigError | DataError) else AirflowException
        raise kind(str(error)) from None
