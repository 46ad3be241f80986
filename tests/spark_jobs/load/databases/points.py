"""Points of a load, told in this process even where a task of Spark comes to them in its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Client, Listener

from spark_jobs.points import HOOK, reach

_KEY = b"only ours"


class Died(BaseException):
    """The process is gone."""


def ask(address: str, point: str) -> None:
    """Tell the process that listens, wait for its answer, and raise what was raised there."""
    with Client(address, authkey=_KEY) as line:
        line.send(point)
        error = line.recv()
    if error is not None:
        raise error


@contextmanager
def told_here() -> Iterator[None]:
    """Let tasks of Spark tell HOOK.reached of this process, until the end of the block."""
    with Listener(authkey=_KEY) as listener:
        threading.Thread(target=_answer, args=(listener,), daemon=True).start()
        HOOK.elsewhere = lambda: partial(ask, listener.address)
        try:
            yield
        finally:
            HOOK.elsewhere = HOOK.reached = None


def _answer(listener: Listener) -> None:
    while True:
        try:
            line = listener.accept()
        except OSError:
            return
        threading.Thread(target=_one, args=(line,), daemon=True).start()


def _one(line: object) -> None:
    try:
        reach(line.recv())  # type: ignore[attr-defined]
        line.send(None)  # type: ignore[attr-defined]
    except BaseException as error:  # noqa: BLE001 - it is raised over there
        line.send(error)  # type: ignore[attr-defined]
