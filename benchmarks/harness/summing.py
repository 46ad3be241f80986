"""From rounds to what is told: medians, ratios taken within a round, and whether goals are met."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.harness.model import Figure, Goal, Turn
from benchmarks.harness.running import Measured

OUTSIDE: Final = ("wall", "cpu", "memory", "rate")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a goal.

    Args:
        goal: which.
        found: what the figures come to; None where a contender or case didn't run.
    """

    goal: Goal
    found: float | None

    @property
    def met(self) -> bool | None:
        """Whether it is met; None where nobody knows."""
        if self.found is None:
            return None
        return self.found <= self.goal.value if self.goal.bound == "at most" else self.found >= self.goal.value

    def words(self) -> str:
        """Met or missed, and by how much."""
        if self.found is None:
            return "not measured"
        off = abs(self.found / self.goal.value - 1)
        told = f"{number(self.found)}, wanted {self.goal.bound} {number(self.goal.value)}"
        return f"met: {told}" if self.met else f"MISSED by {off:.0%}: {told}"


def median(turns: Sequence[Turn], name: str) -> float:
    """The median of a figure over the rounds."""
    return statistics.median(turn[name] for turn in turns)


def ratio(measured: Measured, contender: str, name: str) -> float | None:
    """The median over the rounds of a figure divided by the base's of the same round; None where that is 0."""
    pairs = zip(measured.turns[contender], measured.turns[measured.case.base], strict=True)
    found = [mine[name] / base[name] for mine, base in pairs if base.get(name) and name in mine]
    return statistics.median(found) if found else None


def verdicts(goals: Sequence[Goal], cases: Mapping[str, Measured]) -> list[Verdict]:
    """Each goal with what was found."""
    return [Verdict(goal=goal, found=_found(goal, cases)) for goal in goals]


def _found(goal: Goal, cases: Mapping[str, Measured]) -> float | None:
    mine = _turns(goal.figure, cases)
    if goal.beside is None:
        return median(mine, goal.figure.name) if mine else None
    others = _turns(goal.beside, cases)
    if not mine or not others:
        return None
    if goal.figure.case == goal.beside.case:  # they ran in turn: what disturbed a round disturbed both
        return statistics.median(a[goal.figure.name] / b[goal.beside.name] for a, b in zip(mine, others, strict=True))
    return median(mine, goal.figure.name) / median(others, goal.beside.name)


def _turns(figure: Figure, cases: Mapping[str, Measured]) -> Sequence[Turn]:
    return cases[figure.case].turns.get(figure.contender, ()) if figure.case in cases else ()


def table(measured: Measured) -> list[dict[str, Any]]:
    """A row for each contender: medians by figure, ratios of wall and CPU to the base, and its own figures."""
    made = []
    for name, turns in measured.turns.items():
        own = sorted({figure for turn in turns for figure in turn} - set(OUTSIDE))
        row: dict[str, Any] = {figure: median(turns, figure) for figure in (*OUTSIDE, *own)}
        ratios = {f"{figure}_ratio": ratio(measured, name, figure) for figure in ("wall", "cpu")}
        made.append({"contender": name, **row, **ratios, "own": own})
    return made


def lines(measured: Measured) -> list[str]:
    """The table as text."""
    case = measured.case
    told = [f"\n{case.name}: {case.about}", f"ratios to {case.base}; {measured.rows.count:,} rows each, equal"]
    told.append(f"{'':32} {'wall s':>8} {'CPU s':>8} {'MiB':>7} {'wall':>7} {'CPU':>7} {'M/h':>8}")
    for row in table(measured):
        ratios = " ".join(f"{row[key]:6.2f}x" if row[key] else f"{'-':>7}" for key in ("wall_ratio", "cpu_ratio"))
        own = "  ".join(f"{name} {number(row[name])}" for name in row["own"])
        told.append(
            f"{row['contender']:32} {row['wall']:8.1f} {row['cpu']:8.1f} {row['memory']:7.0f} {ratios}"
            f" {row['rate']:8.1f}  {own}".rstrip()
        )
    return told


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
