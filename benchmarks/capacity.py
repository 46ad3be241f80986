"""The picture of docs/capacity.md, by the command's own arithmetic: `python -m benchmarks.capacity FILE`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from airflow_provider_etl.capacity.asking import Ask
from airflow_provider_etl.capacity.figures import ours
from airflow_provider_etl.capacity.quantities import DAY, HOUR
from airflow_provider_etl.capacity.sizing import sized

_LOADS: Final = [10 ** (power / 10) for power in range(60, 101)]  # a million to ten thousand million an hour
_MOST: Final = 1_000.0  # cores; fewer than one are drawn as one
_LEFT, _TOP, _WIDE, _HIGH = 70, 40, 560, 300
_LINES: Final = (
    ("500 sources, windows of 15 min", "#b91c1c", {"sources": 500, "window": HOUR / 4}),
    ("500 sources, 1 h", "#1d4ed8", {"sources": 500, "window": HOUR}),
    ("500 sources, 1 d", "#047857", {"sources": 500, "window": DAY}),
)
_NAMES: Final = {6: "1 M", 7: "10 M", 8: "100 M", 9: "1 G", 10: "10 G"}


def picture() -> str:
    """SVG: cores that are needed by records an hour, both in powers of ten."""
    parts = [*_axes(), *_curves()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDE + 20} {_TOP + _HIGH + 60}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _x(records: float) -> float:
    return round(_LEFT + _WIDE * (math.log10(records) - 6) / 4, 1)


def _y(cores: float) -> float:
    return round(_TOP + _HIGH * (1 - math.log10(max(cores, 1.0)) / math.log10(_MOST)), 1)


def _axes() -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="20">cores, with head room: records of 1 KB, peak 3, utilisation 60 %</text>'
    bottom, right = _TOP + _HIGH, _LEFT + _WIDE
    for power, name in _NAMES.items():
        x = _x(10**power)
        yield f'<path d="M{x} {_TOP}V{bottom}" stroke="#e7e5e4"/>'
        yield f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{name}</text>'
    for power in range(4):
        y = _y(10**power)
        yield f'<path d="M{_LEFT} {y}H{right}" stroke="#e7e5e4"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{10**power:,}</text>'
    yield f'<text x="{_LEFT + _WIDE / 2}" y="{bottom + 42}" text-anchor="middle">records an hour</text>'


def _curves() -> Iterator[str]:
    for place, (name, colour, what) in enumerate(_LINES):
        found = []
        for load in _LOADS:
            ask = Ask(records_per_hour=load, record_bytes=1000, peak=3.0, **what)
            found.append(f"{_x(load)},{_y(sized(ask, ours()).cores)}")
        yield f'<polyline points="{" ".join(found)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{_LEFT + 12}" y="{_TOP + 20 + 18 * place}" fill="{colour}">{name}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
