"""`${env.NAME}` inside an environment file: variables may be made of one another, roots and warehouses of them."""

from __future__ import annotations

import re
from typing import Final

from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import Mode

_REFERENCE: Final = re.compile(r"\$\{([^${}]*)\}?")
_ALLOWED: Final = ("variables", "roots")
_PREFIX: Final = "env."
_LONGEST: Final = 4096  # characters; variables that double one another would fill the memory


class References:
    """What `${…}` stands for while an environment file is read.

    Args:
        top: the file's keys.
        problems: where unknown names, circles and misplaced references are told.
    """

    def __init__(self, top: MapNode, problems: Problems) -> None:
        variables = top.get("variables")
        entries = variables.entries if isinstance(variables, MapNode) else {}
        self._variables = {name: entry.value for name, entry in entries.items()}
        self._values: dict[str, str] = {}
        self._allowed = [id(node) for key in _ALLOWED for node in _children(top.get(key))]
        catalogs = [item.get("warehouse") for item in _children(top.get("catalogs")) if isinstance(item, MapNode)]
        self._allowed += [id(node) for node in catalogs if node is not None]
        self._problems = problems

    def __call__(self, node: ScalarNode, _mode: Mode) -> str:
        """The text with the variables that it names."""
        if "${" not in node.text:
            return node.text
        if id(node) not in self._allowed:
            message = "nothing is substituted here"
            self._problems.add(
                node, "variable-misplaced", message, "only variables, roots and warehouses may name ${env.…}"
            )
            return node.text
        return self._text(node, [node.key] if self._variables.get(str(node.key)) is node else [])

    def _text(self, node: ScalarNode, through: list[str | int | None]) -> str:
        return _REFERENCE.sub(lambda match: self._value(node, match, through), node.text)

    def _value(self, node: ScalarNode, match: re.Match[str], through: list[str | int | None]) -> str:
        name = match[1].removeprefix(_PREFIX)
        target = self._variables.get(name)
        if not match[0].endswith("}") or not match[1].startswith(_PREFIX) or not isinstance(target, ScalarNode):
            self._tell_unknown(node, match)
            return match[0]
        if name in through:
            # Told once, at the variable where the circle was entered; the others of it are told by their own reading.
            circle = " -> ".join(map(str, [*through[through.index(name) :], name]))
            message = f"variables are made of one another in a circle: {circle}"
            self._problems.add(node, "variable-cycle", message, "write one of them out", offset=match.start())
            return match[0]
        if name not in self._values:
            found = self._text(target, [*through, name])
            if len(found) > _LONGEST:
                message = f"{name!r} has more than {_LONGEST} characters, its references written out"
                self._problems.add(node, "invalid-value", message, "write it out")
                return match[0]
            self._values[name] = found
        return self._values[name]

    def _tell_unknown(self, node: ScalarNode, match: re.Match[str]) -> None:
        if not match[0].endswith("}"):
            message, hint = f"{shown(match[0])} isn't closed", "close it with }"
        else:
            known = [_PREFIX + name for name in self._variables]
            message, hint = f"{shown(match[0])} is unknown", nearest(match[1].strip(), known)
        self._problems.add(node, "unknown-variable", message, hint, offset=match.start())


def _children(node: Node | None) -> list[Node]:
    """The values of a mapping, the items of a list."""
    if isinstance(node, MapNode):
        return [entry.value for entry in node.entries.values()]
    return list(getattr(node, "items", []))
