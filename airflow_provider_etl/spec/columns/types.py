"""The type of a Spark SQL expression, where it is certain; None everywhere else.

sqlglot annotates types too, but for many dialects at once and by guessing; a wrong guess would be a false alarm here.
So only what Spark's own rules say without doubt has one: columns, literals, casts, arithmetic, well-known functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.outline import NUMBERS, family, plain_type

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

Look = Callable[[Any], str | None]
"""A column of the expression -> its type."""

# By the names of sqlglot's classes, so that nothing is imported.
_FIXED: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ", "And", "Or", "Not", "Is", "In", "Between",
         "Like", "ILike", "RegexpLike", "Boolean", "Exists", "StartsWith", "EndsWith", "IsNan"),
        "boolean",
    ),
    **dict.fromkeys(
        ("Upper", "Lower", "Initcap", "ConcatWs", "RegexpReplace", "RegexpExtract", "TimeToStr", "MD5"), "string"
    ),
    **dict.fromkeys(("DateFromParts", "TsOrDsToDate", "LastDay", "DateTrunc"), "date"),
    **dict.fromkeys(
        ("Year", "Quarter", "Month", "Day", "DayOfMonth", "DayOfWeek", "DayOfYear", "WeekOfYear", "Hour", "Minute",
         "Length", "RowNumber", "Rank", "DenseRank", "Ntile"),
        "int",
    ),
    **dict.fromkeys(("Count", "CountIf", "ApproxDistinct", "IntDiv"), "bigint"),
    "TimestampTrunc": "timestamp",
    "Null": "void",
    "Interval": "interval",
    "Sqrt": "double",
    "Exp": "double",
    "Ln": "double",
}  # fmt: skip
_SAME: Final = frozenset({"Min", "Max", "First", "Last", "AnyValue", "Abs", "Neg", "Lag", "Lead", "FirstValue"})
_THROUGH: Final = frozenset({"Paren", "Alias", "Window", "Filter", "IgnoreNulls", "RespectNulls", "Distinct"})
_DEEPEST: Final = 200


def type_of(tree: Expr | None, look: Look, depth: int = 0) -> str | None:
    """The type of an expression.

    Args:
        tree: the expression.
        look: gives the type of a column.
        depth: how deep in the expression it stands; very deep ones have no type.
    """
    name = type(tree).__name__
    if tree is None or depth > _DEEPEST or name in _FIXED:
        return _FIXED.get(name)
    if name == "Column":
        return look(tree)

    def below(item: Any) -> str | None:
        return type_of(item, look, depth + 1)

    rule = _RULES.get(name)
    return rule(tree, below) if rule is not None else None


Below = Callable[[Any], str | None]
"""A part of an expression -> its type."""


def _inner(tree: Any, below: Below) -> str | None:
    return below(tree.this)


def _cast(tree: Any, _below: Below) -> str | None:
    return plain_type(tree.args["to"].sql("spark"))


def _literal(tree: Any, _below: Below) -> str | None:
    if tree.is_string:
        return "string"
    text = str(tree.this).lower()
    if "e" in text:
        return "double"
    return "decimal" if "." in text else "int" if len(text) < 10 else "bigint"


def _arithmetic(tree: Any, below: Below) -> str | None:
    left, right = below(tree.this), below(tree.expression)
    kinds = [family(left), family(right)]
    if not all(kind in NUMBERS for kind in kinds):
        return None
    if "float" in kinds:
        return "double"
    if "decimal" in kinds:
        return "decimal"
    return "bigint" if "bigint" in (left, right) else "int"


def _div(tree: Any, below: Below) -> str | None:
    kinds = {family(below(tree.this)), family(below(tree.expression))}
    if not kinds <= NUMBERS:
        return None
    return "decimal" if "decimal" in kinds and "float" not in kinds else "double"


def _sum(tree: Any, below: Below) -> str | None:
    return {"decimal": "decimal", "integer": "bigint", "float": "double"}.get(family(below(tree.this)) or "")


def _avg(tree: Any, below: Below) -> str | None:
    return {"decimal": "decimal", "integer": "double", "float": "double"}.get(family(below(tree.this)) or "")


def _round(tree: Any, below: Below) -> str | None:
    kind = below(tree.this)
    return {"decimal": "decimal", "integer": kind, "float": kind}.get(family(kind) or "")


def _first_of(tree: Any, below: Below) -> str | None:
    return _common([below(item) for item in [tree.this, *tree.expressions]])


def _case(tree: Any, below: Below) -> str | None:
    """`CASE` and `if()`: what all branches give."""
    branches = tree.args.get("ifs") or [tree]
    other = tree.args.get("default") or tree.args.get("false")
    return _common(
        [*(below(branch.args.get("true")) for branch in branches), "void" if other is None else below(other)]
    )


def _common(kinds: Iterable[str | None]) -> str | None:
    """The type of values that are all of one family, nulls aside."""
    found = [kind for kind in kinds if kind != "void"]
    families = {family(kind) for kind in found}
    if families and families <= NUMBERS and len(set(found)) > 1:
        return "double" if "float" in families else "decimal" if "decimal" in families else "bigint"
    return found[0] if len(families) == 1 and None not in families else None


_RULES: Final[dict[str, Callable[[Any, Below], str | None]]] = {
    **dict.fromkeys(_THROUGH | _SAME, _inner),
    **dict.fromkeys(("Cast", "TryCast"), _cast),
    **dict.fromkeys(("Add", "Sub", "Mul", "Mod"), _arithmetic),
    **dict.fromkeys(("Coalesce", "Greatest", "Least"), _first_of),
    **dict.fromkeys(("Case", "If"), _case),
    "Literal": _literal,
    "Div": _div,
    "Sum": _sum,
    "Avg": _avg,
    "Round": _round,
}
