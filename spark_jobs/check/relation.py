"""How two values compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pyspark.sql import Column

Relation = Literal["greater", "greater_or_equal", "equal", "not_equal", "less_or_equal", "less"]

# Nulls are equal to each other and to nothing else; larger or smaller they are neither.
HOLDS: Final[dict[str, Callable[[Column, Column], Column]]] = {
    "greater": lambda left, right: left > right,
    "greater_or_equal": lambda left, right: (left >= right) | left.eqNullSafe(right),
    "equal": lambda left, right: left.eqNullSafe(right),
    "not_equal": lambda left, right: ~left.eqNullSafe(right),
    "less_or_equal": lambda left, right: (left <= right) | left.eqNullSafe(right),
    "less": lambda left, right: left < right,
}
