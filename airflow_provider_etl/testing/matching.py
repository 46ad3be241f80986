"""Expected rows against those found, in any order: which are missing, which are surplus, which differ in a cell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from airflow_provider_etl.spec.diagnostics import nearest
from airflow_provider_etl.testing.values import Comparison, shown
from airflow_provider_etl.testing.wanted import WantedRow, WantedRows

_LIKE: Final = 0.5  # share of equal cells from which on two rows are the same one, with a difference
_SHOWN: Final = 20


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is not as expected.

    Args:
        line: in the test file.
        what: the dataset, table or part that it is about.
        kind: missing, surplus, differs, column, quarantine, count, check, error.
        message: in words.
    """

    line: int
    what: str
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """Rows as Spark tells them.

    Args:
        columns: name -> Spark SQL type.
        rows: the first ones.
        total: how many there are.
    """

    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    total: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Found:
        """As `spark_jobs.rehearsal.rows.told` gives them; numbers with a point stay exact."""
        rows = [json.loads(row, parse_float=Decimal) for row in value["rows"]]
        return cls(columns=value.get("columns", {}), rows=rows, total=value["total"])


def compared(what: str, wanted: WantedRows, found: Found, zone: str) -> Iterator[Problem]:
    """Everything about a dataset that is not as expected.

    Args:
        what: `dataset result`, `table lake`.
        wanted: the expected rows.
        found: the rows that are there.
        zone: in which expected timestamps without an offset are read.
    """
    if found.total > len(found.rows):
        told = f"{found.total} rows are there, of which {len(found.rows)} were read"
        yield Problem(line=wanted.line, what=what, kind="surplus", message=f"{told}; use fewer sample rows")
        return
    unknown = list(_columns(what, wanted, found))
    yield from unknown
    if not unknown:
        yield from _Rows(what=what, wanted=wanted, found=found, comparison=_comparison(wanted, zone)).problems()


def _comparison(wanted: WantedRows, zone: str) -> Comparison:
    return Comparison(zone=zone, tolerance=wanted.tolerance)


def _columns(what: str, wanted: WantedRows, found: Found) -> Iterator[Problem]:
    named = {column: row.line for row in reversed(wanted.rows) for column in row.cells}
    for column, line in reversed(named.items()):
        if column not in found.columns:
            message = f"there is no column {column!r}; {nearest(column, found.columns)}"
            yield Problem(line=line, what=what, kind="column", message=message)
    more = [column for column in found.columns if column not in named]
    if wanted.exact and more and wanted.rows:
        message = f"columns that no row names: {', '.join(more)} (exact: true)"
        yield Problem(line=wanted.line, what=what, kind="column", message=message)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    what: str
    wanted: WantedRows
    found: Found
    comparison: Comparison

    def problems(self) -> Iterator[Problem]:
        pairs = paired([self._candidates(row) for row in self.wanted.rows])
        used = set(pairs.values())
        missing = [row for place, row in enumerate(self.wanted.rows) if place not in pairs]
        surplus = [row for place, row in enumerate(self.found.rows) if place not in used]
        for row in missing[:_SHOWN]:
            like = self._most_like(row, surplus)
            if like is None:
                yield self._problem(row.line, "missing", shown(row.cells))
            else:
                surplus = [item for item in surplus if item is not like]
                yield self._problem(row.line, "differs", self._difference(row, like))
        if missing[_SHOWN:]:
            yield self._problem(missing[_SHOWN].line, "missing", f"{len(missing) - _SHOWN} more rows")
        for row_found in surplus[:_SHOWN]:
            yield self._problem(self.wanted.line, "surplus", shown(row_found))
        if surplus[_SHOWN:]:
            yield self._problem(self.wanted.line, "surplus", f"{len(surplus) - _SHOWN} more rows")

    def _problem(self, line: int, kind: str, message: str) -> Problem:
        return Problem(line=line, what=self.what, kind=kind, message=message)

    def _candidates(self, row: WantedRow) -> list[int]:
        return [place for place, found in enumerate(self.found.rows) if not self._unequal(row, found)]

    def _unequal(self, row: WantedRow, found: Mapping[str, Any]) -> list[str]:
        kinds = self.found.columns
        return [
            name for name, cell in row.cells.items() if not self.comparison.equal(cell, found.get(name), kinds[name])
        ]

    def _most_like(self, row: WantedRow, surplus: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The row that is there instead; None where none has half of the cells in common."""
        ranked = [(len(self._unequal(row, found)), place) for place, found in enumerate(surplus)]
        fewest, place = min(ranked, default=(len(row.cells), -1))
        return surplus[place] if place >= 0 and fewest <= len(row.cells) * (1 - _LIKE) else None

    def _difference(self, row: WantedRow, found: Mapping[str, Any]) -> str:
        unequal = self._unequal(row, found)
        same = {name: found.get(name) for name in row.cells if name not in unequal}
        told = [f"{name}: expected {shown(row.cells[name])}, found {shown(found.get(name))}" for name in unequal]
        return f"{'; '.join(told)}  in {shown(same)}"


def paired(candidates: Sequence[Sequence[int]]) -> dict[int, int]:
    """As many expected rows as possible, each with a row of its own (Kuhn's augmenting paths).

    Rows may name different columns: taking the first that fits could leave another one without.
    """
    taken: dict[int, int] = {}

    def augment(place: int) -> bool:
        """Find a row for one more: breadth first, so that long chains don't end at Python's depth."""
        came: dict[int, tuple[int, int | None]] = {}
        queue: list[tuple[int, int | None]] = [(place, None)]
        for here, through in queue:
            for row in candidates[here]:
                if row in came:
                    continue
                came[row] = here, through
                if row not in taken:
                    _flip(row, came, taken)
                    return True
                queue.append((taken[row], row))
        return False

    for place in range(len(candidates)):
        augment(place)
    return {place: row for row, place in taken.items()}


def _flip(row: int, came: Mapping[int, tuple[int, int | None]], taken: dict[int, int]) -> None:
    at: int | None = row
    while at is not None:
        place, before = came[at]
        taken[at] = place
        at = before
