"""Numbers as people write them (`100M`, `10 TB`, `1 KB`, `60 %`), read and told."""

from __future__ import annotations

import re
from typing import Final

from airflow_provider_etl.spec.scalars import duration
from spark_jobs.errors import ConfigError

HOUR: Final = 3600.0
DAY: Final = 86_400.0
_NUMBER: Final = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-z%]*)")
_COUNTS: Final = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}
_BYTES: Final = {
    "": 1.0, "b": 1.0, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12, "p": 1e15,
    "pb": 1e15, "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40, "pib": 2.0**50,
}  # fmt: skip
_SHARES: Final = {"": 1.0, "%": 0.01}


def count(text: str, where: str) -> float:
    """`100M`, `2.5k`, `1_000`: how many.

    Args:
        text: as it was written.
        where: what it is of, for the error.

    Raises:
        ConfigError: it isn't one.
    """
    return _read(text, where, _COUNTS, "a number such as 500, 2.5k, 100M or 3G")


def size(text: str, where: str) -> float:
    """`1 KB`, `10TB`, `64GiB`: bytes; powers of ten, but of two where there is an `i`.

    Raises:
        ConfigError: it isn't one.
    """
    return _read(text, where, _BYTES, "bytes such as 1000, 1 KB, 64GiB or 10TB")


def share(text: str, where: str) -> float:
    """`60 %`, `0.6`: a share; 1 is all.

    Raises:
        ConfigError: it isn't one.
    """
    return _read(text, where, _SHARES, "a share such as 60% or 0.6")


def span(text: str, where: str) -> float:
    """`15m`, `1h`, `90d`: seconds.

    Raises:
        ConfigError: it isn't one, or no time at all.
    """
    try:
        found = duration(text).total_seconds()
    except ValueError as error:
        raise ConfigError(f"{text!r}", where=where, expected=str(error)) from None
    return within(found, where, least=1.0, said="a duration longer than nothing")


def within(value: float, where: str, *, least: float, most: float = float("inf"), said: str = "") -> float:
    """The value, where it is between two others, both included.

    Raises:
        ConfigError: it isn't.
    """
    if least <= value <= most:
        return value
    until = f" and at most {number(most)}" if most < float("inf") else ""
    raise ConfigError(number(value), where=where, expected=said or f"at least {number(least)}{until}")


def _read(text: str, where: str, units: dict[str, float], expected: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    unit = match[2].lower() if match else ""
    if match is None or unit not in units or len(text) > 30:
        raise ConfigError(repr(text), where=where, expected=expected)
    return float(match[1].replace("_", "")) * units[unit]


def number(value: float) -> str:
    """Three digits that count, thousands apart, no exponents: 0.0438, 1.22, 43.8, 27,778."""
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.6f}".rstrip("0")


def bytes_told(value: float) -> str:
    """Bytes in powers of ten, as disks and networks are sold: 2.4 TB."""
    return _scaled(value, 1000.0, ("B", "KB", "MB", "GB", "TB", "PB", "EB"))


def memory_told(value: float) -> str:
    """Bytes in powers of two, as memory is: 10 GiB."""
    return _scaled(value, 1024.0, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))


def _scaled(value: float, step: float, units: tuple[str, ...]) -> str:
    place = 0
    while place < len(units) - 1 and round(value, 1) >= step:
        value, place = value / step, place + 1
    return f"{number(round(value, 1) if value < 100 else round(value))} {units[place]}"


def span_told(seconds: float) -> str:
    """A time in its largest unit that leaves one or more: 40 s, 12.5 min, 3 h, 90 d."""
    if seconds == float("inf"):
        return "no time at all"
    for unit, name in ((DAY, "d"), (HOUR, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{number(round(seconds / unit, 1))} {name}"
    return f"{number(round(seconds, 1))} s"


def share_told(value: float) -> str:
    """A share in percent: 60 %."""
    return f"{number(round(100 * value, 1))} %"
