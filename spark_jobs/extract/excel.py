"""Format `excel`: a sheet of a workbook (xlsx, xlsm, xlsb, xls, ods), read by python-calamine on the executors.

A workbook's numbers are floating-point numbers, and its dates numbers with a format. They come as the shortest text
that is the same number, dates and times in ISO 8601; formulas as the value that was saved with them. Of merged cells
the first one has the value. Errors such as `#N/A` come as their text from xlsx and xlsm, from others as empty cells.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.extract import whole
from spark_jobs.extract.cells import Reading
from spark_jobs.extract.fields import Fields
from spark_jobs.extract.lines import unreadable
from spark_jobs.extract.records import Parsed, unreadable_file
from spark_jobs.session import FileStat

_EXACT: Final = 2**53  # whole numbers up to here are told apart by floating-point numbers
_LARGEST: Final = 2 * 1024**3
_SCHEMA: Final = "value string, fields array<string>, line bigint, head boolean"
_ERROR: Final = re.compile(rb'<(?:\w+:)?c ([^>]*\bt="e"[^>]*)>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<', re.DOTALL)
_PLACE: Final = re.compile(rb'\br="([A-Z]+)(\d+)"')
_RELATIONS: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def parser(reading: Reading, sheet: str | int, header: int) -> Callable[[bool], list[Parsed]]:
    """Gives the rows of a sheet of each workbook.

    Args:
        reading: files and contract.
        sheet: its name, or its number from 1.
        header: the row with the columns' names, from 1; rows above it are left out.

    Raises:
        ConfigError: python-calamine isn't installed.
        DataError: a workbook can't be read, has no such sheet, or has columns that don't fit the contract.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    _refuse_absent(reading.context.where)
    whole.refuse_unfit(reading)

    def split(content: bytes) -> Iterator[whole.Record]:
        return _records(content, sheet, header)

    found = _heads(reading, split)
    fits = [reading.contract.fit(names, files[0].path) for names, files in found]
    seen = [(name, files[0].path) for (_, files), new in zip(found, fits, strict=True) for name in new]
    new = reading.new_columns(seen)

    def parsed(names: Sequence[str], files: Sequence[FileStat]) -> Parsed:
        own = dataclasses.replace(reading, files=tuple(files))
        rows = whole.records(own, split, _SCHEMA).where("NOT head OR whole IS NOT NULL")
        fields, record = Fields(reading=reading, names=names, new=new), F.col("value")
        texts = fields.texts([F.get("fields", F.lit(place)) for place in range(len(names))])
        frame = rows.select("value", "file", "line", "whole", *texts)
        return dataclasses.replace(fields.parsed(frame, unreadable(record), record), whole=F.col("whole"))

    return lambda _: [parsed(names, files) for names, files in found]


def _refuse_absent(where: str) -> None:
    from importlib.util import find_spec

    if find_spec("python_calamine") is None:
        remedy = "pip install 'airflow-provider-etl[excel]', on executors too"
        raise ConfigError("format excel needs python-calamine, which isn't installed", where=where, remedy=remedy)


def _heads(reading: Reading, split: whole.Split) -> list[tuple[tuple[str, ...], list[FileStat]]]:
    """The columns' names, and the files that have them so; files without a header have no rows either."""
    heads = whole.records(reading, split, _SCHEMA).where("head OR whole IS NOT NULL").select("file", "whole", "fields")
    rows = {row["file"]: row for row in heads.collect()}
    if any(row["whole"] is not None for row in rows.values()):
        error = unreadable_file(heads)
        if error is not None:
            raise error
    alike: dict[tuple[str, ...], list[FileStat]] = {}
    for file in reading.files:
        if file.path in rows:
            alike.setdefault(tuple(rows[file.path]["fields"]), []).append(file)
    return list(alike.items())


def _records(content: bytes, sheet: str | int, header: int) -> Iterator[whole.Record]:
    """The header, then the rows that aren't blank.

    Raises:
        ValueError: it is no workbook, is locked, or has no such sheet.
    """
    import io

    from python_calamine import CalamineError, load_workbook

    _refuse_bomb(content)
    try:
        book = load_workbook(io.BytesIO(content))
        listed = book.sheet_names
        name = sheet if isinstance(sheet, str) else listed[sheet - 1] if sheet <= len(listed) else None
        if name not in listed:
            raise ValueError(f"there is no sheet {sheet!r}; there are {', '.join(map(repr, listed))}")
        given = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise ValueError(f"no workbook, or not a whole one, or a locked one: {error}") from error
    texts = [[_text(value) for value in row] for row in given]
    for row, column, error_text in _errors(content, listed.index(name)):
        texts[row][column] = error_text
    yield from _named(texts, header)


def _refuse_bomb(content: bytes) -> None:
    import io
    import zipfile

    if not zipfile.is_zipfile(io.BytesIO(content)):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > _LARGEST:
        raise ValueError(f"the workbook has {size:,} bytes once it is unpacked, at most {_LARGEST:,} are read")


def _named(texts: list[list[str]], header: int) -> Iterator[whole.Record]:
    below = texts[header:]
    if len(texts) < header or not any(text for row in texts[header - 1 :] for text in row):
        return
    first = texts[header - 1]
    used = [place for place, text in enumerate(first) if text.strip() or any(row[place] for row in below)]
    names = [first[place] if first[place].strip() else f"_c{place}" for place in used]
    yield {"fields": names, "line": header, "head": True}
    for number, row in enumerate(below, header + 1):
        fields = [row[place] for place in used]
        if any(fields):
            raw = json.dumps(dict(zip(names, fields, strict=True)), ensure_ascii=False)
            yield {"value": raw, "fields": fields, "line": number, "head": False}


def _text(value: Any) -> str:
    """A cell's value as text from which it can be had again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def _errors(content: bytes, sheet: int) -> Iterator[tuple[int, int, str]]:
    """(row, column, text) of cells of an xlsx that hold an error, which calamine gives as empty."""
    import io
    import zipfile

    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            return
        content = archive.read(_part(archive, sheet))
        for attributes, text in _ERROR.findall(content) if b't="e"' in content else ():
            place = _PLACE.search(attributes)
            if place:
                column = 0
                for letter in place[1]:
                    column = column * 26 + letter - 64
                yield int(place[2]) - 1, column - 1, text.decode()


def _part(archive: Any, sheet: int) -> str:
    """Where an xlsx keeps the sheet with a number from 0."""
    from xml.etree import ElementTree as ET

    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - expat expands no entity without limit
    linked = [item.get(f"{_RELATIONS}id") for item in book.iter() if item.tag.endswith("}sheet")][sheet]
    for item in ET.fromstring(archive.read("xl/_rels/workbook.xml.rels")):  # noqa: S314
        if item.get("Id") == linked:
            target = str(item.get("Target"))
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise ValueError("the workbook doesn't say where its sheet is")
