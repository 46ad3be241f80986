"""`mask`: personal values, hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.canonical import REMEDY, odd, text_of
from spark_jobs.columns import column, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.masking.detect import Kind
from spark_jobs.masking.keyed import Keyed, keyed, secret_of
from spark_jobs.outline import Misfit, Outline, Scope, family

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Method = Literal["hash", "token", "redact", "partial"]
HIDDEN: Final = "***"
_BY_KEY: Final = frozenset({"hash", "token"})
_DIGITS: Final = 32  # of a token: 128 bits
_DIGIT: Final = "0123456789"


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Hide personal values: in columns by name, and in texts where they are found by their shape. Null stays null.

    `hash` is HMAC-SHA256 under a secret key, 64 hex digits; `token` a shorter form of it with a prefix; the same value
    gives the same one in every pipeline with that key, an int 5, a decimal 5.00 and the text "5" too; letter case and
    white space make another value. `redact` leaves `***` of a text and null of anything else. `partial` keeps the
    domain of an e-mail address, else the last four characters where there are eight at least.

    Detection is sure of e-mail addresses and IBANs, nearly of cards and national ids with check digits, and guesses
    phone numbers (docs/masking.md). A value that is one as a whole gets the method `found`; inside longer texts they
    are always redacted: `[email]`.

    Where the pipeline sets rows aside that this step would have masked, their raw records aren't kept.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "mask: {columns: {customer: token}, key: masking_key}"
    effect: ClassVar[str] = "rows"
    masks: ClassVar[bool] = True

    columns: dict[str, Method] = field(default_factory=dict, metadata={"column": True})
    """Column -> method."""
    detect: tuple[Kind, ...] = ()
    """What to look for in texts."""
    among: tuple[str, ...] | None = field(default=None, metadata={"column": True})
    """The text columns to look in; default: all that `columns` doesn't name."""
    found: Method = "redact"
    """What becomes of a value that as a whole is what was looked for."""
    key: str | None = field(default=None, metadata={"connection": True})
    """The Airflow connection whose password is the key of `hash` and `token`, 16 characters at least."""
    prefix: str = "tok_"
    """What tokens begin with."""

    @property
    def by_key(self) -> bool:
        """Whether a key is needed."""
        return bool(_BY_KEY & {*self.columns.values(), *((self.found,) if self.detect else ())})

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found = {} if self.columns or self.detect else {"columns": "there is nothing to mask: give columns or detect"}
        if self.by_key and not self.key:
            found["key"] = "hash and token need one: the id of an Airflow connection whose password it is"
        if self.key and not self.by_key and not found:
            found["key"] = "neither hash nor token is asked for"
        for option in ("among", "found"):
            if not self.detect and getattr(self, option) not in {None, "redact"}:
                found[option] = "nothing is looked for: give detect"
        twice = [name for name in self.among or () if name in self.columns]
        return found | ({"among": f"{twice[0]!r} stands in columns too"} if twice else {})

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns; what was masked by a hash, a token or in part is text."""
        kinds = {name: rows.columns.get(name) if how == "redact" else "string" for name, how in self.columns.items()}
        return rows.plus(kinds)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that a method can't mask."""
        for name, how in self.columns.items():
            if how in _BY_KEY and (kind := odd(name, rows)):
                message = f"column {name!r} is {kind}, which has no text of its own"
                yield Misfit(option=f"columns.{name}", message=message, hint=REMEDY)
            if how == "partial" and family(rows.columns.get(name)) not in {None, "text"}:
                message = f"column {name!r} is {rows.columns[name]}: partial keeps a part of a text"
                yield Misfit(option=f"columns.{name}", message=message, hint="redact or hash it, or cast it to string")
        for name in self.among or ():
            if family(rows.columns.get(name)) not in {None, "text"}:
                yield Misfit(option="among", message=f"column {name!r} is {rows.columns[name]}, no text")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, masked.

        Raises:
            ConfigError: options that exclude each other, an unknown column, one that can't be masked so, no key.
        """
        where, names = context.where, rows.columns
        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{where}.{option}", expected="options that fit together")
        require(self.columns, names, f"{where}.columns")
        looked = self._looked_in(rows, where)
        beside: Keyed | None = None
        if self.key is not None:
            beside = keyed(rows, secret_of(self.key, context.connections, f"{where}.key"))
        masked = {name: self._masked(name, how, rows, beside, where) for name, how in self.columns.items()}
        rows = beside.rows if beside else rows
        if masked:
            rows = rows.withColumns({name: value.alias(name) for name, value in masked.items()})
        rows = self._detected(rows, looked, beside)
        return rows.select([column(name) for name in names])

    def _looked_in(self, rows: DataFrame, where: str) -> list[str]:
        from pyspark.sql.types import StringType

        texts = [item.name for item in rows.schema.fields if isinstance(item.dataType, StringType)]
        if self.among is None:
            return [name for name in texts if name not in self.columns] if self.detect else []
        require(self.among, rows.columns, f"{where}.among")
        for name in self.among:
            if name not in texts:
                found = rows.schema[name].dataType.simpleString()
                raise ConfigError(f"column {name!r} is {found}", where=f"{where}.among", expected="a text column")
        return list(self.among)

    def _masked(self, name: str, how: Method, rows: DataFrame, beside: Keyed | None, where: str) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
        from pyspark.sql.types import StringType

        kind = rows.schema[name].dataType
        if how in _BY_KEY:
            return self._of_text(text_of(name, rows, f"{where}.columns.{name}"), how, beside)
        if isinstance(kind, StringType):
            return self._of_text(column(name), how, beside)
        if how == "redact":
            return F.lit(None).cast(kind)
        raise ConfigError(
            f"column {name!r} is {kind.simpleString()}",
            where=f"{where}.columns.{name}",
            expected="text, of which partial keeps a part",
            remedy="redact or hash it, or cast it to string",
        )

    def _of_text(self, text: Column, how: Method, beside: Keyed | None) -> Column:
        from pyspark.sql import functions as F  # noqa: N812

        if how in _BY_KEY and beside is not None:
            digest = beside.digest(text)
            return digest if how == "hash" else F.concat(F.lit(self.prefix), F.substring(digest, 1, _DIGITS))
        hidden = F.when(text.isNotNull(), F.lit(HIDDEN))
        return _partial(text).otherwise(hidden) if how == "partial" else hidden

    def _detected(self, rows: DataFrame, names: list[str], beside: Keyed | None) -> DataFrame:
        """One kind after the other, each over what the one before has left: an expression of all would grow as 4ⁿ."""
        from pyspark.sql import functions as F  # noqa: N812

        from spark_jobs.masking.detect import DETECTORS

        counts = {name: spare(rows.columns, f"digits{place}") for place, name in enumerate(names)}
        if names:
            digits = {
                counts[name]: F.length(column(name)) - F.length(F.translate(column(name), _DIGIT, "")) for name in names
            }
            rows = rows.withColumns(digits)
        for detector in DETECTORS if names else ():
            if detector.kind not in self.detect:
                continue
            changed = {}
            for name in names:
                text = column(name)
                hidden = F.when(detector.whole(text), self._of_text(text, self.found, beside))
                sought = hidden.otherwise(detector.redacted(text))
                possible = detector.possible(text, column(counts[name]))
                changed[name] = F.when(possible, sought).otherwise(text)
            rows = rows.withColumns(changed)
        return rows


def _partial(text: Column) -> Column:
    """What stays of a text: the domain of an e-mail address, four characters of eight or more; open for `otherwise`."""
    from pyspark.sql import functions as F  # noqa: N812

    domain = F.regexp_extract(text, r"^[^@]+@([^@\s]+\.[^@\s]+)$", 1)
    return F.when(domain != "", F.concat(F.lit(f"{HIDDEN}@"), domain)).when(
        F.length(text) >= 8, F.concat(F.lit(HIDDEN), F.right(text, F.lit(4)))
    )
