"""The Open Data Contract Standard (v3, bitol-io.github.io/open-data-contract-standard) -> a contract of our own form.

Every node keeps its place. What has no counterpart is told once by its name, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from airflow_provider_etl.spec.contracts import odcs_quality, odcs_types
from airflow_provider_etl.spec.contracts.contract import items_of
from airflow_provider_etl.spec.contracts.sources import map_at, text_at
from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.nodes import Entry, ListNode, MapNode, Node, ScalarNode, described, is_true
from airflow_provider_etl.spec.problems import Problems

KIND: Final = "DataContract"
_VERSION: Final = "v3."
# What says which contract it is, and not what the data is: there is nothing to keep.
_IDENTITY: Final = frozenset({"apiVersion", "kind", "id", "name", "status", "version", "contractCreatedTs"})
_OF_OBJECT: Final = frozenset({"id", "name", "logicalType", "physicalType", "physicalName", "description"})
_OF_COLUMN: Final = frozenset({*odcs_types.KEYS, "id", "name", "description", "required", "unique", "physicalName"})
_KEYS: Final = frozenset({"primaryKey", "primaryKeyPosition"})
_PERSONAL: Final = frozenset({"pii", "personal", "personal data", "sensitive personal data"})
_OPEN: Final = frozenset({"public", "internal", "open"})


def speaks(node: MapNode) -> bool:
    """Whether a file is in the standard."""
    kind = node.get("kind")
    return isinstance(kind, ScalarNode) and kind.text == KIND


@dataclass
class Notes:
    """What has no counterpart: the name of a field -> the places where it stands."""

    problems: Problems
    found: dict[str, list[Node]] = field(default_factory=dict)

    def add(self, name: str, node: Node) -> None:
        """Note a field."""
        self.found.setdefault(name, []).append(node)

    def tell(self) -> None:
        """One note for each name, at its first place."""
        for name, places in self.found.items():
            more = f", here and {len(places) - 1} times more" if len(places) > 1 else ""
            message = f"{name} of the standard isn't kept{more}: it has no counterpart here"
            self.problems.add(places[0], "contract-note", message, "see to it by other means", severity="warning")


def converted(node: MapNode, schema: str | None, place: Node, notes: Problems, problems: Problems) -> MapNode | None:
    """The keys of a contract in our own form.

    Args:
        node: the file.
        schema: the schema that is asked for; None for the only one.
        place: where the contract is named.
        notes: where it is told what isn't kept.
        problems: where errors go.
    """
    version = node.get("apiVersion")
    if not isinstance(version, ScalarNode) or not version.text.startswith(_VERSION):
        found = version.text if isinstance(version, ScalarNode) else "none"
        message = f"apiVersion is {shown(found)}: version 3 of the standard is read"
        problems.add(version or node.holder, "unknown-value", message, "such as v3.1.0")
        return None
    told = Notes(notes)
    chosen = _chosen(node, schema, place, told, problems)
    if chosen is None:
        return None
    made = _Converter(node=node, chosen=chosen, notes=told, problems=problems).made()
    told.tell()
    return made


def _chosen(node: MapNode, schema: str | None, place: Node, notes: Notes, problems: Problems) -> MapNode | None:
    """The schema of the file that is meant."""
    named: dict[str, MapNode] = {}
    for item in items_of(node.get("schema")):
        name = _text(item, "name")
        if isinstance(item, MapNode) and named.setdefault(name, item) is not item:
            notes.add(f"a second schema {name}", item)
    if schema is None and len(named) == 1:
        return next(iter(named.values()))
    if not named:
        problems.add(node.get("schema") or node.holder, "missing-key", "the contract has no schema", "give one")
    elif schema is None:
        hint = f"write {{file: .., schema: {next(iter(named))}}}"
        problems.add(place, "missing-key", f"the contract has the schemas {', '.join(named)}: say which", hint)
    elif schema not in named:
        asked = (place.get("schema") if isinstance(place, MapNode) else None) or place
        message = f"{shown(schema)} is no schema of the contract"
        problems.add(asked, "unknown-value", message, nearest(schema, named))
    return named.get(schema or "")


def _text(node: Node | None, key: str) -> str:
    found = node.get(key) if isinstance(node, MapNode) else None
    return found.text if isinstance(found, ScalarNode) else ""


@dataclass
class _Converter:
    node: MapNode
    chosen: MapNode
    notes: Notes
    problems: Problems
    keys: list[tuple[int, str, Node]] = field(default_factory=list)

    def made(self) -> MapNode:
        """The whole contract."""
        entries: dict[str, Entry] = {}
        version = self.node.get("version")
        if isinstance(version, ScalarNode):
            entries["version"] = _entry("version", text_at(version, version.text))
        properties = self.chosen.get("properties")
        columns = dict(self._columns(properties))
        if columns and properties is not None:
            entries["columns"] = _entry("columns", map_at(properties, columns))
        self._about(entries)
        for key, entry in self.node.entries.items():
            if key not in _IDENTITY | {"schema", "description", "team", "slaProperties"}:
                self.notes.add(key, entry.key)
        if self.keys:
            first = self.keys[0][2]
            listed = [text_at(node, name) for _, name, node in sorted(self.keys, key=lambda key: key[0])]
            entries["keys"] = _entry("keys", _list_at(first, listed))
        self._object(entries)
        self._freshness(entries)
        return map_at(self.node, entries)

    def _about(self, entries: dict[str, Entry]) -> None:
        """Description and owner."""
        said = self.node.get("description")
        text = said if isinstance(said, ScalarNode) else said.get("purpose") if isinstance(said, MapNode) else None
        if isinstance(text, ScalarNode):
            entries["description"] = _entry("description", text_at(text, text.text))
        for key, entry in said.entries.items() if isinstance(said, MapNode) else ():
            if key != "purpose":
                self.notes.add(f"description.{key}", entry.key)
        if said is not None and not isinstance(said, ScalarNode | MapNode):
            self.notes.add("description", said)
        owner = _owner(self.node.get("team"))
        if owner is not None:
            entries["owner"] = _entry("owner", owner)
        elif self.node.get("team") is not None:
            self.notes.add("team", self.node.entries["team"].key)

    def _object(self, entries: dict[str, Entry]) -> None:
        """What the schema says beside its columns."""
        for key, entry in self.chosen.entries.items():
            if key == "quality":
                for rule in self._listed(key, entry):
                    found = odcs_quality.of_table(rule)
                    if found is None or "keys" in entries:
                        self.notes.add(odcs_quality.called(rule), rule)
                    else:
                        entries["keys"] = _entry("keys", _list_at(rule, found))
            elif key not in _OF_OBJECT | {"properties"}:
                self.notes.add(f"schema.{key}", entry.key)

    def _columns(self, properties: Node | None) -> Iterator[tuple[str, Entry]]:
        seen: set[str] = set()
        for item in items_of(properties):
            name = item.get("name") if isinstance(item, MapNode) else None
            if not isinstance(item, MapNode) or not isinstance(name, ScalarNode):
                message = f"{described(item)} stands where a property with a name is wanted"
                self.problems.add(item, "wrong-type", message, "{name: .., logicalType: ..}")
            elif name.text in seen:
                self.problems.add(name, "column-collision", f"two columns are called {name.text!r}", "keep one")
            else:
                seen.add(name.text)
                yield name.text, Entry(text_at(name, name.text), self._column(name.text, item))

    def _column(self, name: str, item: MapNode) -> MapNode:
        entries: dict[str, Entry] = {}
        self._plainly(name, item, entries)
        if is_true(item.get("primaryKey")):
            position = _text(item, "primaryKeyPosition")
            number = int(position) if position.isdigit() and int(position) > 0 else len(self.keys) + 1
            self.keys.append((number, name, item.entries["primaryKey"].value))
        self._personal(item, entries)
        for key, entry in item.entries.items():
            if key == "quality":
                self._quality(self._listed(key, entry), entries)
            elif key == "logicalTypeOptions":
                self._options(entry.value, entries)
            elif key not in _OF_COLUMN | _KEYS | {"classification"}:
                self.notes.add(key, entry.key)
        return map_at(item, entries)

    def _plainly(self, name: str, item: MapNode, entries: dict[str, Entry]) -> None:
        """What is called the same here, and the type."""
        if "physicalName" in item.entries and _text(item, "physicalName") != name:
            self.notes.add("physicalName", item.entries["physicalName"].key)
        kind, place, left = odcs_types.type_of(item)
        for key, node in left:
            self.notes.add(key, node)
        if kind:
            entries["type"] = _entry("type", text_at(place, kind))
        for key in ("required", "unique", "description"):
            found = item.get(key)
            if isinstance(found, ScalarNode):
                entries[key] = _entry(key, text_at(found, found.text, plain=key != "description"))
            elif found is not None:
                self.notes.add(f"{key} that is no single value", found)

    def _personal(self, item: MapNode, entries: dict[str, Entry]) -> None:
        said = item.get("classification")
        if isinstance(said, ScalarNode) and said.text.lower() in _PERSONAL:
            entries["pii"] = _entry("pii", text_at(said, "true", plain=True))
        elif isinstance(said, ScalarNode) and said.text.lower() not in _OPEN:
            self.notes.add(f"classification {said.text}", said)
        elif said is not None and not isinstance(said, ScalarNode):
            self.notes.add("classification that is no single value", said)

    def _options(self, options: Node, entries: dict[str, Entry]) -> None:
        known = {"minimum": "min", "maximum": "max", "pattern": "regex"}
        if not isinstance(options, MapNode):
            self.notes.add("logicalTypeOptions that is no mapping", options)
        for key, entry in options.entries.items() if isinstance(options, MapNode) else ():
            ours = known.get(key, "")
            if ours and ours not in entries and isinstance(entry.value, ScalarNode):
                entries[ours] = _entry(ours, _bound(entry.value, text=key == "pattern"))
            else:
                self.notes.add(f"logicalTypeOptions.{key}", entry.key)

    def _listed(self, key: str, entry: Entry) -> list[Node]:
        """The items of what is to be a list."""
        if not isinstance(entry.value, ListNode):
            self.notes.add(f"{key} that is no list", entry.value)
        return list(items_of(entry.value))

    def _quality(self, rules: list[Node], entries: dict[str, Entry]) -> None:
        for rule in rules:
            found = odcs_quality.of_column(rule)
            if not found or any(key in entries and key != "required" for key in found):
                self.notes.add(odcs_quality.called(rule), rule)
            else:
                entries |= {key: _entry(key, value) for key, value in found.items()}

    def _freshness(self, entries: dict[str, Entry]) -> None:
        given = self.node.entries.get("slaProperties")
        for item in self._listed("slaProperties", given) if given is not None else ():
            called = _text(item, "property")
            found = odcs_quality.freshness(item, self._tables()) if called == "freshness" else None
            if found is None or (found and "freshness" in entries):
                self.notes.add(f"slaProperties {called}".strip(), item)
            elif found:
                entries["freshness"] = _entry("freshness", map_at(item, {k: _entry(k, v) for k, v in found.items()}))

    def _tables(self) -> dict[str, dict[str, str] | None]:
        """Name of each schema, physical ones too -> of ours what its columns are called, by either name; else None."""
        found: dict[str, dict[str, str] | None] = {}
        for item in items_of(self.node.get("schema")):
            mine = item is self.chosen
            below = list(items_of(item.get("properties"))) if mine and isinstance(item, MapNode) else []
            columns = {_text(part, key): _text(part, "name") for key in ("physicalName", "name") for part in below}
            for key in ("physicalName", "name"):
                if mine or _text(item, key) not in found:
                    found[_text(item, key)] = columns if mine else None
        return found


def _owner(team: Node | None) -> ScalarNode | None:
    """Who owns it: the team's name (v3.1), or its member in the role of owner."""
    if isinstance(team, MapNode):
        name = team.get("name")
        if isinstance(name, ScalarNode):
            return text_at(name, name.text)
    members = team.get("members") if isinstance(team, MapNode) else team
    for item in items_of(members):
        if _text(item, "role").lower() == "owner" and isinstance(item, MapNode):
            found = item.get("username") or item.get("name")
            return text_at(found, found.text) if isinstance(found, ScalarNode) else None
    return None


def _bound(node: ScalarNode, *, text: bool) -> ScalarNode:
    """A bound as it is written; one that is a date is text, which the standard doesn't put in quotes."""
    from airflow_provider_etl.spec.scalars import resolved

    unclear = node.plain and resolved(node.text)[0] == "unclear"
    return text_at(node, node.text, plain=node.plain and not unclear and not text)


def _entry(key: str, value: Node) -> Entry:
    return Entry(text_at(value, key), value)


def _list_at(node: Node, items: list[ScalarNode]) -> ListNode:
    made = ListNode(node.source, node.line, node.column, node.start, node.end, node.parent, node.key)
    made.items.extend(items)
    return made
