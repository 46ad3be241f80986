"""Format `json`: one object a line, read as text, so that every line is accounted for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError
from spark_jobs.extract.cells import Cell, Reading, judge
from spark_jobs.extract.fields import promised
from spark_jobs.extract.lines import LONGEST, Tell, lines, readable, unmarked, unreadable
from spark_jobs.extract.records import Parsed, Problem, unreadable_file
from spark_jobs.extract.texts import typed
from spark_jobs.filesystem import refuse_disguises

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

# Jackson stops after the first value: an array around the line and a mark at its end show what follows it.
_MARK: Final = "\x1e"
_MOST_KEYS: Final = 5000


@dataclass(frozen=True, kw_only=True)
class Objects:
    """Records that are objects, whatever their format.

    Args:
        read: gives them: `value` as it stood in the file, `json` what it is as a JSON object, null where it is none,
            `file`, `line`; and `whole` where a record may stand for a file that can't be read: why, else null.
        rule: name of the rule that a record breaks which is no object.
        told: that, in words.
        utf8: whether the files are UTF-8; XML says by itself what it is.
    """

    read: Callable[[Tell], DataFrame]
    rule: str = "json"
    told: str = "no JSON object, or more than one, or one with a key twice; one a line is expected"
    utf8: bool = True


def parser(reading: Reading, objects: Objects | None = None) -> Callable[[bool], list[Parsed]]:
    """Gives the records of the files; its argument says whether lines are to be numbered.

    Args:
        reading: files and contract.
        objects: gives the records of a format that isn't JSON lines.

    Raises:
        DataError: a file isn't compressed as its name says, or is UTF-16; keys outside the contract differ only by
            case.
    """
    if objects is None or objects.utf8:
        refuse_disguises(reading.context.spark, reading.files)
    given = objects or Objects(read=lambda tell: _lines(reading, tell))
    reader = _Reader(reading, given, _new_columns(reading, given))
    return lambda numbered: [reader.parse(numbered=numbered)]


def _lines(reading: Reading, tell: Tell) -> DataFrame:
    """The lines that are not blank."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    record = lines(reading.context.spark, reading.files, tell).where(F.trim("value") != "")
    return record.withColumn("json", unmarked(F.col("value")))


def _new_columns(reading: Reading, objects: Objects) -> Sequence[str]:
    """The keys outside the contract, sorted; a pass of its own over the files, where it matters."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    if reading.contract.new_columns not in ("evolve", "freeze"):
        return ()
    keys = F.explode(_unknown(reading)).alias("key")
    found = (
        _parsed(objects.read("file"))
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
        reading.contract.fit([*reading.contract.given, name], file)
    return reading.new_columns(seen)


def _parsed(records: DataFrame) -> DataFrame:
    """`o`: what records hold, `good`: whether that is one object."""
    from pyspark.sql import functions as F  # noqa: N812

    marked = F.concat(F.lit("["), F.col("json"), F.lit(f',"\\u{ord(_MARK):04x}"]'))
    whole = F.is_valid_utf8("json") & (F.octet_length("json") <= LONGEST)
    parsed = records.withColumn("o", F.when(whole, F.try_parse_json(marked)))
    one = (
        F.try_variant_get("o", "$[1]", "string").eqNullSafe(_MARK) & F.try_variant_get("o", "$[2]", "variant").isNull()
    )
    keys = F.try_variant_get("o", "$[0]", "map<string,variant>")
    return parsed.withColumn("good", one & keys.isNotNull())


def _unknown(reading: Reading, *, filled: bool = False) -> Column:
    """Keys of an object that the contract doesn't have; with `filled` only those that have a value."""
    from pyspark.sql import functions as F  # noqa: N812

    known = F.array(*[F.lit(name) for name in reading.contract.given]).cast("array<string>")
    found = F.try_variant_get("o", "$[0]", "map<string,variant>")
    if filled:
        found = F.map_filter(found, lambda _, value: ~F.is_variant_null(value))
    return F.array_except(F.map_keys(found), known)


