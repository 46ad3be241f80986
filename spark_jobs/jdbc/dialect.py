"""What differs between databases: names, literals, settings of a session, and how values travel unchanged.

A JDBC driver turns what a type of Java can't hold into something near: infinity into the year 292278994, 0000-00-00
into null, unsigned numbers into negative ones, a wall-clock time into another one at a clock change. So the database
itself is asked to send such values as numbers or text, which Spark reads exactly; what has no place in the type of the
column is sent beside it, and the row is set aside with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final, Literal
from urllib.parse import unquote

from spark_jobs.errors import ConfigError

Wire = Literal["plain", "text", "micros", "days", "list"]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Nature:
    """How a column of a database becomes one of Spark's.

    Args:
        kind: the Spark type that it becomes; with wire `list` the array's.
        value: what is selected: SQL with {c} for the column.
        strange: what is selected beside it: the text of a value that has no place in the type, else null.
        wire: how `value` comes: as Spark's own type, as text, as microseconds or days since 1970, as a JSON
            list of texts.
        instant: whether it is an instant; a wall-clock time otherwise.
    """

    kind: str
    value: str = "{c}"
    strange: str | None = None
    wire: Wire = "plain"
    instant: bool = False

    def over(self, column: str) -> tuple[str, str | None]:
        """Both texts for a column's quoted name."""
        strange = self.strange.replace("{c}", column) if self.strange else None
        return self.value.replace("{c}", column), strange

    def of(self, kind: str) -> Nature:
        """Another kind that comes in the same way."""
        return replace(self, kind=kind)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A column as the driver describes it.

    Args:
        name: its name.
        native: the database's name of its type.
        spark: Spark's type by itself, as text.
        signed: whether a number may be negative.
    """

    name: str
    native: str
    spark: str
    signed: bool = True


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One database's way to say things.

    Args:
        name: as `address.Address.database` has it.
        quote: a name as an identifier.
        text: a text as a literal.
        instant, wall: an instant (aware, UTC), a wall-clock time (naive) as literals.
        nature: how a column travels; None where it can't.
        session: options that make a session read only, in UTC, with a time limit in milliseconds (0: none): of Spark's
            reader, or of the driver.
    """

    name: str
    quote: Callable[[str], str]
    text: Callable[[str], str]
    instant: Callable[[datetime], str]
    wall: Callable[[datetime], str]
    nature: Callable[[Found], Nature | None]
    session: Callable[[int], Mapping[str, str]]

    def day(self, value: date) -> str:
        """A date as a literal."""
        return f"DATE '{value.isoformat()}'"

    def table(self, text: str, where: str) -> str:
        """A table's name with its schema, quoted part by part.

        Args:
            text: parts with dots between them; one that holds a dot itself stands in double quotes.
            where: place in the pipeline file.

        Raises:
            ConfigError: it is no name.
        """
        return ".".join(self.quote(part) for part in _parts(text, where))

    def literal(self, kind: str, text: str) -> str:
        """What stands in a query for `${kind:text}`, percent-encoded.

        Raises:
            ConfigError: an unknown kind: the plan was written by hand.
        """
        plain = unquote(text)
        if kind == "timestamp":
            return self.instant(datetime.fromisoformat(plain))
        if kind == "date":
            return self.day(date.fromisoformat(plain))
        if kind == "number":
            return str(float(plain)) if "." in plain or "e" in plain.lower() else str(int(plain))
        if kind == "boolean":
            return "TRUE" if plain == "true" else "FALSE"
        if kind == "text":
            return self.text(plain)
        raise ConfigError(f"${{{kind}:…}} is no value", where="plan")


def _parts(text: str, where: str) -> list[str]:
    import re

    parts = re.findall(r'"((?:[^"]|"")+)"|([^".\s\x00][^".\x00]*)', text)
    names = [quoted.replace('""', '"') or plain for quoted, plain in parts]
    written = ".".join(f'"{quoted}"' if quoted else plain for quoted, plain in parts)
    if not names or written != text or len(names) > 3:
        raise ConfigError(
            f"{text!r} is no table's name",
            where=where,
            expected='such as sales.orders; a part with a dot or a quote in it as "odd.name"',
        )
    return names


def wall(value: datetime) -> str:
    """A wall-clock time as standard SQL writes it."""
    return f"TIMESTAMP '{value.replace(tzinfo=None).isoformat(sep=' ')}'"


def doubled(mark: str) -> Callable[[str], str]:
    """Quotes names with a mark, which is doubled inside."""

    def quote(name: str) -> str:
        if "\x00" in name:
            raise ConfigError(f"{name!r} is no name", expected="no NUL in it")
        return mark + name.replace(mark, mark * 2) + mark

    return quote


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    span: Any = moment - EPOCH
    return int(span.days * 86_400_000_000 + span.seconds * 1_000_000 + span.microseconds)
