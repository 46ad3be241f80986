"""`${…}`, the only substitution in a pipeline file.

What is known without a window (`env`, `pipeline`) is substituted when the file is read; what a window decides stays
until a plan is made, so that the fingerprint doesn't know windows.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.nodes import ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import Mode
from spark_jobs.window import Window, iso

_REFERENCE: Final = re.compile(r"\$\{([^${}]*)\}?")
_MEANT: Final = re.compile(r"\$\{\s*(?:window|env|param|pipeline)\b")
_WINDOW: Final = ("window.start", "window.end", "window.key")
_DIRECTIVE: Final = re.compile(r"%(-?.?)", re.DOTALL)
# What strftime gives alike on every machine, whatever its locale.
_DIRECTIVES: Final = frozenset("YmdHMSfjyGVuwUWbBaApzZFT%") | {f"-{letter}" for letter in "dmHIMSj"} | {"I"}


@dataclass(frozen=True, kw_only=True)
class Substitution:
    """What the names in `${…}` stand for while a file is read.

    Args:
        problems: where unknown names are told.
        pipeline: the pipeline's name.
        variables: the environment's variables; None where the environment can't be read, so that nothing is known.
        params: names of the pipeline's parameters.
        used: those that were found in a text so far.
        pasted: those of them that were found in a path or a name, as text.
    """

    problems: Problems
    pipeline: str
    variables: Mapping[str, str] | None
    params: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)
    pasted: set[str] = field(default_factory=set)

    def __call__(self, node: ScalarNode, mode: Mode) -> str:
        """The text with `env` and `pipeline` substituted; what a window or a run decides is checked and stays."""
        if "${" not in node.text:
            return node.text
        if mode is None:
            self._refuse(node)
            return node.text
        return _REFERENCE.sub(lambda match: self._replace(node, match, mode), node.text)

    def _refuse(self, node: ScalarNode) -> None:
        found = _MEANT.search(node.text)
        if found:
            message = f"{shown(node.text[found.start() :])}: nothing is substituted here"
            self.problems.add(node, "variable-misplaced", message, "use it in paths and queries", offset=found.start())

    def _replace(self, node: ScalarNode, match: re.Match[str], mode: Mode) -> str:
        name = match[1]
        value = self._value(name)
        if match[0].endswith("}") and value is not None:
            if mode == "text" and name.startswith("param."):
                self.pasted.add(name.removeprefix("param."))
            if mode == "bind":
                return match[0]
            if mode == "text" or name.startswith(("window.", "param.")):
                return value
            return in_database("text", value) if mode == "database" else quoted(value)
        message, hint = self._complaint(match)
        if message:
            self.problems.add(node, "unknown-variable", message, hint, offset=match.start())
        return match[0]

    def _value(self, name: str) -> str | None:
        """What a name stands for; a window's variable stands for itself until the plan is made."""
        if name == "pipeline":
            return self.pipeline
        if name.startswith("env.") and self.variables is not None:
            return self.variables.get(name.removeprefix("env."))
        if name.startswith("param.") and name.removeprefix("param.") in self.params:
            self.used.add(name.removeprefix("param."))
            return f"${{{name}}}"
        base, colon, spec = name.partition(":")
        if base in _WINDOW and (not colon or (base != "window.key" and spec and _bad_directive(spec) is None)):
            return f"${{{name}}}"
        return None

    def _complaint(self, match: re.Match[str]) -> tuple[str, str]:
        name = match[1]
        base, colon, spec = name.partition(":")
        if not match[0].endswith("}"):
            return f"{shown(match[0])} isn't closed", "close it with }"
        if base in _WINDOW and colon:
            return self._bad_format(base, spec)
        if name.startswith("env.") and self.variables is None:
            return "", ""
        known = [*_WINDOW, "pipeline", *(f"env.{variable}" for variable in self.variables or ())]
        if name.startswith("env."):
            # Of a variable that is missing, only the other variables help.
            known = [item for item in known if item.startswith("env.")]
        if name.startswith("param."):
            hint = nearest(name, [f"param.{item}" for item in self.params])
            return f"{shown(match[0])} is unknown", hint if self.params else "this pipeline has no parameters"
        known += [f"param.{item}" for item in self.params]
        return f"{shown(match[0])} is unknown", nearest(name.strip(), known)

    def _bad_format(self, base: str, spec: str) -> tuple[str, str]:
        if base == "window.key":
            return "window.key takes no format", "write ${window.start:%Y-%m-%d}"
        if not spec:
            return f"{base} has an empty format", "write ${window.start:%Y-%m-%d}"
        return f"{shown(str(_bad_directive(spec)))} is no format that is alike everywhere", "use %Y %m %d %H %M %S %j …"


