"""`mask`: personal values, hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.canonical import REMEDY, as_text, odd
from spark_jobs.columns import column, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.masking.detect import Kind
from spark_jobs.masking.keyed import Keyed, keyed, secret_of
from spark_jobs.masking.nested import changed, each, kind_at, once, plant, refuse_unclear, steps, texts_below
from spark_jobs.outline import Misfit, Outline, Scope, family

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

    from spark_jobs.masking.detect import Detector
    from spark_jobs.masking.nested import Change, Tree

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

    columns: dict[str, Method] = field(default_factory=dict, metadata={"column": True, "fields": True})
    """Column -> method. `customer.email` is a field of a struct, or of every struct in an array."""
    detect: tuple[Kind, ...] = ()
    """What to look for in texts."""
    among: tuple[str, ...] | None = field(default=None, metadata={"column": True, "fields": True})
    """The texts to look in: columns, fields of structs, or structs and arrays for all texts in them; default: all that
    `columns` doesn't name."""
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
        """The columns; what was masked by a hash, a token or in part is text. Of a struct the other fields stay."""
        whole = {name: how for name, how in self.columns.items() if steps(name, rows.columns) == [name]}
        kinds = {name: rows.columns.get(name) if how == "redact" else "string" for name, how in whole.items()}
        kinds |= {name: None for name in whole if str(rows.columns.get(name)).startswith("array<")}
        inside = {steps(name, rows.columns)[0]: None for name in self.columns if name not in whole}
        return rows.plus(kinds).plus(inside).holding(rows.personal & {name.lower() for name in inside})

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that a method can't mask."""
        for name, how in self.columns.items():
            yield from self._fieldless(name, f"columns.{name}", rows)
            if str(rows.columns.get(name)).startswith("array<"):
                continue
            if how in _BY_KEY and (kind := odd(name, rows)):
                message = f"column {name!r} is {kind}, which has no text of its own"
                yield Misfit(option=f"columns.{name}", message=message, hint=REMEDY)
            if how == "partial" and family(rows.columns.get(name)) not in {None, "text"}:
                message = f"column {name!r} is {rows.columns[name]}: partial keeps a part of a text"
                yield Misfit(option=f"columns.{name}", message=message, hint="redact or hash it, or cast it to string")
        for name in self.among or ():
            yield from self._fieldless(name, "among", rows)
            if family(rows.columns.get(name)) not in {None, "text", "nested"}:
                yield Misfit(option="among", message=f"column {name!r} is {rows.columns[name]}, no text")

    @staticmethod
    def _fieldless(path: str, option: str, rows: Outline) -> Iterator[Misfit]:
        name, *fields = steps(path, rows.columns)
        if fields and family(rows.columns.get(name)) not in {None, "nested"}:
            message = f"column {name!r} is {rows.columns[name]}, and has no field {fields[0]!r}"
            yield Misfit(option=option, message=message, hint="name a column, or a field of a struct")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows, masked.

        Raises:
            ConfigError: options that exclude each other, an unknown column, one that can't be masked so, no key.
        """
        where, names = context.where, rows.columns
        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{where}.{option}", expected="options that fit together")
        paths = {name: steps(name, names) for name in self.columns}
        require(dict.fromkeys(path[0] for path in paths.values()), names, f"{where}.columns")
        flat, inside = self._looked_in(rows, paths.values(), where)
        beside: Keyed | None = None
        if self.key is not None:
            beside = keyed(rows, secret_of(self.key, context.connections, f"{where}.key"))
        tree: Tree = {}
        for name, how in self.columns.items():
            place = f"{where}.columns.{name}"
            kind_at(paths[name], rows, place)
            refuse_unclear(name, rows, paths.values(), place)
            plant(tree, paths[name], self._change(name, how, beside, place), place)
        rows = changed(beside.rows if beside else rows, tree)
        searched: Tree = {}
        for path in inside:
            plant(searched, path, each(lambda text, _: self._searched(text, beside)), f"{where}.among")
        rows = self._detected(changed(rows, searched), flat, beside)
        return rows.select([column(name) for name in names])

    def _looked_in(
        self, rows: DataFrame, masked: Iterable[Sequence[str]], where: str
    ) -> tuple[list[str], list[tuple[str, ...]]]:
        """The columns of texts that are searched, and the paths of the texts in other columns."""
        found: dict[tuple[str, ...], None] = {}
        if self.detect and self.among is None:
            every = (path for item in rows.schema.fields for path in texts_below((item.name,), item.dataType))
            found = dict.fromkeys(every)
        done = [tuple(path) for path in masked]
        named = [*done, *(steps(name, rows.columns) for name in self.among or ())]
        for name in self.among or ():
            path = steps(name, rows.columns)
            require(path[:1], rows.columns, f"{where}.among")
            refuse_unclear(name, rows, named, f"{where}.among")
            kind = kind_at(path, rows, f"{where}.among")
            texts = list(texts_below(tuple(path), kind))
            if not texts:
                told = f"column {name!r} is {kind.simpleString()}"
                raise ConfigError(told, where=f"{where}.among", expected="a text column, or a struct or array of texts")
            found |= dict.fromkeys(texts)
        # What is masked already stays so: a hash may hold digits that look like a phone number.
        found = {path: None for path in found if not any(path[: len(one)] == one for one in done)}
        flat = [
            path[0] for path in found if len(path) == 1 and family(rows.schema[path[0]].dataType.typeName()) == "text"
        ]
        return flat, [path for path in found if path[0] not in flat]

    def _change(self, name: str, how: Method, beside: Keyed | None, where: str) -> Change:
        """What becomes of a value."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
        from pyspark.sql.types import StringType

        def change(value: Column, kind: DataType) -> Column:
            if how in _BY_KEY:
                return self._of_text(as_text(value, kind, name, where), how, beside)
            if isinstance(kind, StringType):
                return self._of_text(value, how, beside)
            if how == "redact":
                return F.lit(None).cast(kind)
            raise ConfigError(
                f"column {name!r} is {kind.simpleString()}",
                where=where,
                expected="text, of which partial keeps a part",
                remedy="redact or hash it, or cast it to string",
            )

        return change if how == "redact" else each(change)

    def _of_text(self, text: Column, how: Method, beside: Keyed | None) -> Column:
        from pyspark.sql import functions as F  # noqa: N812

        if how in _BY_KEY and beside is not None:
            digest = beside.digest(text)
            return digest if how == "hash" else F.concat(F.lit(self.prefix), F.substring(digest, 1, _DIGITS))
        hidden = F.when(text.isNotNull(), F.lit(HIDDEN))
        return _partial(text).otherwise(hidden) if how == "partial" else hidden

    def _detected(self, rows: DataFrame, names: list[str], beside: Keyed | None) -> DataFrame:
        """One kind after the other, each over what the one before has left: an expression of all would grow as 4ⁿ."""
        from spark_jobs.masking.detect import DETECTORS

        counts = {name: spare(rows.columns, f"digits{place}") for place, name in enumerate(names)}
        if names:
            rows = rows.withColumns({counts[name]: _digits_of(column(name)) for name in names})
        for detector in DETECTORS if names else ():
            if detector.kind not in self.detect:
                continue
            found = {}
            for name in names:
                found[name] = self._by(detector, column(name), column(counts[name]), beside)
            rows = rows.withColumns(found)
        return rows

    def _searched(self, text: Column, beside: Keyed | None) -> Column:
        """A text within a column, with what all detectors find in it."""
        from spark_jobs.masking.detect import DETECTORS

        for detector in DETECTORS:
            if detector.kind in self.detect:
                text = once(text, self._finding(detector, beside))
        return text

    def _finding(self, detector: Detector, beside: Keyed | None) -> Callable[[Column], Column]:
        # A function of one argument and no more: Spark would hand an index to a second one.
        return lambda text: self._by(detector, text, _digits_of(text), beside)

    def _by(self, detector: Detector, text: Column, count: Column, beside: Keyed | None) -> Column:
        """A text, with what one detector finds in it."""
        from pyspark.sql import functions as F  # noqa: N812

        hidden = F.when(detector.whole(text), self._of_text(text, self.found, beside))
        sought = hidden.otherwise(detector.redacted(text))
        return F.when(detector.possible(text, count), sought).otherwise(text)


def _is_text(kind: DataType) -> bool:
    from pyspark.sql.types import StringType

    return isinstance(kind, StringType)


def _digits_of(text: Column) -> Column:
    """How many digits a text has."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.length(text) - F.length(F.translate(text, _DIGIT, ""))


def _partial(text: Column) -> Column:
    """What stays of a text: the domain of an e-mail address, four characters of eight or more; open for `otherwise`."""
    from pyspark.sql import functions as F  # noqa: N812

    domain = F.regexp_extract(text, r"^[^@]+@([^@\s]+\.[^@\s]+)$", 1)
    return F.when(domain != "", F.concat(F.lit(f"{HIDDEN}@"), domain)).when(
        F.length(text) >= 8, F.concat(F.lit(HIDDEN), F.right(text, F.lit(4)))
    )
