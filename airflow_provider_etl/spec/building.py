"""The parser's events -> nodes with places.

Limits are counted on the stream, before anything is built: an alias bomb, a hundred thousand levels or a tag never get
as far as an object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, Source
from airflow_provider_etl.spec.problems import Problems

MAX_DEPTH: Final = 50
MAX_NODES: Final = 100_000  # aliases expanded


class Stop(Exception):  # noqa: N818 - not an error of its own: the problem has been told
    """The rest of the file can't be read."""


@dataclass(slots=True)
class _Open:
    """A mapping or list that isn't closed yet.

    Args:
        node: it.
        anchor: its anchor, if it has one.
        before: how many values the file had before it.
        height: how many levels it has.
        key: the key whose value comes next.
    """

    node: MapNode | ListNode
    anchor: str | None
    before: int
    height: int = 1
    key: ScalarNode | None = None

    @property
    def place(self) -> str | int | None:
        """The key or place of what comes next in it."""
        if isinstance(self.node, ListNode):
            return len(self.node.items)
        return self.key.text if self.key else None


@dataclass
class _Anchored:
    node: Node | None = None
    size: int = 1
    height: int = 0


@dataclass
class Builder:
    """Builds the nodes of one file; `top` is the outermost."""

    source: Source
    problems: Problems
    top: Node | None = None
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    size: int = 0
    documents: int = 0

    def read(self, event_of: Callable[[], Any]) -> None:
        """Take the parser's events, one after the other."""
        others = {
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        # Of ten events seven are scalars with neither anchor nor tag: what happens here decides how long reading takes.
        scalar, plain = yaml.ScalarEvent, self._plain
        while (event := event_of()) is not None:
            kind = type(event)
            if kind is scalar:
                (plain if event.anchor is None and event.tag is None else self._scalar)(event)
            elif kind in others:
                others[kind](event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(event, "yaml-documents", "a second document begins here", "one file is one pipeline")

    def _place(self, event: Any) -> tuple[Source, int, int, int, int]:
        start, end = event.start_mark, event.end_mark
        return self.source, start.line + 1, start.column + 1, start.index, end.index

    def _stop(self, event: Any, code: str, message: str, hint: str) -> None:
        self.problems.add(Node(*self._place(event)), code, message, hint)
        raise Stop

    def _plain(self, event: Any) -> None:
        """A scalar with neither anchor nor tag."""
        start, text = event.start_mark, event.value
        index = event.end_mark.index
        if not self.stack:
            self.top = ScalarNode(*self._place(event), None, None, text, not event.style)
            return
        self.size += 1
        if self.size > MAX_NODES:
            self._too_many(event)
        above = self.stack[-1]
        parent, pending = above.node, above.key
        if isinstance(parent, ListNode):
            key: str | int = len(parent.items)
        else:
            key = text if pending is None else pending.text
        node = ScalarNode(
            self.source, start.line + 1, start.column + 1, start.index, index, parent, key, text, not event.style
        )
        if isinstance(parent, ListNode):
            parent.items.append(node)
        elif pending is None:
            above.key = node
        else:
            above.key = None
            self._entry(parent, pending, node)

    def _scalar(self, event: Any) -> None:
        node = ScalarNode(*self._place(event), text=event.value, plain=not event.style)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(node)
        self._attach(node, 1, 0, event)
        self._refuse_tag(event, node)

    def _open(self, event: Any) -> None:
        made: type[MapNode | ListNode] = MapNode if isinstance(event, yaml.MappingStartEvent) else ListNode
        node = made(*self._place(event))
        if self.stack:
            above = self.stack[-1]
            if above.key is None and isinstance(above.node, MapNode):
                self._key_is_no_text(event)
            node.parent, node.key = above.node, above.place
        self._refuse_tag(event, node)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored()
        self.stack.append(_Open(node, event.anchor, self.size))
        if len(self.stack) > MAX_DEPTH:
            self._stop(event, "yaml-too-deep", f"more than {MAX_DEPTH} levels of nesting", "flatten the file")

    def _close(self, event: Any) -> None:
        closed = self.stack.pop()
        closed.node.end = event.end_mark.index
        if closed.anchor:
            # With itself: what is in it was counted as it came, aliases written out.
            size = self.size - closed.before + 1
            self.anchors[closed.anchor] = _Anchored(closed.node, size, closed.height)
        self._attach(closed.node, 1, closed.height, event)

    def _alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            hint = "put a text that begins with * in quotes"
            self._stop(event, "yaml-alias", f"alias *{event.anchor} has no anchor before it", hint)
        anchored = self.anchors[event.anchor]
        if anchored.node is None:
            self._stop(event, "yaml-alias", f"alias *{event.anchor} contains itself", "write the value out")
        elif self.stack and isinstance(self.stack[-1].node, MapNode) and self.stack[-1].key is None:
            self._key_is_no_text(event)
        elif len(self.stack) + anchored.height > MAX_DEPTH:
            self._stop(event, "yaml-too-deep", f"more than {MAX_DEPTH} levels of nesting", "flatten the file")
        else:
            self._attach(anchored.node, anchored.size, anchored.height, event)

    def _refuse_tag(self, event: Any, node: Node) -> None:
        if event.tag is not None:
            self.problems.add(node, "yaml-tag", f"tag {shown(event.tag)} is not allowed", "leave the tag out")

    def _key_is_no_text(self, event: Any) -> None:
        here = event.start_mark.index
        jinja = "{{" in self.source.text[max(here - 1, 0) : here + 2]
        hint = "Jinja means nothing here, use ${…}" if jinja else "put a text that begins with [ { * & in quotes"
        self._stop(event, "yaml-key", "a key must be text", hint)

    def _attach(self, node: Node, size: int, height: int, event: Any) -> None:
        if not self.stack:
            self.top = node
            return
        self.size += size
        if self.size > MAX_NODES:
            self._too_many(event)
        parent = self.stack[-1]
        parent.height = max(parent.height, height + 1)
        if isinstance(parent.node, ListNode):
            self._adopt(node, parent.node, len(parent.node.items))
            parent.node.items.append(node)
        elif parent.key is None and isinstance(node, ScalarNode):
            parent.key = node
            self._adopt(node, parent.node, node.text)
        elif parent.key is not None:
            self._entry(parent.node, parent.key, node)
            parent.key = None

    def _adopt(self, node: Node, parent: Node, key: str | int) -> None:
        if node.parent is None:  # an aliased node keeps its first place
            node.parent, node.key = parent, key

    def _entry(self, mapping: MapNode, key: ScalarNode, value: Node) -> None:
        text = key.text
        if text in mapping.entries:
            message = f"key {shown(text)} stands here twice, first in line {mapping.entries[text].key.line}"
            self.problems.add(key, "duplicate-key", message, "keep one of them")
            return
        if text == "<<" and key.plain:
            self.problems.add(key, "yaml-merge", "merge keys (<<) have no meaning here", "write the keys out")
            return
        if value.parent is None or value.key is None:  # an aliased node keeps its first place
            value.parent, value.key = mapping, text
        mapping.entries[text] = Entry(key, value)

    def _too_many(self, event: Any) -> None:
        message = f"more than {MAX_NODES} values, aliases written out"
        self._stop(event, "yaml-too-many-values", message, "write fewer aliases, or split the pipeline")
