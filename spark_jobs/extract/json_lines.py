"""Format `json`: one object a line, read as text, so that every line is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from spark_jobs.errors import DataError
from spark_jobs.extract.cells import Cell, Reading, judge
from spark_jobs.extract.lines import lines, readable
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.extract.texts import typed
from spark_jobs.filesystem import first_bytes

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

# Jackson stops after the first value: an array around the line and a mark at its end show what follows it.
_MARK: Final = "\x1e"
_MOST_KEYS: Final = 5000


def parser(reading: Reading) -> Callable[[bool], list[Parsed]]:
    """Gives the records of the files; its argument says whether lines are to be numbered.

    Raises:
        DataError: a file isn't compressed as its name says; keys outside the contract differ only by case.
    """
    for file in reading.files:
        first_bytes(reading.context.spark, file, 4)
    reader = _Reader(reading, _new_columns(reading))
    return lambda numbered: [reader.parse(numbered=numbered)]


def _new_columns(reading: Reading) -> Sequence[str]:
    """The keys outside the contract, sorted; a pass of its own over the files, where it matters."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    if reading.contract.new_columns not in ("evolve", "freeze"):
        return ()
    keys = F.explode(_unknown(reading)).alias("key")
    found = (
        _objects(reading, "file")
        .where("good")
        .select("file", keys)
        .groupBy("key")
        .agg(F.min("file").alias("file"))
        .limit(_MOST_KEYS + 1)
        .collect()
    )
    seen = sorted((row["key"], row["file"]) for row in found)
    if len(seen) > _MOST_KEYS:
        raise DataError(
            f"more than {_MOST_KEYS} keys outside the contract: they look like data",
            where=seen[0][1],
            expected="objects with the same keys",
            remedy="name the keys you want in columns and set new_columns: discard",
        )
    for name, file in seen:
        reading.contract.fit([*reading.contract.columns, name], file)
    return reading.new_columns(seen)


def _objects(reading: Reading, tell: Literal["nothing", "file", "line"]) -> DataFrame:
    """The lines that are not blank, `o`: what they hold, `good`: whether that is one object."""
    from pyspark.sql import functions as F  # noqa: N812

    record = lines(reading.context.spark, reading.files, tell).where(F.trim("value") != "")
    marked = F.concat(F.lit("["), F.col("value"), F.lit(f',"\\u{ord(_MARK):04x}"]'))
    parsed = record.withColumn("o", F.when(F.is_valid_utf8("value"), F.try_parse_json(marked)))
    one = (
        F.try_variant_get("o", "$[1]", "string").eqNullSafe(_MARK) & F.try_variant_get("o", "$[2]", "variant").isNull()
    )
    keys = F.try_variant_get("o", "$[0]", "map<string,variant>")
    return parsed.withColumn("good", one & keys.isNotNull())


def _unknown(reading: Reading, *, filled: bool = False) -> Column:
    """Keys of an object that the contract doesn't have; with `filled` only those that have a value."""
    from pyspark.sql import functions as F  # noqa: N812

    known = F.array(*[F.lit(name) for name in reading.contract.columns]).cast("array<string>")
    found = F.try_variant_get("o", "$[0]", "map<string,variant>")
    if filled:
        found = F.map_filter(found, lambda _, value: ~F.is_variant_null(value))
    return F.array_except(F.map_keys(found), known)


class _Reader:
    def __init__(self, reading: Reading, new: Sequence[str]) -> None:
        self.reading, self.new = reading, new

    def parse(self, *, numbered: bool) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812

        kinds = self._kinds()
        objects = _objects(self.reading, "line" if numbered else "nothing")
        texts = [self._text(name).alias(f"t{place}") for place, name in enumerate(kinds)]
        cells = [self._cell(f"t{place}", name, kind) for place, (name, kind) in enumerate(kinds.items())]
        judged = judge(self.reading, objects.select("value", "file", "line", "o", "good", *texts), cells)
        return Parsed(
            frame=judged.frame,
            values=judged.values,
            broken=self._broken(),
            wrong=(*judged.wrong, *self._unwanted()),
            outside=judged.outside,
            raw=readable(F.col("value")),
            file=F.col("file"),
            line=F.col("line"),
        )

    def _kinds(self) -> dict[str, Any]:
        from pyspark.sql.types import StringType

        kinds: dict[str, Any] = self.reading.contract.types | dict.fromkeys(self.new, StringType())
        if not kinds:
            raise DataError(
                "no object has a key, and there is no contract: the dataset has no columns",
                where=self.reading.context.where,
                remedy="name the columns",
            )
        return kinds

    def _text(self, name: str) -> Column:
        """The value of a key as text; null where it is null, missing, or a text that means null."""
        from pyspark.sql import functions as F  # noqa: N812

        text = F.try_variant_get("o", _path(name), "string")
        return F.when(~text.isin(*self.reading.nulls), text) if self.reading.nulls else text

    def _cell(self, given: str, name: str, kind: DataType) -> Cell:
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        text, zone = F.col(given), self.reading.zone
        value: Column | None = None
        if isinstance(kind, (T.ArrayType, T.MapType, T.StructType)):
            value = _nested(text, kind, zone)
        elif isinstance(kind, T.VariantType):
            value = F.try_variant_get("o", _path(name), "variant")
        elif not isinstance(kind, T.StringType):
            value = typed(text, kind, zone, self.reading.pattern)
        return Cell(name=name, given=given, typed=value, kind=kind)

    @staticmethod
    def _broken() -> tuple[Problem, ...]:
        from pyspark.sql import functions as F  # noqa: N812

        bytes_told = F.lit("bytes that are no UTF-8; the raw text shows each byte as Latin-1")
        broken_told = F.lit("no JSON object, or more than one, or one with a key twice; one a line is expected")
        return (
            Problem(rule="utf8", when=~F.is_valid_utf8("value"), message=bytes_told),
            Problem(rule="json", when=~F.coalesce("good", F.lit(False)), message=broken_told),
        )

    def _unwanted(self) -> list[Problem]:
        from pyspark.sql import functions as F  # noqa: N812

        if self.reading.contract.new_columns != "quarantine":
            return []
        keys = _unknown(self.reading, filled=True)
        told = F.concat(F.lit("keys outside the contract: "), F.array_join(keys, ", "))
        return [Problem(rule="new columns", when=F.coalesce(F.size(keys), F.lit(0)) > 0, message=told)]


def _nested(text: Column, kind: DataType, zone: str) -> Column:
    """An array, map or struct; null where any value in it doesn't fit."""
    from pyspark.sql import functions as F  # noqa: N812

    options = {"columnNameOfCorruptRecord": "bad", "timeZone": zone}
    wrapped = F.from_json(F.concat(F.lit('{"v":'), text, F.lit("}")), f"v {kind.simpleString()}, bad STRING", options)
    return F.when(wrapped["bad"].isNull(), wrapped["v"])


def _path(name: str) -> str:
    """The path of a key as Spark wants it; a name can't hold both kinds of quotes.

    Raises:
        DataError: it does.
    """
    if "'" in name and '"' in name:
        raise DataError(f"key {name!r} holds both kinds of quotes", expected="one kind at most")
    return f'$[0]["{name}"]' if "'" in name else f"$[0]['{name}']"
