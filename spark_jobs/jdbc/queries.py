"""Queries of a pipeline file for a database: one SELECT that can stand in parentheses, its values as literals."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.jdbc.dialect import Dialect

_SELECT: Final = re.compile(r"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with|values|table)\b")
_VALUE: Final = re.compile(r"\$\{(\w+):([^${}]*)\}")


def query_problem(query: str) -> str:
    """Why a text is no single SELECT that can stand in parentheses; empty where it is one.

    A driver may send what stands behind a semicolon as a statement of its own, and what is a text to one database
    (a quote behind a backslash, $$) is none to another: so no semicolon may stand anywhere but at the end.
    """
    plain = query.strip().removesuffix(";")
    if not _SELECT.match(plain):
        return f"{query.strip()[:60]!r} is no SELECT"
    if ";" in plain:
        return "a semicolon stands in the query: one statement is wanted"
    return "a NUL stands in the query" if "\x00" in plain else ""


def filled(query: str, dialect: Dialect) -> str:
    """A query as the database gets it: values as its literals, no semicolon.

    Args:
        query: in which `${kind:value}` stand for values, as a plan has them.
        dialect: the database's.

    Raises:
        ConfigError: a value of an unknown kind.
    """
    plain = query.strip().removesuffix(";")
    return _VALUE.sub(lambda match: dialect.literal(match[1], match[2]), plain)
