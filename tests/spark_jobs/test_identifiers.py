"""A name from a file or a table is one identifier, whatever stands in it: nothing of it is read as SQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spark_jobs.connections import Connection
from spark_jobs.load.databases import database_of
from spark_jobs.load.strategies import quoted

ATTACKS = [
    'x"; DROP TABLE orders; --',
    "x`; DROP TABLE orders; --",
    "x'; DROP TABLE orders; --",
    '""',
    "``",
    "a.b",
    "%s",
    "100%",
    "a\\",
    'a\\"',
    "a\\`",
    "a\nb /* c */ -- d",
]
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def of(kind: str) -> Callable[[str], str]:
    """Quotes as a destination does, and as the driver then sends it: with single per cent signs."""
    database = database_of(Connection(id="db", kind=kind, host="h", schema="s"), "load.mart")
    return lambda name: database.quote(name).replace("%%", "%")


QUOTES: dict[str, Callable[[str], str]] = {"postgres": of("postgres"), "mysql": of("mysql"), "spark": quoted}


def read(dialect: str, name: str) -> list[str]:
    """What a reader of the dialect takes for identifiers in `SELECT` and a quoted name."""
    from sqlglot import exp, parse_one

    tree = parse_one(f"SELECT {QUOTES[dialect](name)} FROM t", dialect=dialect)  # noqa: S608 - nobody runs it
    assert [type(item) for item in tree.selects] == [exp.Column]
    return [item.name for item in tree.selects[0].find_all(exp.Identifier)]


@pytest.mark.parametrize("dialect", QUOTES)
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_a_name(dialect: str, name: str) -> None:
    assert read(dialect, name) == [name]


@pytest.mark.parametrize("dialect", QUOTES)
def test_any_name_is_one(dialect: str) -> None:
    @settings(deadline=None, max_examples=60)
    @given(name=NAMES)
    @example(name='"`')
    def each(name: str) -> None:
        assert read(dialect, name) == [name]

    each()
