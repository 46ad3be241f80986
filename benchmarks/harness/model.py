"""What a benchmark is: cases, their contenders, and the goals that the figures have to meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from benchmarks.harness.rows import Rows

ROOT: Final = Path(__file__).resolve().parents[2]
JARS: Final = ROOT / "jars"
Turn = Mapping[str, float]
"""The figures of one contender in one round: wall (s), cpu (s), memory (MiB, PSS of the tree), rate (millions of
records an hour), and what the contender itself has told."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What all benchmarks are asked.

    Args:
        data: folder of generated records, which stay there.
        scratch: an empty folder.
        tiny: sizes that prove correctness in seconds and whose times say nothing.
        records: how many, in place of the benchmark's own number.
        only: names of contenders to run; empty: all.
    """

    data: Path
    scratch: Path
    tiny: bool = False
    records: int | None = None
    only: tuple[str, ...] = ()

    def size(self, full: int, tiny: int) -> int:
        """How many records."""
        return self.records or (tiny if self.tiny else full)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is run.

    Args:
        argv: program and arguments.
        env: variables beside those of this process.
    """

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to do the work.

    Args:
        name: in tables and goals.
        about: what it is, in a sentence.
        command: the command for a folder of its own, which goes with the turn.
        rows: what it has left in that folder, to be compared.
        before: a folder whose copy it finds there, such as a table with an earlier state; copying isn't measured.
        python: the interpreter that must be there.
    """

    name: str
    about: str
    command: Callable[[Path], Command]
    rows: Callable[[Path], Rows]
    before: Path | None = None
    python: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """The same work for several contenders.

    Args:
        name: in tables and goals.
        about: what is done, on what.
        count: how many records, for the rate.
        base: the contender that ratios are told to.
        contenders: who runs.
        axis: what a curve over cases counts.
        place: where the case stands on it; 0: at its count.
        warms: whether a round that isn't measured runs before the others: of no use where a turn is minutes of
            processes that start and end.
    """

    name: str
    about: str
    count: int
    base: str
    contenders: Sequence[Contender]
    axis: str = "records"
    place: int = 0
    warms: bool = True


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure: `wall`, `cpu`, `memory`, `rate` or a name that the contender tells."""

    case: str
    contender: str
    name: str = "wall"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What figures must come to.

    Args:
        says: in words.
        figure: what is looked at.
        beside: what it is divided by; None: the figure itself.
        bound: on which side of the value it has to be.
        value: where it has to be.
    """

    says: str
    figure: Figure
    bound: Literal["at most", "at least"]
    value: float
    beside: Figure | None = None


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Cases that are told together.

    Args:
        name: of the command and the files.
        title: on the page.
        about: what is measured, for a reader who trusts nobody.
        cases: in the order in which they run.
        goals: over all cases.
        curve: figures whose medians are drawn over the cases, a picture for each axis.
    """

    name: str
    title: str
    about: str
    cases: Sequence[Case]
    goals: Sequence[Goal] = ()
    curve: Sequence[str] = ()
