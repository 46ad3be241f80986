"""The page: one HTML file that holds all it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from benchmarks.harness import plots
from benchmarks.harness.model import Benchmark
from benchmarks.harness.running import Measured
from benchmarks.harness.summing import Verdict, median, number, table

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c1917;background:#fff}
body{max-width:960px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:.6rem 0 1.2rem;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .7rem;border-bottom:1px solid #e7e5e4;text-align:right}
td:first-child,th:first-child{text-align:left}
.met{color:#047857}.missed{color:#b91c1c;font-weight:600}
.note{color:#57534e}.warn{background:#fef3c7;padding:.6rem 1rem}
td.words,th.words{text-align:left}
svg{display:block;margin:.8rem 0;max-width:100%}pre{overflow:auto;background:#f5f5f4;padding:.8rem}
"""
_HOW: Final = (
    "Contenders run in turn (A B A B), each in a process of its own; figures are medians, ratios the medians of the"
    " ratios within a round. CPU: user and system time of the whole process tree, by the kernel's account. Memory: peak"
    " of the sum over the tree of each process's proportional share (PSS). A case's times are told only where all"
    " contenders left the same rows. Benchmarks with an instrument of their own show what they have printed."
)
_CLASSES: Final = {True: "met", False: "missed", None: "note"}
_HEADS: Final = ("contender", "wall s", "CPU s", "peak MiB", "wall", "CPU", "M records/h")


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a benchmark has told.

    Args:
        facts: `taken`, `machine`, `versions`, `rounds`, `tiny`.
        html: from `section` or `foreign`.
    """

    facts: Mapping[str, Any]
    html: str


def page(sections: Sequence[Section]) -> str:
    """The whole page; each section says where and when it was taken."""
    parts = "".join(f"{each.html}{_facts(each.facts)}" for each in sections)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Benchmarks</title><style>{_STYLE}</style>'
        f"</head><body><h1>Benchmarks</h1><p>{escape(_HOW)}</p>{parts}</body></html>\n"
    )


def _facts(facts: Mapping[str, Any]) -> str:
    machine = facts["machine"]
    told = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, {machine['kernel']};"
        f" {facts['versions'].get('this package', '')}; taken {facts['taken']}; {facts['rounds']} rounds"
    )
    each = facts["versions"].items()
    rows = "".join(f'<tr><td>{escape(name)}</td><td class="words">{escape(said)}</td></tr>' for name, said in each)
    warning = '<p class="warn">A tiny form, run for correctness: its times say nothing.</p>' if facts["tiny"] else ""
    return f'{warning}<details><summary class="note">{escape(told)}</summary><table>{rows}</table></details>'


def section(benchmark: Benchmark, cases: Sequence[Measured], goals: Sequence[Verdict]) -> str:
    """What a benchmark has to say."""
    parts = [f'<h2 id="{escape(benchmark.name)}">{escape(benchmark.title)}</h2><p>{escape(benchmark.about)}</p>']
    if goals:
        rows = "".join(
            f'<tr><td class="words">{escape(each.goal.says)}</td>'
            f'<td class="words {_CLASSES[each.met]}">{escape(each.words())}</td></tr>'
            for each in goals
        )
        parts.append(f'<table><tr><th class="words">goal</th><th class="words">so</th></tr>{rows}</table>')
    axes = dict.fromkeys(each.case.axis for each in cases)
    parts += [_curve(name, axis, cases) for axis in axes for name in benchmark.curve]
    parts += [part for measured in cases for part in _case(measured)]
    return "".join(parts)


def _case(measured: Measured) -> Iterator[str]:
    case = measured.case
    yield f"<h3>{escape(case.name)}</h3><p>{escape(case.about)}. {measured.rows.count:,} rows left by each, equal."
    load = ", ".join(f"{each:.1f}" for each in measured.load)
    yield f' Ratios to <em>{escape(case.base)}</em>. <span class="note">Load average: {load}.</span></p>'
    rows = table(measured)
    own = sorted({name for row in rows for name in row["own"]})
    heads = "".join(f"<th>{escape(head)}</th>" for head in (*_HEADS, *own))
    yield f"<table><tr>{heads}</tr>{''.join(_row(row, own) for row in rows)}</table>"
    for name, title in (("wall", "wall, seconds"), ("cpu", "CPU, seconds"), ("memory", "peak memory, MiB")):
        found = {contender: [turn[name] for turn in turns] for contender, turns in measured.turns.items()}
        yield plots.bars(title, found, {who: median(turns, name) for who, turns in measured.turns.items()})
    about = "".join(f"<li><b>{escape(each.name)}</b>: {escape(each.about)}</li>" for each in case.contenders)
    yield f"<ul>{about}</ul>"


def _row(row: Mapping[str, Any], own: Sequence[str]) -> str:
    cells = [escape(row["contender"]), *(f"{row[name]:,.1f}" for name in ("wall", "cpu", "memory"))]
    cells += [f"{row[name]:.2f}x" if row[name] else "" for name in ("wall_ratio", "cpu_ratio")]
    cells += [number(row["rate"]), *(number(row[name]) if name in row else "" for name in own)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _curve(name: str, axis: str, cases: Sequence[Measured]) -> str:
    lines: dict[str, list[tuple[float, float]]] = {}
    for measured in (each for each in cases if each.case.axis == axis):
        place = measured.case.place or measured.case.count
        for contender, turns in measured.turns.items():
            if all(name in turn for turn in turns):
                lines.setdefault(contender, []).append((place, median(turns, name)))
    return plots.curves(f"{name} over the number of {axis}", lines)


def foreign(name: str, title: str, command: str, said: str) -> str:
    """A benchmark that measures by itself: what it says."""
    return f'<h2 id="{escape(name)}">{escape(title)}</h2><p class="note">{escape(command)}</p><pre>{escape(said)}</pre>'
