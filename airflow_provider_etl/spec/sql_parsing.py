"""Spark SQL -> sqlglot's trees. What sqlglot reads otherwise than Spark does is put right on its tokens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlglot import Token
    from sqlglot.dialects.dialect import Dialect

# Words that begin a statement, and that Spark takes as a column's name where such a thing comes next.
_OPERATORS: Final = frozenset(
    {"EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NULLSAFE_EQ", "IS", "IN", "NOT", "LIKE", "RLIKE", "BETWEEN", "PLUS",
     "STAR", "SLASH", "DPIPE", "AND", "OR", "DOT"}
)  # fmt: skip


def parse(sql: str) -> tuple[list[Any], list[Token]]:
    """The statements of a text, None for an empty one, and its tokens.

    Raises:
        SqlglotError: it is no Spark SQL. On nonsense sqlglot fails with Python's own errors too.
    """
    from sqlglot import Dialect

    dialect = Dialect.get_or_raise("spark")
    with quiet():
        tokens = _mended(dialect.tokenize(sql), dialect)
        return dialect.parser(error_message_context=len(sql) + 1).parse(tokens, sql), tokens


def _mended(tokens: list[Token], dialect: Dialect) -> list[Token]:
    from sqlglot import TokenType

    kept: list[Token] = []
    names = ["", *(token.token_type.name for token in tokens), ""]
    for place, token in enumerate(tokens):
        before, name, after = names[place : place + 3]
        if name == "WINDOW" and after in {"L_PAREN", "DOT"}:
            token.token_type = TokenType.VAR  # window(at, '1 hour') is a call, window.start its result
        elif name == "STRING" and before == "VAR" and tokens[place - 1].text in {"x", "X"}:
            token.token_type = TokenType.HEX_STRING  # X 'F0'
            kept.pop()
        elif name == "GT" and _third(tokens, place):
            continue  # to the rules here >>> is as good as >>
        elif place == 0 and after in _OPERATORS and token.token_type in dialect.parser_class.STATEMENT_PARSERS:
            token.token_type = TokenType.VAR  # comment = 'x'
        kept.append(token)
    return kept


def _third(tokens: list[Token], place: int) -> bool:
    """Whether a > is the last of >>>."""
    three = tokens[max(place - 2, 0) : place + 1]
    return [item.text for item in three] == [">"] * 3 and three[0].start + 2 == three[2].start


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Sqlglot warns on its log about statements that it doesn't know; they are reported here."""
    logger = logging.getLogger("sqlglot")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
