"""What a table holds, and the proof that it is the same as before: row for row, whatever their order in the files."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from demo.runs import DemoError

Attempts: TypeAlias = Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A table at one moment.

    Args:
        version: the table's version.
        rows: how many there are.
        windows: local date -> digest of its rows, each row with every column, in an order of their own.
    """

    version: int
    rows: int
    windows: Mapping[str, str]

    @classmethod
    def take(cls, path: Path, by: str) -> Picture:
        """Read a Delta table as it is now.

        Args:
            path: the table's folder.
            by: the column that holds the local date.
        """
        from deltalake import DeltaTable

        table = DeltaTable(str(path))
        rows: list[dict[str, Any]] = table.to_pyarrow_table().to_pylist()
        return cls(version=table.version(), rows=len(rows), windows=digests(rows, by))


def digests(rows: list[dict[str, Any]], by: str) -> dict[str, str]:
    """One digest per value of a column: of all its rows, duplicates included, independent of their order."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[str(row[by])].append(repr(sorted(row.items())))
    return {key: hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16] for key, found in texts.items()}


def demand_identical(before: Picture, after: Picture, commits: int) -> None:
    """The rows are the same, and they were written again.

    Args:
        before: the table before the windows ran again.
        after: the table afterwards.
        commits: how many windows were written again: each is at least one commit.

    Raises:
        DemoError: a row differs, or nothing was written.
    """
    changed = [day for day in {*before.windows, *after.windows} if before.windows.get(day) != after.windows.get(day)]
    if changed or before.rows != after.rows:
        raise DemoError(f"the table has changed: {before.rows} -> {after.rows} rows, days {sorted(changed)}")
    if after.version - before.version < commits:
        raise DemoError(f"{commits} windows ran again, but the table went from {before.version} to {after.version}")


def demand_rerun(before: Attempts, after: Attempts) -> None:
    """Every task was started once more, and wrote under a later number.

    Args:
        before: (run id, task) -> (tries, attempt number) after the first backfill.
        after: the same after the second.

    Raises:
        DemoError: the second backfill made other runs, or a task only looks as if it had run again.
    """
    if before.keys() != after.keys():
        raise DemoError(f"the second backfill made other runs: {sorted(before.keys() ^ after.keys())}")
    idle = [key for key, (tries, number) in after.items() if tries <= before[key][0] or number <= before[key][1]]
    if idle:
        raise DemoError(f"these tasks did not run again: {idle}")


def demand_consistent(lake: Path) -> None:
    """What was derived from the flights by asset says the same as the flights themselves.

    Raises:
        DemoError: the totals differ.
    """
    from deltalake import DeltaTable

    flights = DeltaTable(str(lake / "flights")).to_pyarrow_table(columns=["flight_date", "cancelled"]).to_pylist()
    daily = DeltaTable(str(lake / "planes_daily")).to_pyarrow_table(columns=["flight_date", "flights"]).to_pylist()
    flown: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for row in flights:
        flown[str(row["flight_date"])] += not row["cancelled"]
    for row in daily:
        counted[str(row["flight_date"])] += row["flights"]
    if flown != counted:
        raise DemoError(f"planes_daily counts {dict(counted)}, the flights say {dict(flown)}")
