"""Regular expressions of checks: refused where they are none."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import shortened
from spark_jobs.flow import Context

# What Python and Java say alike of an expression that neither takes; all else Java alone can tell.
_SURE: Final = re.compile(r"missing \), unterminated|unterminated character set|unbalanced parenthesis")


def doubtful(regex: str) -> dict[str, str]:
    """Why a text certainly is no Java regular expression, before there is a Java: option -> why."""
    try:
        re.compile(regex)
    except re.error as reason:
        if _SURE.match(reason.msg):
            return {"regex": f"{regex!r} is no regular expression: {reason}"}
    except OverflowError as reason:  # Java's largest repetition is smaller than Python's
        return {"regex": f"{regex!r} is no regular expression: {reason}"}
    except RecursionError:
        return {}  # groups as deep as Java alone can tell whether it takes them
    return {}


def refuse_bad_regex(regex: str, context: Context) -> None:
    """See that a text is a Java regular expression.

    Raises:
        ConfigError: it isn't.
    """
    from pyspark.errors import PySparkException

    try:
        context.spark.sql("SELECT '' AS text").select(column("text").rlike(regex)).collect()
    except PySparkException as reason:
        raise ConfigError(
            f"{regex!r} is no regular expression: {shortened(reason)}", where=f"{context.where}.regex"
        ) from reason
