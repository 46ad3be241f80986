"""Sizes as batches of Dataproc know them: a smaller one is raised, since the service would refuse the batch.

Source: Google's page on Spark properties of Serverless for Apache Spark (resource allocation).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_CORES: Final = (4, 8, 16)
_PER_CORE: Final = 1024  # MiB, the least
_FEWEST: Final = 2  # executors
_COUNTS: Final = (
    "spark.executor.instances",
    *(f"spark.dynamicAllocation.{which}Executors" for which in ("initial", "min", "max")),
)
_UNITS: Final = {"m": 1, "g": 1024, "t": 1024 * 1024}  # MiB


def fitted(conf: Mapping[str, str]) -> dict[str, str]:
    """Spark's settings with cores of 4, 8 or 16, a GiB for each of them at least, and two executors at least.

    What can't be read as a size, and what is too large, the service is left to refuse in its own words.

    Args:
        conf: setting -> value; what isn't there the service decides.
    """
    found = dict(conf)
    for key in _COUNTS:
        if found.get(key, "").isdecimal():
            found[key] = str(max(int(found[key]), _FEWEST))
    for who in ("driver", "executor"):
        found |= _machine(found, f"spark.{who}.cores", f"spark.{who}.memory")
    return found


def _machine(conf: Mapping[str, str], cores: str, memory: str) -> dict[str, str]:
    asked = int(conf[cores]) if conf.get(cores, "").isdecimal() else _CORES[0]
    given = next((known for known in _CORES if known >= asked), asked)
    fixed = {cores: str(given)} if cores in conf else {}
    size = _mebibytes(conf.get(memory, ""))
    return fixed | ({memory: f"{given * _PER_CORE}m"} if size is not None and size < given * _PER_CORE else {})


def _mebibytes(text: str) -> int | None:
    number, unit = text[:-1], text[-1:].lower()
    return int(number) * _UNITS[unit] if number.isdecimal() and unit in _UNITS else None
