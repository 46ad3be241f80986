"""`matches`: text that a regular expression finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spark_jobs.check.of_texts import OfTexts


@dataclass(frozen=True, kw_only=True)
class Matches(OfTexts):
    """Every text contains a match of a regular expression; nulls are ignored."""

    example: ClassVar[str] = 'matches: {column: customer, regex: "^C[0-9]+$", on_fail: warn}'
    finds: ClassVar[bool] = True

    regex: str
    """Java regular expression, searched anywhere in the text: anchor it with ^ and $ where the whole must match."""
