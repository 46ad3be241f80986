"""`not_matches`: text that a regular expression must not find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spark_jobs.check.of_texts import OfTexts


@dataclass(frozen=True, kw_only=True)
class NotMatches(OfTexts):
    """No text contains a match of a regular expression; nulls are ignored."""

    example: ClassVar[str] = 'not_matches: {column: customer, regex: "^TEST"}'
    finds: ClassVar[bool] = False

    regex: str
    """Java regular expression, searched anywhere in the text."""
