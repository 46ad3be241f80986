"""What can go wrong in a run, by cause: the cause decides whether a retry makes sense."""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorKind = Literal["config", "data", "resource", "infrastructure"]


class EtlError(Exception):
    """An error with a place, an expectation and a remedy.

    Args:
        what: what happened, with the value found.
        where: the place: a file, a dataset, a step's path in the pipeline file, a table.
        expected: what would have been right.
        remedy: what the reader can do now.
    """

    kind: ClassVar[ErrorKind] = "infrastructure"

    def __init__(self, what: str, *, where: str = "", expected: str = "", remedy: str = "") -> None:
        self.what, self.where, self.expected, self.remedy = what, where, expected, remedy
        super().__init__(what, where, expected, remedy)

    def __str__(self) -> str:
        """One line: where, what, what was expected, what to do."""
        place = f"{self.where}: " if self.where else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{expected}{remedy}"

    def to_json(self) -> dict[str, str]:
        """`{kind, message, where}`, as a report has it: the message without its place."""
        message = str(self).removeprefix(f"{self.where}: ") if self.where else str(self)
        return {"kind": self.kind, "message": message, "where": self.where}


class ConfigError(EtlError):
    """The pipeline file, the environment or the plan is wrong: a retry can't help."""

    kind = "config"


class DataError(EtlError):
    """The data breaks what the pipeline file says of it: a retry can't help."""

    kind = "data"


class ResourceError(EtlError):
    """Memory, disk or time ran out: the remedy names the setting to raise."""

    kind = "resource"


class InfrastructureError(EtlError):
    """Something around us failed: retried with backoff."""

    kind = "infrastructure"
