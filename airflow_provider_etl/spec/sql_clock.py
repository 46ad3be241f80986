"""Texts that Spark reads as the clock where it wants a date or a time: typed literals, casts, arguments of calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlglot import Token

# With a zone behind it, as Spark's SparkDateTimeUtils.extractSpecialValue has it: `now` takes none.
_CLOCK: Final = re.compile(
    r"\s*(?:now|(?:today|yesterday|tomorrow)(?:[ \t]+\S+|[+-]\d\S*)?)\s*", re.IGNORECASE | re.ASCII
)
_LITERALS: Final = frozenset({"date", "timestamp", "timestamp_ntz", "timestamp_ltz"})


def _calls(count: int, places: tuple[int, ...], names: str) -> dict[tuple[str, int], tuple[int, ...]]:
    return dict.fromkeys(((name, count) for name in names.split()), places)


# (function, number of arguments) -> those that are dates or times.
_CALLS: Final[dict[tuple[str, int], tuple[int, ...]]] = {
    **_calls(1, (0,), "date timestamp to_date to_timestamp to_timestamp_ntz to_timestamp_ltz try_to_date"),
    **_calls(1, (0,), "try_to_timestamp last_day"),
    **_calls(1, (0,), "year quarter month day dayofmonth dayofweek dayofyear weekday weekofyear dayname monthname"),
    **_calls(1, (0,), "hour minute second"),
    **_calls(2, (0,), "date_add dateadd date_sub add_months next_day trunc date_format"),
    **_calls(2, (0,), "from_utc_timestamp to_utc_timestamp"),
    **_calls(2, (1,), "date_trunc date_part datepart convert_timezone"),
    **_calls(2, (0, 1), "datediff date_diff months_between"),
    **_calls(3, (0, 1), "months_between"),
    **_calls(3, (2,), "dateadd date_add timestampadd convert_timezone"),
    **_calls(3, (1, 2), "datediff date_diff timestampdiff"),
}
_NAMES: Final = frozenset(name for name, _ in _CALLS)


def says_clock(text: str) -> bool:
    """Whether a text is the clock to Spark, once it is read as a date or a time."""
    return _CLOCK.fullmatch(text) is not None


def clock_texts(tokens: list[Token]) -> Iterator[Token]:
    """The texts of an expression that Spark reads as the clock, wherever that can be seen without types."""
    kinds = [token.token_type.name for token in tokens]
    for place, token in enumerate(tokens):
        if kinds[place] == "STRING":
            before = [item.text.lower() for item in tokens[max(place - 4, 0) : place]]
            extracted = before[:2] == ["extract", "("] and before[3:] == ["from"]
            if says_clock(token.text) and (extracted or set(before[-1:]) & _LITERALS):
                yield token
        elif kinds[place + 1 : place + 2] == ["L_PAREN"] and token.text.lower() in _NAMES:
            yield from _given(token.text.lower(), _arguments(tokens, kinds, place + 2))


def _given(name: str, arguments: list[list[Token]]) -> Iterator[Token]:
    for place in _CALLS.get((name, len(arguments)), ()):
        found = arguments[place]
        if len(found) == 1 and found[0].token_type.name == "STRING" and says_clock(found[0].text):
            yield found[0]


def _arguments(tokens: list[Token], kinds: list[str], start: int) -> list[list[Token]]:
    """What stands between the commas of a call, from its parenthesis to its end."""
    found: list[list[Token]] = [[]]
    depth = 0
    for place in range(start, len(tokens)):
        if kinds[place] == "R_PAREN" and depth == 0:
            break
        depth += {"L_PAREN": 1, "R_PAREN": -1}.get(kinds[place], 0)
        if kinds[place] == "COMMA" and depth == 0:
            found.append([])
        else:
            found[-1].append(tokens[place])
    return found
