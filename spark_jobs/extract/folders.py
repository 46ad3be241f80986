"""Columns that the names of folders hold, as Hive and Spark lay tables out: `day=2013-01-01/orders.csv`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import DataError
from spark_jobs.session import FileStat

if TYPE_CHECKING:
    from pyspark.sql import Column

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


def text(name: str) -> Column:
    """The text of a folder's column, by `file`: the innermost folder counts; null where Hive writes null so."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    held = F.regexp_extract("file", rf"^.*/\Q{name}\E=([^/]*)/", 1)
    # Letters that a folder's name can't have are written %3A; what is no such code stands for itself.
    plain = F.coalesce(F.try_url_decode(F.replace(held, F.lit("+"), F.lit("%2B"))), held)
    return F.when(held != _NULL, plain)


def refuse_without(files: Iterable[FileStat], names: Sequence[str]) -> None:
    """See that every file lies in a folder for each column.

    Raises:
        DataError: one doesn't, or its folder's name ends behind the `=`.
    """
    for file in files:
        for name in names:
            held = re.findall(rf"/{re.escape(name)}=([^/]*)(?=/)", file.path)
            if not (held and held[-1]):
                empty = f"the folder {name}= says no value: it may mean null or the empty text"
                raise DataError(
                    empty if held else f"no folder on the way to the file is called {name}=…",
                    where=file.path,
                    expected=f"folders such as {name}=2013-01-01, or {name}={_NULL} for null (partitions)",
                )


def unnamed(files: Iterable[FileStat], names: Sequence[str]) -> list[str]:
    """Columns that folders below the path hold and that nobody asked for, sorted."""
    found = {part.partition("=")[0] for file in files for part in file.inside.split("/")[:-1] if "=" in part}
    return sorted(found - set(names) - {""})