def _bad_directive(spec: str) -> str | None:
    return next((match[0] for match in _DIRECTIVE.finditer(spec) if match[1] not in _DIRECTIVES), None)


def names_window(text: str) -> bool:
    """Whether a text is another one for every window."""
    return "${window." in text


def names_window_in(kind: Any) -> bool:
    """Whether a kind means something else for every window: one of its texts that get variables names it."""
    return any(
        _names_window(getattr(kind, item.name), substituted="substitute" in item.metadata)
        for item in dataclasses.fields(kind)
    )


def _names_window(value: Any, *, substituted: bool) -> bool:
    if isinstance(value, str):
        return substituted and names_window(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return names_window_in(value)
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else ()
    return any(_names_window(item, substituted=substituted) for item in items)


def text_with_window(text: str, window: Window, params: Mapping[str, Any]) -> str:
    """A text with its window variables and these parameters pasted in."""
    return _replacer(window, "text", params)(text)


def with_window(kind: Any, window: Window, params: Mapping[str, Any]) -> Any:
    """A kind with its window variables and parameters substituted, in the fields whose metadata has `substitute`."""
    changed = {}
    for item in dataclasses.fields(kind):
        value = getattr(kind, item.name)
        mode = item.metadata.get("substitute")
        if mode == "bind":
            continue
        new = _deep(value, _replacer(window, mode, params)) if mode else _nested(value, window, params)
        if new is not value:
            changed[item.name] = new
    return dataclasses.replace(kind, **changed) if changed else kind


def _nested(value: Any, window: Window, params: Mapping[str, Any]) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return with_window(value, window, params)
    if isinstance(value, Mapping):
        return {key: _nested(item, window, params) for key, item in value.items()}
    return tuple(_nested(item, window, params) for item in value) if isinstance(value, tuple) else value


def _deep(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, Mapping):
        return {key: _deep(item, replace) for key, item in value.items()}
    return tuple(_deep(item, replace) for item in value) if isinstance(value, tuple) else value


def _replacer(window: Window, mode: str, params: Mapping[str, Any]) -> Callable[[str], str]:
    def replaced(match: re.Match[str]) -> str:
        param = params.get(match[1].removeprefix("param.")) if match[1].startswith("param.") else None
        if param is not None:
            forms = {"sql": literal, "database": _typed}
            return forms.get(mode, _plain)(param)
        base, colon, spec = match[1].partition(":")
        if base not in _WINDOW:
            return match[0]
        instant = window.end if base == "window.end" else window.start
        if mode in ("sql", "database") and not colon and base != "window.key":
            return f"TIMESTAMP '{iso(instant)}'" if mode == "sql" else in_database("timestamp", iso(instant))
        if base == "window.key":
            text = window.key
        else:
            text = window.format(instant, spec) if colon else instant.astimezone(window.zone).isoformat()
        return quoted(text) if mode == "sql" else in_database("text", text) if mode == "database" else text

    return lambda text: _REFERENCE.sub(replaced, text) if "${" in text else text


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_database(kind: str, text: str) -> str:
    """A value that the database's own dialect makes a literal of, once it is known which database that is.

    Args:
        kind: timestamp, date, number, boolean or text.
        text: the value, in ISO 8601 for times and dates.
    """
    return f"${{{kind}:{quote(text, safe=':+ ')}}}"


def _typed(value: Any) -> str:
    kinds = {bool: "boolean", int: "number", float: "number", date: "date"}
    return in_database(kinds.get(type(value), "text"), _plain(value))


def literal(value: Any) -> str:
    """A typed value as a Spark SQL literal."""
    if isinstance(value, str):
        return quoted(value)
    return f"DATE '{value}'" if isinstance(value, date) else _plain(value)


def quoted(text: str) -> str:
    """A text as a Spark SQL literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def blanked(text: str) -> str:
    """A SQL text whose `${…}` are literals of the same length, so that places stay where they are."""
    return _REFERENCE.sub(lambda match: "'" + "x" * max(len(match[0]) - 2, 0) + "'", text)
