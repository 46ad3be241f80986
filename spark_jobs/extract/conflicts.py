"""Options of source `files` that can't go together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from spark_jobs.extract.contract import twins
from spark_jobs.extract.formats import FORMATS, formats_with
from spark_jobs.extract.patterns import pattern

if TYPE_CHECKING:
    from spark_jobs.extract.files import Files


def conflicts(files: Files) -> dict[str, str]:
    """Option -> why it can't be so; empty where all can."""
    found = _foreign(files)
    found |= {name: f"{files.format} needs it" for name in FORMATS[files.format].needs if not getattr(files, name)}
    if FORMATS[files.format].typed and files.null_values is not None:
        found["null_values"] = f"{FORMATS[files.format].label} has types and nulls of its own"
    if not files.separator or any(letter in files.separator for letter in "\r\n") or files.separator == files.quote:
        found["separator"] = "it must differ from quote and hold no line break"
    if len(files.quote.encode()) > 1:
        found["quote"] = "it is one ASCII character, or empty"
    if files.multiline and not files.quote:
        found["multiline"] = "line breaks are told apart by quotes, and quote is empty"
    if files.new_columns != "evolve" and not files.columns:
        found["new_columns"] = f"{files.new_columns} needs columns: without them every column is new"
    if files.mostly and files.bad_records == "fail":
        found["mostly"] = "bad_records: fail lets no bad record pass, whatever share is good"
    return found | _modified(files) | _expressions(files) | _columns(files)


def _modified(files: Files) -> dict[str, str]:
    if files.window != "modified":
        return {"late_files": "only window: modified knows late files"} if files.late_files != "fail" else {}
    told = "the path names the window already: its files are the window's, whenever they were changed"
    return {"window": told} if "${window." in files.path else {}


def _foreign(files: Files) -> dict[str, str]:
    """Options of other formats, where they aren't as they are anyway."""
    found = {}
    for field in dataclasses.fields(files):
        having = formats_with(field.name)
        default = field.default if field.default is not dataclasses.MISSING else {}
        if having and files.format not in having and getattr(files, field.name) != default:
            found[field.name] = f"only {' and '.join(having)} {'have' if len(having) > 1 else 'has'} it"
    return found


def _expressions(files: Files) -> dict[str, str]:
    found = {}
    for option in ("pattern", "trailer"):
        text = getattr(files, option)
        try:
            groups = pattern(text).groups if text and text not in ("json", "logfmt") else {}
        except ValueError as error:
            found[option] = str(error)
        else:
            if option == "trailer" and text and "rows" not in groups:
                found[option] = "the number of records must be in a group (?<rows>…)"
    return found


def _columns(files: Files) -> dict[str, str]:
    """Columns that nothing gives, or that come from two places."""
    found = {}
    if twin := twins(files.columns):
        found["columns"] = f"{twin[0]!r} and {twin[1]!r} differ only by case"
    untyped = [name for name in files.partitions if name not in files.columns]
    if untyped:
        found["partitions"] = f"columns says no type of {untyped[0]!r}"
    names = files.names()
    if names is None:
        return found
    both = [name for name in files.partitions if name in names]
    if both:
        found["partitions"] = f"{both[0]!r} is a column of the files too"
    nowhere = [name for name in files.columns if name not in (*names, *files.partitions)]
    if nowhere:
        found["columns"] = f"nothing gives {nowhere[0]!r}; there are {', '.join(names)}"
    return found
