"""Format `json_document`: a file is one JSON value, and its records are the objects of an array in it.

The document is walked along the path, and the records are cut out of its text as they are: numbers keep their digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final

from spark_jobs.extract import json_lines, whole
from spark_jobs.extract.cells import Reading
from spark_jobs.extract.records import Parsed

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_SHOWN: Final = 40


def parser(reading: Reading, path: str | None) -> Callable[[bool], list[Parsed]]:
    """Gives the records of the files; each file is read as a whole by one task.

    Args:
        reading: files and contract.
        path: keys that lead to the records, with dots between them; None where the document itself is them.

    Raises:
        DataError: a file is too large, isn't compressed as its name says, or is UTF-16.
    """
    whole.refuse_unfit(reading)
    keys = tuple(path.split(".")) if path else ()

    def split(content: bytes) -> Iterator[whole.Record]:
        return _records(content, keys)

    def read(_: Any) -> Any:
        found = whole.records(reading, split, "value string, line bigint")
        return found.withColumn("json", found["value"])

    told = "no JSON object, or one with a key twice"
    return json_lines.parser(reading, json_lines.Objects(read=read, told=told))


def _records(content: bytes, keys: tuple[str, ...]) -> Iterator[whole.Record]:
    """The texts of the records, numbered from 1.

    Raises:
        ValueError: the file is no JSON document, or there is no array or object at the path.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"bytes that are no UTF-8 at {error.start}") from error
    if not text.strip():
        raise ValueError("the file is empty, and no JSON document")
    scanner = _Scanner(text)
    begin, end = scanner.find(keys)
    place = f"at {'.'.join(keys)!r}" if keys else "in the file"
    if begin is None:
        raise ValueError(f"nothing stands {place}, where the records should be")
    if text[begin] == "{":
        yield {"value": text[begin:end], "line": 1}
    elif text[begin] == "[":
        for number, (first, last) in enumerate(scanner.items(begin), 1):
            yield {"value": text[first:last], "line": number}
    else:
        raise ValueError(f"{text[begin:end][:_SHOWN]} stands {place}, and no array or object")


class _Scanner:
    """Where values stand in a JSON text."""

    def __init__(self, text: str) -> None:
        self.text = text
        # Values are only measured: a number of ten thousand digits is none of Python's business.
        self._decoder = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)

    def find(self, keys: tuple[str, ...]) -> tuple[int | None, int]:
        """Where the value at a path begins and ends; None where there is none. The rest of the text is read too.

        Raises:
            ValueError: it is no JSON, or goes on behind its end.
        """
        start = self._space(0)
        end = self._end(start)
        if self._space(end) != len(self.text):
            raise ValueError(f"the document ends at {end}, and something follows it")
        for key in keys:
            found = [span for name, *span in self._members(start) if name == key] if self.text[start] == "{" else []
            if len(found) > 1:
                raise ValueError(f"key {key!r} stands twice on the way to the records")
            if not found:
                return None, 0
            start, end = found[0]
        return start, end

    def items(self, place: int) -> Iterator[tuple[int, int]]:
        """Where the elements of the array that begins at a place begin and end."""
        place = self._space(place + 1)
        while self.text[place] != "]":
            end = self._end(place)
            yield place, end
            place = self._space(end)
            place = self._space(place + 1) if self.text[place] == "," else place

    def _members(self, place: int) -> Iterator[tuple[str, int, int]]:
        """The keys of an object, and where their values begin and end."""
        place = self._space(place + 1)
        while self.text[place] != "}":
            key, place = self._decoder.raw_decode(self.text, place)
            place = self._space(self._space(place) + 1)
            end = self._end(place)
            yield key, place, end
            place = self._space(end)
            place = self._space(place + 1) if self.text[place] == "," else place

    def _end(self, place: int) -> int:
        try:
            return self._decoder.raw_decode(self.text, place)[1]
        except JSONDecodeError as error:
            raise ValueError(f"no JSON, or not a whole document: {error}") from error
        except RecursionError as error:
            raise ValueError("the document is nested too deep") from error

    def _space(self, place: int) -> int:
        found = _SPACE.match(self.text, place)
        return found.end() if found else place
