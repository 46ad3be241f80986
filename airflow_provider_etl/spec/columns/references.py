"""The columns that an expression names, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.outline import Outline, family

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

# Names that Spark resolves where no column bears them.
_WORDS: Final = frozenset(
    {"current_date", "current_timestamp", "current_time", "localtimestamp", "current_user", "session_user", "user",
     "current_catalog", "current_database", "current_schema", "grouping__id", "_metadata"}
)  # fmt: skip
_UNITS: Final = frozenset(
    {"year", "quarter", "month", "week", "day", "dayofyear", "hour", "minute", "second", "millisecond", "microsecond"}
)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A name that stands for a column.

    Args:
        parts: `a.b` is a and b: a column's field, or a table's column.
        offset: where it stands in the text, from 0; None where that isn't known.
    """

    parts: tuple[str, ...]
    offset: int | None


def references(tree: Expr) -> Iterator[tuple[Any, Reference]]:
    """Every column of an expression: sqlglot's node and what it names; nested queries have columns of their own."""
    for found in tree.walk(prune=lambda node: node is not tree and _is_query(node)):
        if type(found).__name__ == "Column" and not _is_star(found):
            reference = referred(found)
            if not _is_word(found, reference):
                yield found, reference


def referred(column: Any) -> Reference:
    """What a column of sqlglot's names."""
    parts = column.parts
    return Reference(parts=tuple(part.name for part in parts), offset=parts[0].meta.get("start"))


def kind_of(parts: tuple[str, ...], outline: Outline) -> str | None:
    """The type of what a name stands for; None where it isn't known, or a field of a nested value."""
    spelled = outline.spelled(parts[0])
    return outline.columns[spelled] if spelled is not None and len(parts) == 1 else None


def has_no_fields(parts: tuple[str, ...], outline: Outline) -> str | None:
    """The type of a column that a field is asked of, and that has none."""
    kind = kind_of(parts[:1], outline)
    return kind if len(parts) > 1 and family(kind) not in {None, "nested", "void"} else None


def _is_query(node: Any) -> bool:
    from sqlglot import expressions as exp

    return isinstance(node, exp.Query)


def _is_star(column: Any) -> bool:
    return type(column.this).__name__ == "Star"


def _is_word(column: Any, reference: Reference) -> bool:
    """Whether a bare name is one of Spark's own words, or a unit such as DAY in a call."""
    name = reference.parts[0].lower()
    if len(reference.parts) > 1:
        return name == "_metadata"
    if column.parts[0].args.get("quoted"):
        return False
    from sqlglot import expressions as exp

    return name in _WORDS or (name in _UNITS and isinstance(column.parent, exp.Func))
