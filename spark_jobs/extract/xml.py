"""Format `xml`: every element with one name is a record, turned into an object by what the contract says of it.

An attribute `id` is the key `_id`, a child element its own name, text beside either `_VALUE`; an element that has
neither is its text, one that is there several times a list. Prefixes of namespaces are left out. Spark's own reader
isn't used: it keeps the last of several elements, drops attributes of elements that are read as text, and gives one
bad record for all that follows a mistake (Spark 4.1, tried).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Final
from xml.parsers import expat

from spark_jobs.extract import json_lines, whole
from spark_jobs.extract.cells import Reading
from spark_jobs.extract.records import Parsed

_DEEPEST: Final = 100
_PIECE: Final = 1024 * 1024
_NUMBER: Final = re.compile(r"\s*[+]?(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*", re.ASCII)
_NUMBERS: Final = frozenset({"byte", "short", "integer", "long", "float", "double"})
_TEXT: Final = "_VALUE"
_quoted: Final[Callable[[str], str]] = encode_basestring_ascii


def parser(reading: Reading, row_tag: str) -> Callable[[bool], list[Parsed]]:
    """Gives the records of the files; each file is read as a whole by one task.

    Args:
        reading: files and contract.
        row_tag: name of the elements that are records; with a prefix only those that are written with it.

    Raises:
        DataError: a file is too large or isn't compressed as its name says.
    """
    whole.refuse_unfit(reading)
    kinds = {name: kind.jsonValue() for name, kind in reading.contract.given.items()}

    def split(content: bytes) -> Iterator[whole.Record]:
        return _records(content, row_tag, kinds)

    def read(_: Any) -> Any:
        return whole.records(reading, split, "value string, json string, line bigint")

    return json_lines.parser(reading, _objects(read))


def _objects(read: Callable[[Any], Any]) -> json_lines.Objects:
    told = "the element can't be told as an object with every key once"
    return json_lines.Objects(read=read, rule="xml", told=told, utf8=False)


def _records(content: bytes, row_tag: str, kinds: Mapping[str, Any]) -> Iterator[whole.Record]:
    """The records of a document, numbered from 1.

    Raises:
        ValueError: it is no XML, declares entities, or is nested too deep.
    """
    reader = _Reader(content, row_tag)
    for number, (raw, record) in enumerate(reader.read(), 1):
        made = record if isinstance(record, dict) else {} if record in (None, "") else {_TEXT: record}
        yield {"value": raw, "json": _object(made, kinds), "line": number}


class _Reader:
    """Reads a document piece by piece; what is finished is handed over between two pieces."""

    def __init__(self, content: bytes, row_tag: str) -> None:
        self.content, self.row_tag = content, row_tag
        self.encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
        self.open: list[tuple[dict[str, Any], list[str]]] = []
        self.begin, self.found, self.near = 0, 0, ""
        self.ended: tuple[int, Any] | None = None
        self.made: list[tuple[str, Any]] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declared
        self.parser.EntityDeclHandler = self._entity
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.DefaultHandlerExpand = self._other

    def read(self) -> Iterator[tuple[str, Any]]:
        try:
            for place in range(0, len(self.content), _PIECE):
                self.parser.Parse(self.content[place : place + _PIECE], False)
                yield from self._handed_over()
            self.parser.Parse(b"", True)
        except (expat.ExpatError, LookupError) as error:
            raise ValueError(f"no XML, or not a whole document: {error}") from error
        self._finish(len(self.content))
        yield from self._handed_over()
        if self.near and not self.found:
            raise ValueError(f"there is no element {self.row_tag!r}, but there is {self.near!r} (row_tag)")

    def _handed_over(self) -> Iterator[tuple[str, Any]]:
        made, self.made = self.made, []
        self.found += len(made)
        yield from made

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding or self.encoding

    def _entity(self, name: str, *_rest: Any) -> None:
        raise ValueError(f"the document declares the entity {name!r}, and none is expanded")

    def _other(self, _text: str) -> None:
        if self.ended is not None:
            self._finish(self.parser.CurrentByteIndex)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self.ended is not None:
            self._finish(self.parser.CurrentByteIndex)
        if not self.open:
            if not self._is_record(tag):
                return
            self.begin = self.parser.CurrentByteIndex
        elif len(self.open) > _DEEPEST:
            raise ValueError(f"a record is nested more than {_DEEPEST} elements deep")
        element: dict[str, Any] = {}
        for name, value in attributes.items():
            if name != "xmlns" and not name.startswith("xmlns:"):
                _add(element, f"_{_local(name)}", value)
        self.open.append((element, []))

    def _is_record(self, tag: str) -> bool:
        if tag == self.row_tag or _local(tag) == self.row_tag:
            return True
        if _local(tag).lower() == _local(self.row_tag).lower() and not self.near:
            self.near = tag
        return False

    def _text(self, text: str) -> None:
        if self.ended is not None:
            self._finish(self.parser.CurrentByteIndex)
        if self.open:
            self.open[-1][1].append(text)

    def _end(self, tag: str) -> None:
        if self.ended is not None:
            self._finish(self.parser.CurrentByteIndex)
        if not self.open:
            return
        element, texts = self.open.pop()
        value = _value(element, "".join(texts))
        if self.open:
            _add(self.open[-1][0], _local(tag), value)
        else:
            self.ended = (self.begin, value)

    def _finish(self, place: int) -> None:
        """Take the text of a record that ended before a place: only what follows it tells where its end tag ends."""
        if self.ended is not None:
            begin, value = self.ended
            self.ended = None
            self.made.append((self._raw(begin, place), value))

    def _raw(self, begin: int, end: int) -> str:
        raw = self.content[begin:end]
        if self.encoding.lower() == "utf-16":
            little = self.content[:2] == b"\xff\xfe"
            return raw.decode("utf-16-le" if little else "utf-16-be", "replace").rstrip()
        return raw.decode(self.encoding, "replace").rstrip()


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name


def _add(element: dict[str, Any], key: str, value: Any) -> None:
    if key not in element:
        element[key] = value
    elif isinstance(element[key], list):
        element[key].append(value)
    else:
        element[key] = [element[key], value]


def _value(element: dict[str, Any], text: str) -> Any:
    if element.get("_nil") in ("true", "1") and len(element) == 1:
        return None
    if not element:
        return text
    if text.strip():
        _add(element, _TEXT, text)
    return element


def _object(record: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    """A record as JSON; what the contract wants nested gets the contract's types, the rest stays text."""
    items = []
    for key, value in record.items():
        kind = kinds.get(key)
        items.append(f"{_quoted(key)}:{_json(value, kind if isinstance(kind, dict) else None)}")
    return "{" + ",".join(items) + "}"


