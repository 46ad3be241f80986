"""Spark SQL that people wrote: what Spark makes of it, or an error that says where and why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import listed, nearest
from spark_jobs.connect.plans import plan_of
from spark_jobs.errors import ConfigError
from spark_jobs.relations import refuse_tables

if TYPE_CHECKING:
    from pyspark.errors import PySparkException
    from pyspark.sql import Column, DataFrame

_ONE: Final = "one Spark SQL expression"
_UNPARSED: Final = ("PARSE_", "INVALID_SQL_SYNTAX")
# The word anywhere, since comments and quotes can stand between a name and its parenthesis.
_CODE: Final = re.compile(r"\b(reflect|try_reflect|java_method)\b", re.IGNORECASE)
# IDENTIFIER('ref' || 'lect') names it without the word; blanks may be any of Unicode's.
_NAMING: Final = re.compile(r"\bidentifier\b(?:\s|[^\x00-\x7f])*(?=\(|/\*|--)", re.IGNORECASE)
# Tables by their paths, and options that name files; a schema may hold map<…>.
_TABLES: Final = re.compile(r"\btable_changes\w*", re.IGNORECASE)
_FILES: Final = re.compile(r"\b(?:from|to)_protobuf\b", re.IGNORECASE)
_OPTIONS: Final = re.compile(r"\b(?:from|schema_of)_(?:avro|xml)\b", re.IGNORECASE)
_MAP: Final = re.compile(r"\bmap\b(?!\s*<)", re.IGNORECASE)
# The nodes of a plan that may end before their rows do; at the start of a line, behind its branches.
_STOPS: Final = re.compile(
    r"^[\s:+-]*'?(?:Global|Local)?(?:Limit|Offset|Tail|Join|AsOfJoin|Sample|Intersect|Except)", re.MULTILINE
)
_UNRESOLVED: Final = ("UNRESOLVED_COLUMN", "UNRESOLVED_FIELD")


def scalar(text: str, rows: DataFrame, where: str) -> Column:
    """One expression that gives one value for each row.

    Raises:
        ConfigError: Spark refuses it, or it is more or less than that: an alias, an aggregate, `explode`.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    # Beside the other columns an aggregate is refused, and inside a struct so is what makes several rows.
    analysed(lambda: rows.select("*", *[F.struct(form) for form in forms(text, where)]), rows.columns, where, text)
    return F.expr(text)


def forms(text: str, where: str) -> tuple[Column, Column]:
    """The text bare and in parentheses; it is one expression where Spark takes both.

    Bare, `1) + (2` is none; in parentheses, the alias `a b` isn't.

    Raises:
        ConfigError: it stands for all columns, or calls Java code.
    """
    from pyspark.sql import functions as F  # noqa: N812

    refuse_code(text, where)
    if text.rstrip().endswith("*"):
        raise ConfigError(f"{text!r} is several columns", where=where, expected=_ONE)
    return F.expr(text), F.expr(f"({text}\n)")


def refuse_code(text: str, where: str) -> None:
    """See that a text calls no Java method: authors of pipeline files aren't trusted to run code, or to read files.

    Raises:
        ConfigError: it names a function that does, or makes a name of a text, which may be that of such a function; or
            one that reads files or tables by their paths.
    """
    found = _CODE.search(text)
    if found:
        raise ConfigError(f"{found[0]} runs Java code", where=where, expected="Spark SQL's other functions")
    if _NAMING.search(text):
        raise ConfigError(
            "IDENTIFIER(…) makes a name of a text",
            where=where,
            expected="the name itself",
            remedy="write it there; a column that is called so stands in backticks before a comment",
        )
    found, options = _TABLES.search(text) or _FILES.search(text), _OPTIONS.search(text)
    if found:
        raise ConfigError(f"{found[0]} reads what isn't given", where=where, expected="datasets and their columns")
    if options and _MAP.search(text):
        raise ConfigError(
            f"{options[0]} with options reads files",
            where=where,
            expected="none beside a map: its options are one",
            remedy="leave them out, or make the map in a step of its own",
        )


def analysed(build: Callable[[], DataFrame], columns: Sequence[str], where: str, text: str | None = None) -> DataFrame:
    """A DataFrame whose names and types Spark has resolved: no data is read.

    Args:
        build: makes it.
        columns: the columns that its expressions may name, for the error.
        where: place in the pipeline file.
        text: what was written there, for the error.

    Raises:
        ConfigError: an unknown column or function, types that don't fit, a syntax error, a program, a table.
    """
    from pyspark.errors import AnalysisException, ArithmeticException, IllegalArgumentException, ParseException

    try:
        rows = build()
        rows.schema  # noqa: B018 - over Spark Connect a plan is resolved only when it is asked for
    except (AnalysisException, ParseException, ArithmeticException, IllegalArgumentException) as reason:
        raise _explained(reason, columns, where, text) from reason
    if text is not None:
        refuse_programs(rows, text, where)
        refuse_tables(rows, text, where)
    return rows


def refuse_programs(rows: DataFrame, text: str, where: str) -> None:
    """See that a text runs no program: authors of pipeline files aren't trusted to. Nothing has run yet.

    Args:
        rows: what Spark makes of it: its own parser knows every spelling.
        text: what was written.
        where: place in the pipeline file.

    Raises:
        ConfigError: it has `TRANSFORM … USING`, or one of its other spellings.
    """
    # In capitals, as Spark's lexer reads it: those of a long s and of a dotless i are S and I.
    if "USING" in text.upper() and "ScriptTransformation" in plan_of(rows, "analyzed"):
        raise ConfigError("TRANSFORM … USING runs a program", where=where, expected="Spark SQL's functions")


def stops_early(rows: DataFrame, given: DataFrame) -> bool:
    """Whether Spark may leave given rows half read for others that are made of them: by a limit, a join, a sample."""

    def nodes(frame: DataFrame) -> int:
        return len(_STOPS.findall(plan_of(frame, "analyzed")))

    return nodes(rows) > nodes(given)


def _explained(reason: PySparkException, columns: Sequence[str], where: str, text: str | None) -> ConfigError:
    about = f" in {text!r}" if text is not None else ""
    if str(reason.getCondition() or "").startswith(_UNRESOLVED):
        name = str((reason.getMessageParameters() or {}).get("objectName", "")).strip("`").replace("`.`", ".")
        return ConfigError(
            f"unknown column {name!r}{about}",
            where=where,
            expected=f"one of {listed(columns)}",
            remedy=nearest(name, columns),
        )
    if str(reason.getCondition() or "").startswith(_UNPARSED) and text is not None:
        return ConfigError(f"{text!r} is no expression: {shortened(reason)}", where=where, expected=_ONE)
    return ConfigError(
        f"Spark refuses it{about}: {shortened(reason)}", where=where, expected=f"columns are {listed(columns)}"
    )


def shortened(reason: PySparkException, limit: int = 300) -> str:
    """Spark's reason in one line, without its plan, code and SQLSTATE."""
    text = str(reason).strip().split("\n\n")[0].split(" SQLSTATE")[0]
    text = re.sub(r"^\[[A-Z0-9_.]+\] ", "", " ".join(text.split()))
    text = text.removesuffix(".")
    return text if len(text) <= limit else text[: limit - 1] + "…"
