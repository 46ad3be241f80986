"""The entry of a driver that runs elsewhere: what it needs and what it leaves is in a folder that its submitter sees.

`python -m spark_jobs.remote --folder FOLDER`

The folder holds `plan.json`, and `connections.json` until it was read; here come `claimed`, the driver that does the
job, `output.log` with its lines, and `report.json` at its end. A driver that finds the folder claimed ends at once: its
submitter had lost sight of another one, or has cancelled the job before it began.

Whoever takes us for dead may put another folder in this one's place, for another driver. We stand in ours, so our
report can't be taken for that of the other. And we end with the JVM that has started us: a cancelled driver loses it.

Exit codes are those of `spark_jobs.run`; 3: the JVM is gone; 4: the folder is claimed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import threading
import traceback
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Final, TextIO

from spark_jobs import run
from spark_jobs.connections import HANDED, Connections
from spark_jobs.hiding import Hiding

PLAN: Final = "plan.json"
CONNECTIONS: Final = "connections.json"
CLAIM: Final = "claimed"
OUTPUT: Final = "output.log"
REPORT: Final = "report.json"
_CRASHED: Final = 1
_CLAIMED: Final = 4
_DRIVER: Final = re.compile(r"driverId=([\w-]+)")  # a standalone worker tells a driver nothing else of who it is


def main(arguments: list[str] | None = None) -> int:
    """Do the job of a folder."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.remote", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="where the job is")
    folder = parser.parse_args(arguments).folder
    with chdir(folder):
        if not claim(Path(), own_name(os.environ.get("SPARK_DRIVER_LOG_URL_STDOUT", ""))):
            return _CLAIMED
        run.hold_lifeline()
        return _done()


def _done() -> int:
    """Do the job of the folder that we stand in; whatever is said on the way is read by its submitter."""
    hiding = Hiding()
    if Path(CONNECTIONS).exists():
        os.environ[HANDED] = CONNECTIONS
        with suppress(OSError, ValueError, TypeError):  # whoever receives them says what is wrong with them
            hiding = Connections.from_json(json.loads(Path(CONNECTIONS).read_text(encoding="utf-8"))).hiding
    with Path(OUTPUT).open("w", encoding="utf-8") as file:
        output: Any = _Lines(file, hiding)
        with redirect_stdout(output), redirect_stderr(output):
            try:
                return run.main(["--plan", PLAN, "--report", REPORT])
            except Exception:  # noqa: BLE001 - what ends us is told where our submitter reads it
                traceback.print_exc()
                return _CRASHED
            finally:
                output.close()


class _Lines(io.TextIOBase):
    """Writes whole lines without the secrets, at once.

    Args:
        file: where they go.
        hiding: takes the secrets out.
    """

    def __init__(self, file: TextIO, hiding: Hiding) -> None:
        self._file, self._hiding, self._rest, self._lock = file, hiding, "", threading.Lock()

    def write(self, text: str) -> int:
        """Write what is whole by now."""
        with self._lock:
            *whole, self._rest = (self._rest + text).split("\n")
            self._file.writelines(f"{self._hiding.text(line)}\n" for line in whole)
            self._file.flush()
        return len(text)

    def close(self) -> None:
        """Write the rest, a line without an end."""
        if self._rest:
            self.write("\n")


def claim(folder: Path, driver: str) -> bool:
    """Make a job ours, if it is nobody's yet.

    Args:
        folder: the job's.
        driver: the cluster's name of this driver; empty where it has told none.
    """
    with suppress(FileExistsError):
        with os.fdopen(os.open(folder / CLAIM, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(driver)
        return True
    return False


def own_name(address: str) -> str:
    """The cluster's name of this driver, from the address of its log; empty where it isn't told."""
    found = _DRIVER.search(address)
    return found[1] if found else ""


if __name__ == "__main__":
    sys.exit(main())