def _json(value: Any, kind: Any) -> str:
    """A value as JSON.

    Args:
        value: text, None, or a dictionary or list of such.
        kind: the type that the contract wants, as Spark writes it in JSON; None where it wants none or text.
    """
    if isinstance(kind, dict) and kind.get("type") == "array":
        items = value if isinstance(value, list) else [] if value in (None, "") else [value]
        return "[" + ",".join(_json(item, kind["elementType"]) for item in items) + "]"
    if isinstance(value, list):
        return "[" + ",".join(_json(item, None) for item in value) + "]"
    if isinstance(kind, dict) and kind.get("type") in ("struct", "map"):
        return _nested(value, kind)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(key)}:{_json(item, None)}" for key, item in value.items()) + "}"
    if value is None:
        return "null"
    return _quoted(value) if kind in (None, "string") else _plain(value, str(kind))


def _nested(value: Any, kind: Mapping[str, Any]) -> str:
    if value is None or value == "":
        return "null"
    value = value if isinstance(value, dict) else {_TEXT: value}
    if kind["type"] == "map":
        kinds = dict.fromkeys(value, kind["valueType"])
    else:
        kinds = {field["name"]: field["type"] for field in kind["fields"]}
    return "{" + ",".join(f"{_quoted(key)}:{_json(item, kinds.get(key))}" for key, item in value.items()) + "}"


def _plain(text: str, kind: str) -> str:
    """A text as JSON of a type of single values; what doesn't fit stays text, and is told as a clash."""
    if not text.strip():
        return "null"
    number = _NUMBER.fullmatch(text)
    if number and (kind in _NUMBERS or kind.startswith("decimal")):
        return number[1]
    lowered = text.strip().lower()
    if kind == "boolean" and lowered in ("true", "false", "1", "0"):
        return "true" if lowered in ("true", "1") else "false"
    return _quoted(text.strip())
