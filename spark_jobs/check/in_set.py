"""`in_set`: values from a closed list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spark_jobs.check.of_values import OfValues


@dataclass(frozen=True, kw_only=True)
class InSet(OfValues):
    """Every value is one of a list; nulls are ignored."""

    example: ClassVar[str] = "in_set: {column: customer, values: [north, south]}"
    allows: ClassVar[bool] = True

    values: tuple[int | float | bool | str, ...]
    """The values allowed; dates and timestamps as text, in the pipeline's timezone where there is no
    offset."""
