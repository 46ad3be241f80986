"""Format `logs`: lines of web servers and applications."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from spark_jobs.extract import json_lines
from spark_jobs.extract.cells import Reading
from spark_jobs.extract.fields import Fields
from spark_jobs.extract.lines import Tell, lines, unmarked, unreadable
from spark_jobs.extract.patterns import Pattern, pattern
from spark_jobs.extract.records import Parsed, Problem
from spark_jobs.filesystem import refuse_disguises

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

MATCHED: Final = 64 * 1024  # bytes of the longest line that is held against a regular expression
_BEGIN, _BETWEEN = "\x1e", "\x1f"
# key=value key="a \"quoted\" value"; see github.com/kr/logfmt and its Go and Ruby siblings.
_PAIR: Final = r'([^\s="]+)=("(?:[^"\\]|\\.)*+"|[^\s"]*)'
_LOGFMT: Final = rf"(?s)\A\s*(?:{_PAIR}(?:\s+|\z))++\z"


def parser(reading: Reading, text: str) -> Callable[[bool], list[Parsed]]:
    """Gives the records of log files; its argument says whether lines are to be numbered.

    Args:
        reading: files and contract.
        text: `common`, `combined`, `logfmt`, `json`, or a regular expression with named groups.

    Raises:
        DataError: a file isn't compressed as its name says, or is UTF-16; columns don't fit the contract.
    """
    if text == "json":
        return json_lines.parser(reading)
    if text == "logfmt":
        return json_lines.parser(reading, _logfmt(reading))
    refuse_disguises(reading.context.spark, reading.files)
    return _matcher(reading, pattern(text))


def _matcher(reading: Reading, wanted: Pattern) -> Callable[[bool], list[Parsed]]:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    names, place = list(wanted.groups), reading.told
    new = reading.new_columns([(name, place) for name in reading.contract.fit(names, place)])
    fields, record = Fields(reading=reading, names=names, new=new), F.col("value")
    problem = Problem(rule="pattern", when=~F.col("matched"), message=F.lit("the line isn't as the pattern says"))

    def parse(numbered: bool) -> list[Parsed]:
        found = lines(reading.context.spark, reading.files, reading.tell(numbered=numbered))
        cut = _groups(found.where(F.octet_length(record) > 0), wanted)
        texts = fields.texts([F.get("g", F.lit(place)) for place in range(len(names))])
        frame = cut.select("value", "file", "line", F.col("g").isNotNull().alias("matched"), *texts)
        return [fields.parsed(frame, [*unreadable(record), _too_long(record), problem], record)]

    return parse


def _too_long(record: Column) -> Problem:
    from pyspark.sql import functions as F  # noqa: N812

    message = F.lit(f"a line of more than {MATCHED:,} bytes isn't held against a pattern")
    return Problem(rule="too_long", when=F.octet_length(record) > MATCHED, message=message)


def _groups(records: DataFrame, wanted: Pattern) -> DataFrame:
    """The groups' texts as `g` by one match; null where a line doesn't match, or holds the letters that part them."""
    from pyspark.sql import functions as F  # noqa: N812

    line = unmarked(F.col("value"))
    template = _BEGIN + _BETWEEN.join(f"${number}" for number in wanted.groups.values())
    plain = (F.octet_length(line) <= MATCHED) & ~line.rlike(f"[{_BEGIN}{_BETWEEN}]")
    made = records.withColumn("made", F.when(plain, F.regexp_replace(line, wanted.java, template)))
    groups = F.split(F.substr("made", F.lit(2)), _BETWEEN)
    return made.withColumn("g", F.when(F.startswith("made", F.lit(_BEGIN)), groups))


def _logfmt(reading: Reading) -> json_lines.Objects:
    told = "no line of key=value, or one with a key twice"
    return json_lines.Objects(read=lambda tell: _objects(reading, tell), rule="logfmt", told=told)


def _objects(reading: Reading, tell: Tell) -> DataFrame:
    """Lines of key=value, each as a JSON object of texts; `json` is null where a line is none, or has a key twice."""
    from pyspark.sql import functions as F  # noqa: N812

    record = lines(reading.context.spark, reading.files, tell).where(F.trim("value") != "")
    line = unmarked(F.col("value"))
    keys, values = (F.regexp_extract_all(line, F.lit(_PAIR), F.lit(group)) for group in (1, 2))
    fine = (F.octet_length(line) <= MATCHED) & line.rlike(_LOGFMT)
    pairs = record.withColumn("keys", F.when(fine, keys))
    pairs = pairs.withColumn("values", F.transform(F.when(fine, values), _unquoted))
    once = (F.size(F.array_distinct("keys")) == F.size("keys")) & ~F.exists("values", F.isnull)
    return pairs.withColumn("json", F.when(once, F.to_json(F.map_from_arrays("keys", "values"))))


def _unquoted(value: Column) -> Column:
    """A value without its quotes and escapes, which are JSON's."""
    from pyspark.sql import functions as F  # noqa: N812

    text = F.from_json(F.concat(F.lit("["), value, F.lit("]")), "array<string>")
    return F.when(F.startswith(value, F.lit('"')), F.get(text, F.lit(0))).otherwise(value)
