"""Regular expressions of checks: refused where they are none."""

from __future__ import annotations

import re
import warnings
from typing import Final

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import shortened
from spark_jobs.flow import Context

# What Python and Java say alike of an expression that neither takes; all else Java alone can tell.
_SURE: Final = re.compile(
    r"missing \), unterminated|unterminated character set|unbalanced parenthesis|min repeat greater than max"
    r"|bad escape \(end of pattern\)|missing -, : or \)|bad character range [^\\]-[^\\]$"
)
_NOTHING: Final = "nothing to repeat"
_BEFORE_NOTHING: Final = ("(", "|", "(?:")  # after an anchor Java takes it
_PYTHONS: Final = re.compile(r"\(\?P[<=>]")
# To Python a brace that is no repetition stands for itself, to Java it is an error.
_BRACE: Final = re.compile(r"\{(?!\d+(?:,\d*)?\})")
_BESIDE: Final = re.compile(r"\\[pPxN]\{[^{}]*\}|\\.|\[[^\[\]]*\]", re.DOTALL)
_COMMENTED: Final = re.compile(r"\(\?[a-zA-Z]*x")
_PLAIN: Final = re.compile(r"\\.|\[[^\]]*\]", re.DOTALL)


def doubtful(regex: str) -> dict[str, str]:
    """Why a text certainly is no Java regular expression, before there is a Java: option -> why."""
    if "\\Q" not in regex and _PYTHONS.search(_PLAIN.sub("", regex)):
        return {"regex": f"{regex!r} is no regular expression: (?P is Python's; Java has (?<name>…) and \\k<name>"}
    if _loose_brace(regex):
        return {"regex": f"{regex!r} is no regular expression: a brace that is no repetition; \\{{ is the sign itself"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sets within sets, which Java has and Python may have one day
            re.compile(regex)
    except re.error as reason:
        if _SURE.match(reason.msg) or _repeats_nothing(reason, regex):
            return {"regex": f"{regex!r} is no regular expression: {reason}"}
    except OverflowError as reason:  # Java's largest repetition is smaller than Python's
        return {"regex": f"{regex!r} is no regular expression: {reason}"}
    except RecursionError:
        return {}  # groups as deep as Java alone can tell whether it takes them
    return {}


def _loose_brace(regex: str) -> bool:
    """Whether a brace certainly is neither quoted nor a repetition."""
    rest = _BESIDE.sub("", regex)
    unclear = "\\Q" in regex or _COMMENTED.search(regex) or "[" in rest or "]" in rest
    return not unclear and _BRACE.search(rest) is not None


def _repeats_nothing(reason: re.error, regex: str) -> bool:
    before = regex[: reason.pos or 0]
    return reason.msg == _NOTHING and (not before or before.endswith(_BEFORE_NOTHING))


def refuse_bad_regex(regex: str, context: Context) -> None:
    """See that a text is a Java regular expression.

    Raises:
        ConfigError: it isn't.
    """
    from pyspark.errors import PySparkException

    try:
        # A table of values is computed by the driver: no task fails, and none writes its trace into the log.
        context.spark.sql("SELECT text FROM VALUES ('') AS t(text)").select(column("text").rlike(regex)).collect()
    except PySparkException as reason:
        raise ConfigError(
            f"{regex!r} is no regular expression: {shortened(reason)}",
            where=f"{context.where}.regex",
            expected="a regular expression of Java",
            remedy="put a backslash before each of \\ { } [ ] ( ) * + ? . ^ $ | that is meant as it stands",
        ) from reason
