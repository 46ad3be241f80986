"""Secrets that were planted, and a search for them: in what processes show, in Spark's pages, in whatever is left."""

from __future__ import annotations

import gzip
import json
import sqlite3
import threading
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, Self

import psutil

from spark_jobs.hiding import forms

# One for each part of a connection that nobody uses, and of what the environment holds.
EVERYWHERE: Final = {part: f"m4rker '{part}' & \"more\": / end" for part in ("host", "schema", "login", "password")}
EXTRA: Final = {"token": "m4rker of a token", "keyfile_dict": {"private_key": "m4rker of a key\nin two long lines"}}
VARIABLES: Final = {"AIRFLOW__SMTP__SMTP_PASSWORD": "m4rker+of+mail", "AIRFLOW_VAR_API_TOKEN": "m4rker/of/a/variable"}
LOOPBACK: Final = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
_PAGES: Final = ("environment/", "SQL/", "jobs/", "stages/", "executors/", "storage/")
_ANSWERS: Final = ("environment", "sql?details=true&planDescription=true", "jobs", "stages", "allexecutors")


def environment() -> dict[str, str]:
    """Variables of Airflow's with a secret in every part; no pipeline uses them."""
    about = {"conn_type": "postgres", **EVERYWHERE, "extra": EXTRA}
    return {"AIRFLOW_CONN_UNUSED": json.dumps(about), **VARIABLES}


def secrets(*more: str) -> list[str]:
    """All that was planted, and more."""
    keys = EXTRA["keyfile_dict"]["private_key"].splitlines()  # type: ignore[index]
    return [*EVERYWHERE.values(), str(EXTRA["token"]), *keys, *VARIABLES.values(), *more]


def hits(text: str, planted: Iterable[str]) -> list[str]:
    """The forms of secrets that stand in a text."""
    return [form for secret in planted for form in forms(secret) if form in text]


def text_of(path: Path) -> str:
    """What a file says, whatever packs it."""
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        return "\n".join(_leaves(pq.ParquetFile(path).read().to_pylist()))
    if content.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [database.execute(f'SELECT * FROM "{name}"').fetchall() for name in names]  # noqa: S608
            return "\n".join(_leaves(rows))
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    return content.decode("utf-8", errors="replace")


def _leaves(value: Any) -> Iterator[str]:
    """The single values of rows, as they are: a search sees them quoted by nobody."""
    if isinstance(value, Mapping):
        yield from _leaves(list(value.items()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def left(folders: Iterable[Path], planted: Iterable[str]) -> dict[str, list[str]]:
    """File -> what it shows, of those below folders that show something; their names are looked at too."""
    known, found = list(planted), dict[str, list[str]]()
    for path in sorted(item for folder in folders for item in folder.rglob("*")):
        said = str(path) + (text_of(path) if path.is_file() and path.suffix not in {".jar", ".whl"} else "")
        if seen := hits(said, known):
            found[str(path)] = seen
    return found


class Watch:
    """Looks again and again at what processes show of themselves, and at Spark's pages.

    Args:
        pages: the port of Spark's pages, where they are on.
    """

    def __init__(self, pages: int | None = None) -> None:
        self.seen: set[str] = set()
        self.told: dict[str, str] = {}
        self.listening: set[tuple[str, str]] = set()
        self._pages, self._over = pages, threading.Event()
        self._threads = [threading.Thread(target=act, daemon=True) for act in (self._look, self._ask)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def shown(self, planted: Iterable[str]) -> dict[str, list[str]]:
        """Process or page -> what it shows."""
        known = list(planted)
        every: Mapping[str, str] = {**{text[:200]: text for text in self.seen}, **self.told}
        return {where: found for where, text in every.items() if (found := hits(text, known))}

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    self.seen.add(path.read_text(errors="replace"))
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    self.seen.add(json.dumps(child.environ(), ensure_ascii=False))
                    self._listen(child)

    def _listen(self, child: psutil.Process) -> None:
        for item in child.net_connections("inet"):
            if item.status == psutil.CONN_LISTEN:
                self.listening.add((child.name(), item.laddr.ip))

    def _ask(self) -> None:
        while self._pages is not None and not self._over.wait(0.3):
            base = f"http://127.0.0.1:{self._pages}"
            with suppress(OSError, ValueError, LookupError):
                name = json.loads(_page(f"{base}/api/v1/applications"))[0]["id"]
                for page in _PAGES:
                    self._keep(f"{base}/{page}")
                for answer in _ANSWERS:
                    self._keep(f"{base}/api/v1/applications/{name}/{answer}")
                for number in (0, 1, 2):
                    self._keep(f"{base}/SQL/execution/?id={number}")

    def _keep(self, address: str) -> None:
        """What a page has ever said."""
        with suppress(OSError):
            said: Any = _page(address)
            self.told[address] = self.told.get(address, "") + (said if said not in self.told.get(address, "") else "")


def _page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())
