"""`guard.py FOLDER COMMAND…`: ends a command with all its children, the JVM too, as soon as its owner is gone.

The owner holds the other end of standard input and does nothing to it: a pipe ends even where its owner is killed with
no chance to tidy. Then the whole process group is killed, and the folder (`-` for none) goes, which the owner can't
remove any more. Started by its path as the leader of a new process group, so it imports the standard library alone.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time

_REMOVE = "--remove"
_PATIENCE = 10.0  # seconds until all that was killed is gone


def main(folder: str, command: list[str]) -> None:
    """Run a command to its end and end likewise: with its exit code, or by the signal that it died of."""
    child = subprocess.Popen(command)
    # We stay until the command has ended: whoever waits for us waits for it.
    signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    threading.Thread(target=_hold_lifeline, args=(folder,), daemon=True).start()
    code = child.wait()
    if select.select([0], [], [], 0)[0]:
        # The command has seen its owner's end too, and ended before our thread has killed what it started.
        _hold_lifeline(folder)
    if code < 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _hold_lifeline(folder: str) -> None:
    while os.read(0, 4096):
        pass
    group = os.getpgrp()
    if folder != "-":
        # In a group of its own before this returns: it outlives us by a moment.
        subprocess.Popen([sys.executable, "-I", "-S", __file__, _REMOVE, folder, str(group)], start_new_session=True)
    os.killpg(group, signal.SIGKILL)


def remove(folder: str, group: int) -> None:
    """Remove a folder once nobody is left who could write to it."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1] == _REMOVE:
        remove(sys.argv[2], int(sys.argv[3]))
    else:
        main(sys.argv[1], sys.argv[2:])
