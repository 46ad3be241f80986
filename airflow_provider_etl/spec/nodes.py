"""A YAML file as nodes that know their place. Scalars stay text until a field says what it wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, eq=False)
class Source:
    """A file: its path as the caller named it, and its text."""

    path: str
    text: str = ""


@dataclass(eq=False, slots=True)
class Node:
    """A place in a source; lines and columns count from 1.

    Args:
        source: the file.
        line, column: where it begins.
        start, end: the same as positions in the file's text, from 0.
        parent: the mapping or list it stands in; None for the top.
        key: its key or its place there.
    """

    source: Source
    line: int = 1
    column: int = 1
    start: int = 0
    end: int = 0
    parent: Node | None = field(default=None, repr=False)
    key: str | int | None = None

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Anything, to pydantic: the verbs' kinds are validated one by one."""
        from pydantic_core import core_schema

        return core_schema.any_schema()

    @property
    def path(self) -> str:
        """The path of keys that leads here, such as `transform[2].join`."""
        parts: list[str] = []
        node: Node | None = self
        while node is not None and node.key is not None:
            parts.append(f"[{node.key}]" if isinstance(node.key, int) else f".{node.key}")
            node = node.parent
        return "".join(reversed(parts)).removeprefix(".")

    @property
    def holder(self) -> Node:
        """Where something that is missing from this node is reported: its key, or 1:1 for the whole file."""
        if self.parent is None:
            return Node(self.source)
        if isinstance(self.parent, MapNode) and isinstance(self.key, str):
            return self.parent.entries[self.key].key
        return self


@dataclass(eq=False, slots=True)
class ScalarNode(Node):
    """A scalar as it is written.

    Args:
        text: the value.
        plain: whether it stands without quotes, so that YAML may read more into it than text.
    """

    text: str = ""
    plain: bool = True


@dataclass(eq=False, slots=True)
class ListNode(Node):
    """A list."""

    items: list[Node] = field(default_factory=list, repr=False)


@dataclass(eq=False, slots=True)
class Entry:
    """A key and its value."""

    key: ScalarNode
    value: Node


@dataclass(eq=False, slots=True)
class MapNode(Node):
    """A mapping; keys are always text."""

    entries: dict[str, Entry] = field(default_factory=dict, repr=False)

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        entry = self.entries.get(key)
        return entry.value if entry else None

    def without(self, *keys: str) -> MapNode:
        """The same mapping, at the same place, without some keys."""
        kept = {key: entry for key, entry in self.entries.items() if key not in keys}
        return MapNode(self.source, self.line, self.column, self.start, self.end, self.parent, self.key, kept)


_KINDS: Final = {ScalarNode: "text", ListNode: "a list", MapNode: "a mapping"}


def described(node: Node) -> str:
    """What a node is, in words."""
    if isinstance(node, ScalarNode) and node.plain and node.text in ("", "~", "null"):
        return "nothing"
    return _KINDS[type(node)]


def is_true(node: Node | None) -> bool:
    """Whether a switch is said, and on."""
    return isinstance(node, ScalarNode) and node.text == "true"


def merged(base: Node, over: Node) -> Node:
    """A base under another node: mappings merge, lists and scalars replace; every part keeps its place.

    A kind of another `type`, or a strategy of another name, replaces too: it has other options.
    """
    if not isinstance(base, MapNode) or not isinstance(over, MapNode) or _another(base, over):
        return over
    entries = dict(over.entries)
    for key, entry in base.entries.items():
        ours = over.entries.get(key)
        entries[key] = Entry(ours.key, merged(entry.value, ours.value)) if ours else entry
    return MapNode(over.source, over.line, over.column, over.start, over.end, over.parent, over.key, entries)


def _another(base: MapNode, over: MapNode) -> bool:
    pairs = ((base.get(tag), over.get(tag)) for tag in ("type", "strategy"))
    return any(isinstance(a, ScalarNode) and isinstance(b, ScalarNode) and a.text != b.text for a, b in pairs)


def offset_place(node: ScalarNode, offset: int) -> tuple[int, int]:
    """The line and column in the file of a character of a scalar's value.

    Quotes, escapes, folds and indentation stand between the two: both texts are walked together, white space aside.

    Args:
        node: the scalar.
        offset: position in its value, from 0.
    """
    text = node.source.text[node.start : node.end]
    place = 0
    if node.text and text.find(node.text) >= 0:
        place = text.find(node.text) + min(offset, len(node.text))
    elif text:
        place = _walk(text, node.text[: offset + 1])
    before = text[:place]
    lines = before.count("\n")
    return node.line + lines, (len(before) - before.rfind("\n") if lines else node.column + len(before))


def _walk(text: str, value: str) -> int:
    place = last = _body(text)
    for character in value:
        if character.isspace():
            continue
        found = text.find(character, place)
        if found < 0:
            break
        last, place = found, found + 1
    return last


def _body(text: str) -> int:
    """Where a scalar's value begins: behind the quote, or the line of a block's `|` or `>`."""
    if text[:1] in "|>":
        return max(text.find("\n"), 0)
    return 1 if text[:1] in "'\"" else 0


def scalars(node: Node) -> Iterator[ScalarNode]:
    """Every scalar value below a node, keys aside."""
    if isinstance(node, ScalarNode):
        yield node
    children = node.items if isinstance(node, ListNode) else []
    if isinstance(node, MapNode):
        children = [entry.value for entry in node.entries.values()]
    for child in children:
        yield from scalars(child)
