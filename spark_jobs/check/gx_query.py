"""`{batch}` in a query for Great Expectations: the rows that it is asked of."""

from __future__ import annotations

from string import Formatter
from typing import Any, Final

BATCH: Final = "_batch_"
"""What stands for `{batch}`: a name as long, so that places in the text stay where they are."""
QUERY: Final = "unexpected_rows_query"
CONDITION: Final = "row_condition"
PARSER: Final = "condition_parser"
_BRACES: Final = "write {{ and }} for braces"


def filled(query: Any) -> str:
    """A query with a name for `{batch}`, and single braces for doubled ones.

    Args:
        query: as it is written; a semicolon at its end is dropped.

    Raises:
        ValueError: it is no text, or other things stand in its braces.
    """
    if not isinstance(query, str):
        raise ValueError(f"{query!r} is no query over {{batch}}")  # noqa: TRY004 - to lint, a wrong value as any
    try:
        parts = list(Formatter().parse(query))
    except ValueError as reason:
        raise ValueError(f"{str(reason).lower()}: {_BRACES}") from reason
    for _, name, form, conversion in parts:
        if name is not None and (name != "batch" or form or conversion):
            raise ValueError(f"{{{name}}} stands for nothing, {{batch}} alone does; {_BRACES}")
    text = "".join(literal + (BATCH if name is not None else "") for literal, name, *_ in parts)
    return text.rstrip("; \t\r\n\v\f")


def spark_condition(kwargs: Any) -> str | None:
    """The Spark SQL among the arguments that says which rows count; None where it is in no SQL or there is none.

    Args:
        kwargs: an expectation's arguments.
    """
    found = kwargs.get(CONDITION)
    if isinstance(found, dict):
        found = found.get("pass_through_filter")
    elif str(kwargs.get(PARSER) or "").startswith("great_expectations"):
        return None
    return found if isinstance(found, str) else None
