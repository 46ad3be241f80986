"""What has been proven so far, in a file: `make prove` may be run in parts, which add up.

A schedule counts once for each test and for the code that stood it: the files that the process had loaded or could load
(reach.py), as they are committed, and the locks of what runs them. A change elsewhere leaves what was proven proven.
`python -m tests.conformance.tally` shows where each test stands.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.conformance.reach import ROOT, loaded

FILE: Final = "ETL_PROVED"
MINUTES: Final = "ETL_PROVE_MINUTES"
_LOCKS: Final = ("airflow_provider_etl/jars.lock", "requirements/demo.txt")
_BEGUN: Final = time.monotonic()
WANTED: Final = 200


def short(schedule: Any) -> str:
    """What a schedule is known by."""
    return sha256(repr(schedule).encode()).hexdigest()[:12]


def time_is_up() -> bool:
    """Whether this part has run for as long as it may: ETL_PROVE_MINUTES since the tests were collected."""
    minutes = os.environ.get(MINUTES, "")
    return bool(minutes) and time.monotonic() - _BEGUN > 60 * float(minutes)


class Checkout:
    """The code as it is committed here.

    Args:
        root: the checkout's folder.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root

    def files(self) -> list[str]:
        """Those that count for what this process does, from the root."""
        return [*(str(path.relative_to(self._root)) for path in loaded()), *_LOCKS]

    def code(self, files: Sequence[str]) -> str:
        """What is known of some files; empty where one isn't committed as it stands, so that nothing can be said."""
        try:
            told = self._git("ls-tree", "-r", "HEAD", "--", *files).splitlines()
            clean = not self._git("status", "--porcelain", "--", *files).strip()
        except (OSError, subprocess.CalledProcessError):
            return ""
        return sha256("\n".join(told).encode()).hexdigest()[:20] if clean and len(told) == len(set(files)) else ""

    def _git(self, *asked: str) -> str:
        command = ["git", "-C", str(self._root), *asked]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Tally:
    """What a file says.

    Args:
        path: JSON lines: `{"code", "files"}` once for each code, and `{"code", "test", "seed", "schedules"}` for each
            batch that passed.
        checkout: which code is meant.
    """

    path: Path
    checkout: Checkout = field(default_factory=Checkout)
    unsaid: dict[str, list[tuple[int, list[str]]]] = field(default_factory=dict)

    def done(self, test: str) -> set[str]:
        """The schedules that a test has stood."""
        return {one for _, schedules in self._batches(test) for one in schedules}

    def add(self, test: str, seed: int, schedules: Iterable[str]) -> None:
        """Note a batch; several processes may at once."""
        batch, files = (seed, sorted(schedules)), self.checkout.files()
        code = self.checkout.code(files)
        if not code:  # what isn't committed counts for as long as this process lives
            self.unsaid.setdefault(test, []).append(batch)
            return
        known = code in {line["code"] for line in self._lines()}
        lines = [] if known else [{"code": code, "files": files}]
        lines.append({"code": code, "test": test, "seed": seed, "schedules": batch[1]})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write("".join(json.dumps(line) + "\n" for line in lines))

    def tests(self) -> dict[str, int]:
        """Test -> how many schedules it has stood."""
        names = {str(line["test"]) for line in self._lines() if "test" in line}
        return {name: len(self.done(name)) for name in sorted(names)}

    def _batches(self, test: str) -> list[tuple[int, list[str]]]:
        lines = list(self._lines())
        files = {line["code"]: line["files"] for line in lines if "files" in line}
        mine = [line for line in lines if line.get("test") == test]
        known = {line["code"] for line in mine} & files.keys()  # an older form says no files: it proves nothing
        standing = {code for code in known if self.checkout.code(files[code]) == code}
        held = [(int(line["seed"]), list(line["schedules"])) for line in mine if line["code"] in standing]
        return held + self.unsaid.get(test, [])

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self.path.exists():
            yield from map(json.loads, self.path.read_text(encoding="utf-8").splitlines())


def tally() -> Tally:
    """That of this checkout, or of the file in ETL_PROVED."""
    return Tally(Path(os.environ.get(FILE) or ROOT / ".cache/proved.jsonl"))


if __name__ == "__main__":
    for name, stood in tally().tests().items():
        print(f"{stood:>5} of {WANTED}  {name}")  # noqa: T201
