"""What is wrong in a file, and where: every problem has a place, a code, a reason and a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["error", "warning"]
_LONGEST: Final = 100  # comparing longer names takes long and helps nobody


@dataclass(frozen=True, kw_only=True, order=True)
class Diagnostic:
    """One problem.

    Args:
        path: the file as the caller named it.
        line, column: from 1.
        code: stable, other programs read it.
        severity: error or warning.
        key: path of keys, such as `extract.flights.format` or `transform[2].join.with`.
        message: what was found, and what would be valid.
        hint: what to do; empty where the message says it.
    """

    path: str
    line: int
    column: int
    code: str
    severity: Severity = "error"
    key: str = ""
    message: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """`path:line:col: error[code]: key: message; hint`, on one line."""
        key = f"{self.key}: " if self.key else ""
        hint = f"; {self.hint}" if self.hint else ""
        place = f"{_one_line(self.path)}:{self.line}:{self.column}"
        return f"{place}: {self.severity}[{self.code}]: {_one_line(key + self.message + hint)}"

    def to_json(self) -> dict[str, str | int]:
        """`{path, line, column, code, severity, key, message, hint}`."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "severity": self.severity,
            "key": self.key,
            "message": self.message,
            "hint": self.hint,
        }


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def shown(value: str, limit: int = 60) -> str:
    """A found value in quotes, shortened."""
    return repr(value if len(value) <= limit else value[: limit - 1] + "…")


def near_miss(found: str, valid: Iterable[str]) -> str | None:
    """The valid name that was probably meant; None where none is near."""
    if len(found) > _LONGEST:
        return None
    names = {name.lower(): name for name in valid}
    near = difflib.get_close_matches(found.lower(), names, n=1, cutoff=0.6)
    return names[near[0]] if near else None


def did_you_mean(found: str, valid: Iterable[str]) -> str:
    """`did you mean 'schedule'?` for a near miss, else an empty text."""
    near = near_miss(found, valid)
    return f"did you mean {near!r}?" if near else ""


def one_of(valid: Iterable[str]) -> str:
    """`one of a, b, c`."""
    return "one of " + ", ".join(sorted(valid))


def nearest(found: str, valid: Iterable[str]) -> str:
    """The hint for a name that isn't known: a near miss if there is one, and all that are valid."""
    names = sorted(valid)
    near = did_you_mean(found, names)
    known = f"valid: {', '.join(names)}" if names else "none is defined"
    return f"{near} {known}" if near else known
