"""`# etl: ignore=CODE`: a warning that the author of a file has looked at. Errors can't be ignored.

A comment behind a value speaks of its line, one on a line of its own of the next line that isn't a comment, and
`# etl: ignore-file=CODE` of the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.nodes import Source

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#\s*etl:\s*(ignore|ignore-file)\s*=\s*([a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)")


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """A code that a comment names.

    Args:
        path: the file, as the caller named it.
        code: the code.
        line: the line that it speaks of; 0 for the whole file.
        at: where the code stands: line and column, from 1.
    """

    path: str
    code: str
    line: int
    at: tuple[int, int]

    def covers(self, diagnostic: Diagnostic) -> bool:
        """Whether it speaks of a warning."""
        here = diagnostic.path == self.path and self.line in (0, diagnostic.line)
        return here and diagnostic.code == self.code and diagnostic.severity == "warning"


def ignores_of(source: Source) -> tuple[Ignore, ...]:
    """What the comments of a file ignore."""
    return tuple(_found(source)) if "etl:" in source.text else ()


def _found(source: Source) -> Iterator[Ignore]:
    lines = source.text.splitlines()
    for number, line in enumerate(lines, start=1):
        for match in _COMMENT.finditer(line):
            about = 0 if match[1] == "ignore-file" else _about(lines, number, alone=not line[: match.start()].strip())
            for code in re.finditer(r"[a-z0-9-]+", match[2]):
                yield Ignore(path=source.path, code=code[0], line=about, at=(number, match.start(2) + code.start() + 1))


def _about(lines: list[str], number: int, *, alone: bool) -> int:
    if not alone:
        return number
    following = range(number + 1, len(lines) + 1)
    return next(
        (place for place in following if lines[place - 1].strip() and lines[place - 1].strip()[0] != "#"), number
    )


def kept(diagnostics: Iterable[Diagnostic], ignores: tuple[Ignore, ...]) -> tuple[Diagnostic, ...]:
    """The diagnostics that no comment ignores."""
    return tuple(item for item in diagnostics if not any(ignore.covers(item) for ignore in ignores))


def useless(path: str, ignores: tuple[Ignore, ...], found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """A warning for each comment that ignores nothing.

    Args:
        path: the file, as the caller named it.
        ignores: what its comments ignore.
        found: everything that was found in it.
    """
    diagnostics = list(found)
    failed = any(item.severity == "error" for item in diagnostics)
    for ignore in ignores:
        error = any(item.code == ignore.code and item.severity == "error" for item in diagnostics)
        if any(ignore.covers(item) for item in diagnostics) or (failed and not error):
            continue  # in a file with errors not every rule is asked
        message = (
            f"{ignore.code} is an error, and errors can't be ignored" if error else f"there is no {ignore.code} here"
        )
        line, column = ignore.at
        yield Diagnostic(
            path=path,
            line=line,
            column=column,
            code="useless-ignore",
            severity="warning",
            message=message,
            hint="mend what it says, and take the comment out" if error else "take the comment out",
        )
