"""How an Iceberg table is laid out: what `partition_by` and `sort_by` say, in Iceberg's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from spark_jobs.errors import ConfigError

TIMES: Final = ("years", "months", "days", "hours")
SIZED: Final = ("bucket", "truncate")
_CALL: Final = re.compile(r"(\w+)\s*\(\s*(?:(\d+)\s*,\s*)?(.+?)\s*\)")


@dataclass(frozen=True)
class Part:
    """One part of the layout.

    Args:
        transform: identity, years, months, days, hours, bucket or truncate.
        column: its column.
        size: of a bucket (how many) or a truncate (to how long); 0 otherwise.
    """

    transform: str
    column: str
    size: int = 0

    @property
    def told(self) -> str:
        """As Iceberg prints a partition's field: `bucket[8](id)`, `day(ts)`."""
        size = f"[{self.size}]" if self.size else ""
        return f"{self.transform.removesuffix('s') if self.transform in TIMES else self.transform}{size}({self.column})"


def parsed(text: str, columns: Iterable[str] = ()) -> Part:
    """One item of `partition_by`.

    Args:
        text: `days(ts)`, `bucket(8, id)`, `truncate(4, name)`, or a column.
        columns: names that are columns, whatever they look like.

    Raises:
        ConfigError: a transform that there isn't, or a size that is missing or too many.
    """
    match = None if text in set(columns) else _CALL.fullmatch(text)
    if match is None:
        return Part("identity", text)
    name, size, column = match[1].lower(), int(match[2] or 0), match[3]
    if name not in {*TIMES, *SIZED}:
        raise ConfigError(f"unknown transform {match[1]!r}", expected=f"one of {', '.join((*TIMES, *SIZED))}")
    if (name in SIZED) != bool(size):
        wanted = f"{name}(8, {column})" if name in SIZED else f"{name}({column})"
        raise ConfigError(f"{text!r}: {name} takes {'a size' if name in SIZED else 'a column alone'}", expected=wanted)
    return Part(name, column, size)


def columns_of(partition_by: Sequence[str]) -> list[str]:
    """The columns that lay a table out; what can't be read is left out."""
    found = []
    for text in partition_by:
        try:
            found.append(parsed(text).column)
        except ConfigError:
            continue
    return found
