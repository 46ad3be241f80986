"""Calls in SQL that a pipeline may not make: those that a repeat would answer otherwise, and those that run code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.spec.sql_clock import clock_texts

if TYPE_CHECKING:
    from sqlglot import Token

# The clock, chance, who asks, and where rows happen to lie.
_CLOCK_CALLS: Final = frozenset(
    {
        "now",
        "curdate",
        "curtime",
        "current_date",
        "current_time",
        "current_timestamp",
        "localtimestamp",
        "rand",
        "random",
        "randn",
        "randstr",
        "uniform",
        "uuid",
        "shuffle",
        "monotonically_increasing_id",
        "spark_partition_id",
        "current_user",
        "session_user",
        "user",
        "input_file_name",
        "input_file_block_start",
        "input_file_block_length",
    }
)
# Not `user`: that is a common column's name, to Spark the column where there is one, and tokens don't tell.
_BARE_WORDS: Final = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtimestamp", "current_user", "session_user"}
)
WINDOW: Final = "use ${window.start} or ${window.end}"
"""What to do instead of asking the clock."""
_CODE_CALLS: Final = frozenset({"java_method", "reflect", "try_reflect"})
_FILE_CALLS: Final = frozenset({"from_protobuf", "to_protobuf"})
_FILE_OPTIONS: Final = frozenset({"from_avro", "from_xml", "schema_of_avro", "schema_of_xml"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that is refused.

    Args:
        name: as it is written.
        offset: its place in the text, from 0.
        runs_code: whether it runs code, else it is not repeatable.
        reads_files: whether it reads files, by their paths.
        remedy: what to do, where that isn't to ask for the window.
    """

    name: str
    offset: int
    runs_code: bool = False
    reads_files: bool = False
    remedy: str = WINDOW


def doubtful(tokens: list[Token]) -> Iterator[Call]:
    """The calls of a text that may not be made, and the texts that are the clock."""
    for token in clock_texts(tokens):
        yield Call(name=token.text, offset=token.start)
    yield from _samples(tokens)
    for place, token in enumerate(tokens):
        after = [item.text for item in tokens[place + 1 : place + 3]]
        before = plain(tokens[place - 1].text) if place else ""
        name, form = plain(token.text), token.token_type.name
        if form == "STRING":
            continue
        if after[:1] == ["("]:
            if name in _CODE_CALLS:
                yield Call(name=token.text, offset=token.start, runs_code=True)
            elif name in _CLOCK_CALLS or (name == "unix_timestamp" and after[1:] == [")"]):
                yield Call(name=token.text, offset=token.start)
        elif name in _BARE_WORDS and form != "IDENTIFIER" and before not in {".", "as"}:
            yield Call(name=token.text, offset=token.start)


def hidden(tokens: list[Token]) -> Iterator[Call]:
    """The calls of a text of Spark SQL that do what doesn't show.

    Their name is made of a text, which may be that of any function or table; or what they are given names files.
    """
    pairs = pairwise(tokens)
    calls = [token for token, after in pairs if after.text == "(" and token.token_type.name != "STRING"]
    options = any(plain(token.text) == "map" for token in calls)
    for token in calls:
        name = plain(token.text)
        if name == "identifier":
            yield Call(name=token.text, offset=token.start, runs_code=True)
        elif name in _FILE_CALLS or (options and name in _FILE_OPTIONS):
            yield Call(name=token.text, offset=token.start, reads_files=True)


def plain(name: str) -> str:
    """A word in small letters, as Spark reads it: in capitals first: that of a dotless i is I."""
    return name.upper().lower()


def _samples(tokens: list[Token]) -> Iterator[Call]:
    """Samples: REPEATABLE repeats the draw, and the rows may lie in another order, or in other parts."""
    remedy = "sample by what a row holds, such as pmod(xxhash64(id), 100) < 10"
    for token in tokens:
        if token.token_type.name == "TABLE_SAMPLE":
            yield Call(name=token.text, offset=token.start, remedy=remedy)
