"""Check digits of single texts, as spark_jobs.masking.digits has them for columns; tests hold the two together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from spark_jobs.masking import digits

_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _weighted(text: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False))


def _luhn(text: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(_digits(text))):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def _germany(text: str) -> bool:
    plain, product = _digits(text), 10
    for digit in plain[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return len(set(plain[:10])) in (8, 9) and (11 - product) % 10 == int(plain[10])


def _spain(text: str) -> bool:
    plain = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    number = int(plain[:8].translate(str.maketrans("XYZ", "012")))
    return _LETTERS[number % 23] == plain[8]


def _france(text: str) -> bool:
    plain = text.replace(" ", "").upper()
    number = plain[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(plain[13:15])


def _poland(text: str) -> bool:
    return (10 - _weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(text[10])


def _brazil(text: str) -> bool:
    plain = _digits(text)
    first = _weighted(plain, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(plain, range(11, 1, -1)) * 10 % 11 % 10
    return [first, second] == [int(plain[9]), int(plain[10])] and len(set(plain)) > 1


_VALID: Final[dict[Any, Callable[[str], bool]]] = {
    digits.luhn: _luhn,
    digits.iban: _iban,
    digits.germany: _germany,
    digits.spain: _spain,
    digits.france: _france,
    digits.poland: _poland,
    digits.brazil: _brazil,
}


def valid(rule: Any, text: str) -> bool:
    """Whether a text that has a detector's shape is one.

    Args:
        rule: the detector's `valid`; None where the shape decides.
        text: the text.
    """
    if rule is None:
        return True
    if isinstance(rule, partial):  # how many digits there may be
        low, high = rule.args
        return bool(low <= len(_digits(text)) <= high)
    return _VALID[rule](text)
