"""`not_in_set`: values that must not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spark_jobs.check.of_values import OfValues


@dataclass(frozen=True, kw_only=True)
class NotInSet(OfValues):
    """No value is one of a list; nulls are ignored."""

    example: ClassVar[str] = "not_in_set: {column: customer, values: [test, unknown]}"
    allows: ClassVar[bool] = False

    values: tuple[int | float | bool | str, ...]
    """The values refused; dates and timestamps as text, in the pipeline's timezone where there is no
    offset."""
