"""Surrogate keys: made of what they stand for, so that every run, table and pipeline gets the same ones.

A key is the begin of SHA-256 over the dimension's name and the texts of the natural key (canonical.py), each as a
netstring (https://cr.yp.to/proto/netstrings.txt): `8:customer,1:7,`; null is `-,`. So no two keys are written alike. Of
n members two share a 63-bit key with a chance of about n² / 2⁶⁴: one in 2·10⁷ for a million, one in 2,000 for a hundred
million, 5 % for a thousand million; a 128-bit one with n² / 2¹²⁹.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from spark_jobs.canonical import text_of
from spark_jobs.columns import listed
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Form = Literal["bigint", "hex"]
TYPES: Final[dict[Form, str]] = {"bigint": "bigint", "hex": "string"}
_POSITIVE: Final = 2**63 - 1


def surrogate(dimension: str, keys: Sequence[str], form: Form, rows: DataFrame, where: str) -> Column:
    """The surrogate key of each row.

    Args:
        dimension: what the key is of: equal natural keys of two dimensions have different ones.
        keys: the columns of the natural key, in their order; null is a value like others.
        form: a positive bigint, or 32 hex digits.
        rows: the rows.
        where: place in the pipeline file.

    Raises:
        ConfigError: values of a column have no text of their own.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    texts = [F.lit(dimension), *(text_of(name, rows, where) for name in keys)]
    digest = F.sha2(F.concat(*[_netstring(text) for text in texts]), 256)
    if form == "hex":
        return F.substring(digest, 1, 32)
    return F.conv(F.substring(digest, 1, 16), 16, -10).cast("bigint").bitwiseAND(F.lit(_POSITIVE))


def form_of(kind: str, where: str) -> Form:
    """The form of surrogate keys of a type.

    Raises:
        ConfigError: no surrogate key has it.
    """
    found: list[Form] = [form for form, name in TYPES.items() if name == kind]
    if not found:
        raise ConfigError(f"{kind} is no type of a surrogate key", where=where, expected=listed(list(TYPES.values())))
    return found[0]


def _netstring(text: Column) -> Column:
    """A text with its length in bytes before it; JSON would do too, and takes several times as long."""
    from pyspark.sql import functions as F  # noqa: N812

    written = F.concat(F.octet_length(text).cast("string"), F.lit(":"), text, F.lit(","))
    return F.coalesce(written, F.lit("-,"))
