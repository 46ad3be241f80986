"""`clean`: white space, words that mean nothing, whole rows that repeat."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.audit import found_in
from spark_jobs.columns import column, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, family
from spark_jobs.transform.order import as_json, orderable
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Unicode's White_Space property and ASCII's separators, and the byte order mark that editors leave in front of texts.
_CODES: Final = (
    *range(0x9, 0xE),
    *range(0x1C, 0x21),
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
)
_WISHES: Final = "normal_form, trim, nulls or duplicates"
_WHITE: Final = "".join(chr(code) for code in (*_CODES, 0x205F, 0x3000, 0xFEFF))


@dataclass(frozen=True, kw_only=True)
class Clean:
    """One form of Unicode, no space at the ends, nulls for words such as `NA`, no repeated rows; in this order."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'clean: {trim: all, nulls: [NA, "-"]}'

    normal_form: Literal["NFC", "NFKC"] | None = None
    """Form of Unicode of every text column: `NFC` makes an é of one character and one of two the same text, `NFKC` also
    what only looks different, such as ﬁ and fi. ß and ss stay different texts, and so do capital and small letters."""
    trim: Literal["all"] | tuple[str, ...] | None = field(default=None, metadata={"column": True})
    """Text columns whose white space at both ends goes, or `all` of them; Unicode's white space too."""
    nulls: tuple[str, ...] = ()
    """Texts that become null in every text column; case matters."""
    duplicates: Literal["keep", "drop"] = "keep"
    """Whether a row that equals another one in every column is kept; nulls are equal, audit columns don't count."""

    @property
    def effect(self) -> Effect:
        """Rows stay rows, unless repeats are dropped."""
        return "dedupe" if self.duplicates == "drop" else "rows"

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {"trim": f"there is nothing to clean: give {_WISHES}"} if self._idle else {}

    @property
    def _idle(self) -> bool:
        return not (self.normal_form or self.trim is not None or self.nulls or self.duplicates == "drop")

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The same columns."""
        return rows

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns to trim that hold no text."""
        for name in self.trim if isinstance(self.trim, tuple) else ():
            if family(rows.columns.get(name)) not in {None, "text"}:
                message = f"column {name!r} is {rows.columns[name]}"
                yield Misfit(option="trim", message=message, hint="only text has white space to trim")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, cleaned.

        Raises:
            ConfigError: a column to trim is unknown or no text, or nothing is asked for.
        """
        if self._idle:
            raise ConfigError("nothing to clean", where=context.where, expected=_WISHES)
        texts = _texts(rows)
        rows = _normal(rows, texts, self.normal_form) if self.normal_form else rows
        rows = _trimmed(rows, self._to_trim(rows, texts, context.where))
        rows = _nulled(rows, texts, self.nulls) if self.nulls else rows
        return _distinct(rows) if self.duplicates == "drop" else rows

    def _to_trim(self, rows: DataFrame, texts: set[str], where: str) -> Collection[str]:
        if self.trim is None or self.trim == "all":
            return texts if self.trim else ()
        require(self.trim, rows.columns, f"{where}.trim")
        for name in self.trim:
            if name not in texts:
                found = rows.schema[name].dataType.simpleString()
                raise ConfigError(f"column {name!r} is {found}", where=f"{where}.trim", expected="a text column")
        return self.trim


def _texts(rows: DataFrame) -> set[str]:
    from pyspark.sql.types import StringType

    return {field.name for field in rows.schema.fields if isinstance(field.dataType, StringType)}


def _normal(rows: DataFrame, names: Collection[str], form: Literal["NFC", "NFKC"]) -> DataFrame:
    """Texts in one form of Unicode; Spark has no function for it, Python has."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    def normal(text: str | None) -> str | None:  # travels by value: executors may have no copy of this package
        import unicodedata

        return None if text is None else unicodedata.normalize(form, text)

    brought = F.udf(normal, "string", useArrow=False)
    return rows.select([brought(column(name)).alias(name) if name in names else column(name) for name in rows.columns])


def _trimmed(rows: DataFrame, names: Collection[str]) -> DataFrame:
    changed = [_stripped(column(name)).alias(name) if name in names else column(name) for name in rows.columns]
    return rows.select(changed)


def _stripped(text: Column) -> Column:
    """Without white space at its ends.

    Looking for all of it costs 140 ns a value, so texts that begin and end with a visible ASCII character are told
    apart first, in 30 ns; the last one is found as a byte, because finding the last character means counting all.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    last = F.substring(text.cast("binary"), -1, 1)
    visible = (text >= "!") & (text < "\x7f") & (last >= F.lit(b"!")) & (last < F.lit(b"\x7f"))
    return F.when(visible, text).otherwise(F.btrim(text, F.lit(_WHITE)))


def _nulled(rows: DataFrame, texts: set[str], nulls: tuple[str, ...]) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    def value(name: str) -> Column:
        return F.when(~column(name).isin(*nulls), column(name)).alias(name)

    return rows.select([value(name) if name in texts else column(name) for name in rows.columns])


def _distinct(rows: DataFrame) -> DataFrame:
    """Each row once, wherever it came from; maps and variants, which Spark can't compare, are compared as JSON."""
    columns, audit = rows.columns, found_in(rows.schema)
    odd = [field.name for field in rows.schema.fields if not orderable(field)]
    if not odd and not audit:
        return rows.dropDuplicates()
    helpers = {spare(columns, f"json{place}"): as_json(name) for place, name in enumerate(odd)}
    keys = [name for name in columns if name not in (*odd, *audit)] + list(helpers)
    named = rows.withColumns(helpers)
    if audit:
        return _first(named, keys, audit).select([column(name) for name in columns])
    return named.dropDuplicates(keys).select([column(name) for name in columns])


def _first(rows: DataFrame, keys: Collection[str], audit: Collection[str]) -> DataFrame:
    """One row of each key: that of the first source, by name, so that a repeat has the same one."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812

    rank = spare(rows.columns, "rank")
    order = Window.partitionBy(*[column(name) for name in keys]).orderBy(*[column(name) for name in audit])
    return rows.withColumn(rank, F.row_number().over(order)).where(column(rank) == 1)
