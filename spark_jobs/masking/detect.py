"""What personal values look like: a shape (a Java regular expression), and check digits where there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from spark_jobs.masking import digits

if TYPE_CHECKING:
    from pyspark.sql import Column

Kind = Literal["email", "phone", "card", "iban", "national_id"]


@dataclass(frozen=True, kw_only=True)
class Detector:
    """One shape.

    Args:
        kind: what it is.
        shape: the expression; it takes no part of a longer word or number.
        least: digits that a text with one has at least: counting them is quicker than to look for the shape.
        valid: whether what has the shape is one; None where the shape decides.
    """

    kind: Kind
    shape: str
    least: int = 0
    valid: Callable[[Column], Column] | None = None

    def possible(self, text: Column, count: Column) -> Column:
        """Whether one can be in a text, as far as its number of digits tells; an address has an @.

        Args:
            text: the text.
            count: how many digits it has, or had before others were hidden.
        """
        return count >= self.least if self.least else text.contains("@")

    def whole(self, text: Column) -> Column:
        """Whether a text is one, white space around it aside."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        trimmed = F.trim(text)
        shaped = F.rlike(trimmed, F.lit(rf"\A(?:{self.shape})\z"))
        valid = F.lit(True) if self.valid is None else F.coalesce(self.valid(trimmed), F.lit(False))
        return F.when(shaped, valid).otherwise(False)

    def redacted(self, text: Column) -> Column:
        """A text with `[kind]` in place of those that are in it."""
        from pyspark.sql import functions as F  # noqa: N812

        label = F.lit(f"[{self.kind}]")
        if self.valid is None:
            return F.regexp_replace(text, F.lit(self.shape), label)
        valid = self.valid
        candidates = F.regexp_extract_all(text, F.lit(f"({self.shape})"), F.lit(1))
        found = F.filter(candidates, lambda item: F.coalesce(valid(item), F.lit(False)))
        redacted = F.aggregate(found, text, lambda rest, item: F.replace(rest, item, label))
        return F.when(F.rlike(text, F.lit(self.shape)), redacted).otherwise(text)


def _apart(shape: str) -> str:
    """A shape that is no part of a longer word or number."""
    return rf"(?<![\p{{L}}\p{{N}}_]){shape}(?![\p{{L}}\p{{N}}_])"


# Country -> length of its IBANs (SWIFT's IBAN registry), the countries of one length together.
_IBANS: Final[dict[int, str]] = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS",
    23: "AE GI IL IQ",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT",
    26: "IS TR",
    27: "FR GR IT MC SM",
    28: "AL AZ CY DO GT HU LB PL",
    29: "BR PS QA",
    30: "JO KW MU",
    31: "MT SC",
}
_IBAN: Final = "|".join(
    rf"(?:{countries.replace(' ', '|')})\d{{2}}(?: ?[0-9A-Z]){{{length - 4}}}" for length, countries in _IBANS.items()
)
_MAIL: Final = (
    r"(?<![\p{L}\p{N}._%+'-])[\p{L}\p{N}._%+'-]{1,64}+@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}-])"
)
# Issuers' first digits keep most numbers of 16 digits that aren't cards apart.
_CARD: Final = (
    r"(?:(?:4|5[1-5]|2[2-7]|6(?:011|4[4-9]|5)|62)\d{10,17}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}"
    r"|[2-6]\d{3}(?<gap>[ -])\d{4}\k<gap>\d{4}\k<gap>\d{4}|3[47]\d{2}[ -]\d{6}[ -]\d{5})"
)
_PHONE: Final = (
    r"(?:(?<![\p{L}\p{N}_+])\+[1-9](?:[ ().\/-]{0,2}\d){6,14}"
    r"|(?<![\p{L}\p{N}_.-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}"
    r"|(?<![\p{L}\p{N}_.-])\(?0\d{1,5}\)?[ \/-]{1,3}\d{3,8}(?:[ -]\d{2,5}){0,3})(?![\p{L}\p{N}_])"
)
DETECTORS: Final = (
    Detector(kind="email", shape=_MAIL),
    Detector(kind="iban", shape=_apart(rf"(?=[A-Z]{{2}}\d{{2}})(?:{_IBAN})"), least=6, valid=digits.iban),
    Detector(
        kind="national_id",
        shape=_apart(r"[12] ?\d{2} ?[0-9]{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
        least=14,
        valid=digits.france,
    ),
    Detector(kind="card", shape=_apart(_CARD), least=13, valid=digits.luhn),
    Detector(
        kind="national_id",
        shape=_apart(r"(?:\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11})"),
        least=11,
        valid=digits.brazil,
    ),
    Detector(
        kind="national_id",
        shape=_apart(r"\d{2}(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|8[1-9]|9[0-2])(?:0[1-9]|[12]\d|3[01])\d{5}"),
        least=11,
        valid=digits.poland,
    ),
    Detector(kind="national_id", shape=_apart(r"[1-9]\d(?: ?\d{3}){3}"), least=11, valid=digits.germany),
    Detector(kind="national_id", shape=_apart(r"(?:\d{8}|[XYZ]\d{7})-?[A-Z]"), least=7, valid=digits.spain),
    # The number of the United States has no check digit: hyphens and the numbers never given out are all there is.
    Detector(kind="national_id", shape=_apart(r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}"), least=9),
    Detector(kind="phone", shape=_PHONE, least=8, valid=partial(digits.between, 8, 15)),
)
