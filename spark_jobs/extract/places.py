"""Where the fields of a line stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from spark_jobs.kinds import PYDANTIC

LINE: Final = "line"
"""The column of format `text`."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a field stands in a line, in characters."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    start: int = field(metadata={"ge": 1})
    """Its first character; a line begins with 1."""
    length: int = field(metadata={"ge": 1})
    """How many characters it has. Blanks around the value don't belong to it."""

    @property
    def end(self) -> int:
        """Its last character."""
        return self.start + self.length - 1
