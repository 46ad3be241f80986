"""Condition `sql`: a query's first value is true."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from airflow_provider_etl.sensors.condition import Answer, Asking, Condition
from airflow_provider_etl.sensors.connecting import sql_hook
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC
from spark_jobs.window import Window

REFERENCE: Final = re.compile(r"\$\{([^${}]*)\}")
_EMPTY: Final = frozenset({"", "0", "f", "false"})
# Texts, quoted names and comments: what may hold any word.
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WRITES: Final = re.compile(
    r"(?i)\b(insert|update|delete|merge|drop|create|alter|truncate|grant|revoke|call|exec|execute|copy|into|vacuum)\b"
)


@dataclass(frozen=True, kw_only=True)
class Sql(Condition):
    """A question to a database."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = (
        'sql: {connection: warehouse, query: "SELECT count(*) > 0 FROM closed WHERE at >= ${window.end}"}'
    )

    connection: str = field(metadata={"min_length": 1})
    """Airflow connection id of the database."""
    query: str = field(metadata={"substitute": "bind", "min_length": 1})
    """One SELECT; the wait is over when its first row's first value is neither null, false, 0 nor an empty text. The
    values of ${…} are bound."""

    @property
    def told(self) -> str:
        """What is waited for, in words."""
        return f"sql on connection {self.connection!r}: {' '.join(self.query.split())}"

    def refused(self) -> dict[str, tuple[str, str, str]]:
        """Option -> (code, message, hint) of what is wrong with its text, for the file's reader."""
        if "'${" in self.query:
            hint = "take the quotes away: the value is bound"
            return {"query": ("variable-quoted", "a variable stands in quotes", hint)}
        told = query_problem(self.query)
        return {"query": ("query-statement", told, "one SELECT that writes nothing")} if told else {}

    def ready(self, asking: Asking) -> Answer:
        """Whether the query says so.

        Raises:
            ConfigError: no such connection, its provider isn't installed, or the query isn't one SELECT.
        """
        refused = query_problem(self.query)
        if refused:
            raise ConfigError(refused, where="wait_for sql", expected="one SELECT")
        hook = sql_hook(self.connection)
        text, values = bound(self.query, asking, str(getattr(hook, "placeholder", "%s")))
        row = hook.get_first(text, parameters=values) if values else hook.get_first(text)
        if not row:
            return Answer(found=False, seen="the query finds no row")
        value = row[0]
        # Databases without a boolean type say it by text; Decimal(0) and 0.0 are as false as 0.
        found = bool(value) and str(value).strip().lower() not in _EMPTY
        return Answer(found=found, seen=f"the query says {str(value)[:80]!r}")


def query_problem(query: str) -> str:
    """Why a text can't be asked; empty where it is one SELECT that writes nothing."""
    plain = _QUOTED.sub(" '' ", REFERENCE.sub(" '' ", query)).strip().rstrip(";").strip()
    if not re.match(r"(?i)(select|with|values)\b", plain):
        return f"{query.strip()[:60]!r} is no SELECT"
    if ";" in plain:
        return "several statements stand where one is wanted"
    written = _WRITES.search(plain)
    return f"{written[0]!r} stands in a query that may only read" if written else ""


def bound(query: str, asking: Asking, placeholder: str) -> tuple[str, tuple[Any, ...]]:
    """A query with placeholders, and their values.

    Args:
        query: with `${…}`.
        asking: knows the window and the other values.
        placeholder: the database driver's, such as %s or ?.

    Raises:
        ConfigError: something in `${…}` has no value.
    """
    values: list[Any] = []

    def bind(match: re.Match[str]) -> str:
        values.append(_value(match[1], asking))
        return placeholder

    pieces = REFERENCE.sub(bind, query)
    if values and placeholder == "%s":
        # A driver that formats with % reads every other one as its own.
        texts = re.split(REFERENCE, query)[::2]
        pieces = placeholder.join(text.replace("%", "%%") for text in texts)
    return pieces, tuple(values)


def _value(name: str, asking: Asking) -> Any:
    if name.startswith("window."):
        return _of_window(name, asking.of_window("wait_for sql"))
    if name not in asking.values:
        raise ConfigError(f"${{{name}}} has no value", where="wait_for sql", expected="window, env or pipeline")
    return asking.values[name]


def _of_window(name: str, window: Window) -> Any:
    """An end of the window as an instant (UTC), the same formatted on the pipeline's clock, or the window's key."""
    base, colon, form = name.partition(":")
    if base == "window.key":
        return window.key
    instant = window.end if base == "window.end" else window.start
    return window.format(instant, form) if colon else instant
