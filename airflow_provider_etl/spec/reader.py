"""A YAML file -> nodes with places, or why it can't be read. PyYAML's resolver and constructor are not used at all."""

from __future__ import annotations

import os
import re
import stat
from typing import Any, Final

import yaml

from airflow_provider_etl.spec.building import Builder, Stop
from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.nodes import Node, Source
from airflow_provider_etl.spec.problems import Problems

MAX_BYTES: Final = 1 << 20

# A character of two escapes, which JSON has and YAML hasn't; a backslash before them may be escaped itself.
_SURROGATES: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HINTS: Final = (
    ("alias", "put a text that begins with * or & in quotes"),
    ("anchor", "put a text that begins with * or & in quotes"),
    ("mapping values are not allowed", "put a text that holds ': ' in quotes, or mend the indentation"),
    ("cannot start any token", "put a text that begins with @ ` or % in quotes"),
    ("block mapping", "mend the indentation, or put the text in quotes"),
    ("flow", "inside [] and {} put a text that holds ${…} or a comma in quotes"),
)


def read_file(path: str, problems: Problems) -> Node | None:
    """Read a YAML file; None where it can't be read, with the reason in `problems`."""
    try:
        text = decoded(_read(path), path, problems)
        if text is not None and path.lower().endswith(".json"):
            text = _SURROGATES.sub(_character, text)
        return None if text is None else read_text(text, path, problems)
    except OSError as error:
        problems.put(
            _at(path, "file-unreadable", f"the file can't be read: {error.strerror or error}", "check the path")
        )
    return None


def _character(pair: re.Match[str]) -> str:
    """Two escapes of JSON for one character, as YAML escapes it."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + low - 0xDC00:08X}"


def _read(path: str) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - the path stays as the caller named it
        raise OSError(None, "it is no regular file")
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def decoded(data: bytes, path: str, problems: Problems) -> str | None:
    """The file's text: UTF-8, with or without a byte order mark, at most 1 MiB."""
    if len(data) > MAX_BYTES:
        problems.put(_at(path, "file-too-large", f"the file is larger than {MAX_BYTES} bytes", "split the pipeline"))
        return None
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        message = f"byte 0x{data[error.start]:02x} at offset {error.start} is no UTF-8"
        problems.put(_at(path, "file-encoding", message, "save the file as UTF-8", _end_of(before)))
    return None


def read_text(text: str, path: str, problems: Problems) -> Node | None:
    """Parse YAML text; None where it is empty or broken, with the reason in `problems`."""
    builder = Builder(Source(path, text), problems)
    try:
        # The parser alone: events come one by one, whatever the nesting.
        parser = _Parser(text)
        try:
            builder.read(parser.get_event)
        finally:
            parser.dispose()
    except Stop:
        return None
    except yaml.MarkedYAMLError as error:
        problems.put(_syntax(path, text, error))
        return None
    except yaml.YAMLError as error:
        problems.put(_unreadable(path, text, error))
        return None
    if builder.top is None:
        problems.put(_at(path, "file-empty", "the file is empty", "a pipeline file is a mapping of keys"))
    return builder.top


def _at(path: str, code: str, message: str, hint: str, place: tuple[int, int] = (1, 1)) -> Diagnostic:
    return Diagnostic(path=path, line=place[0], column=place[1], code=code, message=message, hint=hint)


def _end_of(text: str) -> tuple[int, int]:
    """The line and column behind a text."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _syntax(path: str, text: str, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    told = " ".join(part for part in (error.context, error.problem) if part)
    hint = next((hint for word, hint in _HINTS if word in told), "mend the YAML syntax")
    if mark and text[mark.index : mark.index + 1] == "\t":
        hint = "indent with spaces, YAML allows no tabs"
    place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return _at(path, "yaml-syntax", f"this is no YAML: {told}", hint, place)


def _unreadable(path: str, text: str, error: yaml.YAMLError) -> Diagnostic:
    position = getattr(error, "position", 0)
    before = text.encode()[:position].decode("utf-8", "ignore") if isinstance(position, int) else ""
    message = f"this is no YAML: {getattr(error, 'reason', error)}"
    return _at(path, "yaml-syntax", message, "take control characters out", _end_of(before))
