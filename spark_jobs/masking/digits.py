"""Check digits, as Spark expressions over texts that have the right shape already."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyspark.sql import Column

_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"  # of Spain, by the number modulo 23


def digits_of(text: Column) -> Column:
    """A text's digits alone."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.regexp_replace(text, "[^0-9]", "")


def _digit(text: Column, place: int) -> Column:
    from pyspark.sql import functions as F  # noqa: N812

    return F.substring(text, place + 1, 1).try_cast("int")


def _weighted(text: Column, weights: Sequence[int]) -> Column:
    """The sum of a text's first digits, each by its weight."""
    return reduce(add, [_digit(text, place) * weight for place, weight in enumerate(weights)])


def luhn(text: Column) -> Column:
    """Cards (ISO/IEC 7812-1, annex B)."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.call_function("luhn_check", digits_of(text))


def iban(text: Column) -> Column:
    """IBAN (ISO 13616): the country and check digits moved to the end, letters as 10 to 35, modulo 97 is 1."""
    from pyspark.sql import functions as F  # noqa: N812

    plain = F.upper(F.regexp_replace(text, " ", ""))
    moved = F.concat(F.substr(plain, F.lit(5)), F.substring(plain, 1, 4))

    def add_sign(rest: Column, place: Column) -> Column:
        sign = F.substr(moved, place, F.lit(1))
        value = F.conv(sign, 36, 10).try_cast("int")
        return (rest * F.when(value > 9, 100).otherwise(10) + value) % 97

    return F.aggregate(F.sequence(F.lit(1), F.length(moved)), F.lit(0), add_sign) == 1


def between(low: int, high: int, text: Column) -> Column:
    """Whether a text has so many digits: phone numbers have 15 at most (E.164)."""
    from pyspark.sql import functions as F  # noqa: N812

    return F.length(digits_of(text)).between(low, high)


def germany(text: Column) -> Column:
    """Steuer-ID: ISO 7064 MOD 11,10, and of the first ten digits one comes twice or three times, no other again."""
    from pyspark.sql import functions as F  # noqa: N812

    plain = digits_of(text)

    def add_digit(product: Column, place: Column) -> Column:
        total = (F.substr(plain, place, F.lit(1)).try_cast("int") + product) % 10
        return (F.when(total == 0, 10).otherwise(total) * 2) % 11

    product = F.aggregate(F.sequence(F.lit(1), F.lit(10)), F.lit(10), add_digit)
    first = F.transform(F.sequence(F.lit(1), F.lit(10)), lambda place: F.substr(plain, place, F.lit(1)))
    several = F.size(F.array_distinct(first)).isin(8, 9)
    return several & ((F.lit(11) - product) % 10 == _digit(plain, 10))


def spain(text: Column) -> Column:
    """DNI and NIE: a letter by the number modulo 23, in which X, Y and Z stand for 0, 1 and 2."""
    from pyspark.sql import functions as F  # noqa: N812

    plain = F.upper(F.regexp_replace(text, "[^0-9A-Za-z]", ""))
    number = F.translate(F.substring(plain, 1, 8), "XYZ", "012").try_cast("int")
    return F.substr(F.lit(_LETTERS), (number % 23 + 1).cast("int"), F.lit(1)) == F.substring(plain, 9, 1)


def france(text: Column) -> Column:
    """NIR: 97 less the number modulo 97, in which Corsica's 2A and 2B are 19 and 18."""
    from pyspark.sql import functions as F  # noqa: N812

    plain = F.upper(F.regexp_replace(text, " ", ""))
    number = F.replace(F.replace(F.substring(plain, 1, 13), F.lit("2A"), F.lit("19")), F.lit("2B"), F.lit("18"))
    return F.lit(97) - number.try_cast("bigint") % 97 == F.substring(plain, 14, 2).try_cast("bigint")


def poland(text: Column) -> Column:
    """PESEL: weights 1, 3, 7, 9."""
    total = _weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3))
    return (10 - total % 10) % 10 == _digit(text, 10)


def brazil(text: Column) -> Column:
    """CPF: two digits, modulo 11; eleven equal ones are none."""
    from pyspark.sql import functions as F  # noqa: N812

    plain = digits_of(text)
    first = (_weighted(plain, range(10, 1, -1)) * 10) % 11 % 10
    second = (_weighted(plain, range(11, 1, -1)) * 10) % 11 % 10
    return (first == _digit(plain, 9)) & (second == _digit(plain, 10)) & ~F.rlike(plain, F.lit(r"^(\d)\1{10}$"))