class _Reader:
    def __init__(self, reading: Reading, objects: Objects, new: Sequence[str]) -> None:
        self.reading, self.objects, self.new = reading, objects, new

    def parse(self, *, numbered: bool) -> Parsed:
        from pyspark.sql import functions as F  # noqa: N812

        kinds = self._kinds()
        objects = _parsed(self.objects.read(self.reading.tell(numbered=numbered)))
        whole = F.col("whole") if "whole" in objects.columns else None
        kept = ["value", "file", "line", "o", "good", *(["whole"] if whole is not None else [])]
        texts = [self._text(name).alias(f"t{place}") for place, name in enumerate(kinds)]
        cells = [self._cell(f"t{place}", name, kind) for place, (name, kind) in enumerate(kinds.items())]
        judged = judge(self.reading, objects.select(*kept, *texts), cells)
        return Parsed(
            frame=judged.frame,
            values=judged.values,
            broken=self._broken(),
            wrong=(*judged.wrong, *self._unwanted()),
            outside=judged.outside,
            raw=readable(F.col("value")),
            file=F.col("file"),
            line=F.col("line"),
            promised=promised(self.reading, F.col("value")),
            whole=whole,
        )

    def _kinds(self) -> dict[str, Any]:
        from pyspark.sql.types import StringType

        kinds: dict[str, Any] = self.reading.contract.given | dict.fromkeys(self.new, StringType())
        if not kinds:
            self._refuse_unreadable()
            raise DataError(
                "no object has a key, and there is no contract: the dataset has no columns",
                where=self.reading.context.where,
                remedy="name the columns",
            )
        return kinds

    def _refuse_unreadable(self) -> None:
        """See that there are no columns because there are no records, and not because a file can't be read.

        Raises:
            DataError: one can't.
        """
        records = self.objects.read("file")
        error = unreadable_file(records) if "whole" in records.columns else None
        if error is not None:
            raise error

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
        if isinstance(kind, (T.FloatType, T.DoubleType)):
            value = F.when(~_beyond_double(name, text), value)
        return Cell(name=name, given=given, typed=value, kind=kind)

    def _broken(self) -> tuple[Problem, ...]:
        from pyspark.sql import functions as F  # noqa: N812

        none = ~F.coalesce("good", F.lit(False))
        problem = Problem(rule=self.objects.rule, when=none, message=F.lit(self.objects.told))
        return (*unreadable(F.col("value")), problem)

    def _unwanted(self) -> list[Problem]:
        from pyspark.sql import functions as F  # noqa: N812

        if self.reading.contract.new_columns != "quarantine":
            return []
        keys = _unknown(self.reading, filled=True)
        told = F.concat(F.lit("keys outside the contract: "), F.array_join(keys, ", "))
        return [Problem(rule="new columns", when=F.coalesce(F.size(keys), F.lit(0)) > 0, message=told)]


def _beyond_double(name: str, text: Column) -> Column:
    """Whether a value is a number such as 1e400, which the parser makes infinite; not so the text `Infinity`."""
    from pyspark.sql import functions as F  # noqa: N812

    number = F.schema_of_variant(F.try_variant_get("o", _path(name), "variant")) == "DOUBLE"
    return F.coalesce(text.isin("Infinity", "-Infinity") & number, F.lit(False))


def _nested(text: Column, kind: DataType, zone: str) -> Column:
    """An array, map or struct; null where any value in it doesn't fit."""
    from pyspark.sql import functions as F  # noqa: N812

    options = {"columnNameOfCorruptRecord": "bad", "timeZone": zone}
    wrapped = F.from_json(F.concat(F.lit('{"v":'), text, F.lit("}")), f"v {kind.simpleString()}, bad STRING", options)
    fits = wrapped["bad"].isNull()
    if any(word in kind.simpleString() for word in ("double", "float")):
        # A number such as 1e400 became infinite: nothing in the record says so.
        beyond = F.contains(F.to_json(wrapped), F.lit("Infinity")) & ~F.contains(F.col("value"), F.lit("Infinity"))
        fits = fits & ~F.coalesce(beyond, F.lit(False))
    return F.when(fits, wrapped["v"])


def _path(name: str) -> str:
    """The path of a key as Spark wants it; a name can't hold both kinds of quotes.

    Raises:
        DataError: it does.
    """
    if "'" in name and '"' in name:
        raise DataError(f"key {name!r} holds both kinds of quotes", expected="one kind at most")
    return f'$[0]["{name}"]' if "'" in name else f"$[0]['{name}']"
