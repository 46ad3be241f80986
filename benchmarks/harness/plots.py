"""Plots as SVG, drawn here: the page needs nothing that it doesn't hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

COLOURS: Final = ("#1d4ed8", "#b91c1c", "#047857", "#a16207", "#7e22ce", "#0e7490", "#be185d", "#4d7c0f")
_WIDE: Final = 720
_LEFT: Final = 210
_ROW: Final = 26
_TOP: Final = 30


def bars(title: str, rounds: Mapping[str, Sequence[float]], medians: Mapping[str, float]) -> str:
    """A bar for each contender as long as its median, and a dot for each round.

    Args:
        title: with the unit.
        rounds: contender -> its figure in each round.
        medians: contender -> where its bar ends.
    """
    most = max((value for each in rounds.values() for value in each), default=0) or 1
    room = _WIDE - _LEFT - 80
    parts = [f'<text x="0" y="16" font-weight="600">{escape(title)}</text>']
    for place, (name, values) in enumerate(rounds.items()):
        y, wide = _TOP + place * _ROW, room * medians[name] / most
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{y + 3}" width="{wide:.1f}" height="15" fill="{_colour(place)}" opacity="0.45"/>',
            *(
                f'<circle cx="{_LEFT + room * v / most:.1f}" cy="{y + 10.5}" r="3" fill="{_colour(place)}"/>'
                for v in values
            ),
            f'<text x="{_LEFT + room * max(values) / most + 8:.1f}" y="{y + 15}">{medians[name]:,.1f}</text>',
        ]
    return _svg(parts, _TOP + len(rounds) * _ROW + 6)


def curves(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """A line for each contender, both axes in powers of ten.

    Args:
        title: what is drawn over what.
        lines: name -> points (x, y), both above 0.
    """
    points = [point for line in lines.values() for point in line if min(point) > 0]
    if not points:
        return ""
    xs, ys = ([math.log10(point[axis]) for point in points] for axis in (0, 1))
    left, high, top = 70, 220, _TOP + 18 * len(lines)
    low, tall = math.floor(min(ys)), max(1, math.ceil(max(ys)) - math.floor(min(ys)))
    span = max(xs) - min(xs) or 1

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + (_WIDE - left - 40) * (math.log10(x) - min(xs)) / span
        return round(across, 1), round(top + high * (1 - (math.log10(y) - low) / tall), 1)

    parts = [f'<text x="0" y="16" font-weight="600">{escape(title)}</text>']
    for power in range(low, low + tall + 1):
        y = place(10 ** min(xs), 10.0**power)[1]
        parts.append(f'<path d="M{left} {y}H{_WIDE - 40}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{10.0**power:,g}</text>')
    for x in sorted({point[0] for point in points}):
        across = place(x, 10.0**low)[0]
        parts.append(f'<text x="{across}" y="{top + high + 18}" text-anchor="middle">{x:,.0f}</text>')
    for number, (name, line) in enumerate(lines.items()):
        drawn = [place(*point) for point in line if min(point) > 0]
        parts.append(f'<text x="{left}" y="{_TOP + 8 + 18 * number}" fill="{_colour(number)}">{escape(name)}</text>')
        joined = " ".join(f"{x},{y}" for x, y in drawn)
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{_colour(number)}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{_colour(number)}"/>' for x, y in drawn]
    return _svg(parts, top + high + 30)


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _svg(parts: Sequence[str], high: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" width="{_WIDE}" height="{high}"'
        f' font-family="sans-serif" font-size="12" role="img">{"".join(parts)}</svg>'
    )
