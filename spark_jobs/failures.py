"""What an exception from Spark means: its class decides whether a retry makes sense, its text what to do."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError, ResourceError
from spark_jobs.jdbc.failures import meant
from spark_jobs.object_store.failures import meant as meant_by_s3

_MEMORY: Final = ("OutOfMemoryError", "Java heap space", "GC overhead limit", "UNABLE_TO_ACQUIRE_MEMORY")
_DISK: Final = ("No space left on device", "Disk quota exceeded")
_TYPES: Final = ("DELTA_FAILED_TO_MERGE_FIELDS", "DELTA_MERGE_INCOMPATIBLE_DATATYPE", "CANNOT_MERGE_SCHEMAS")
_VALUES: Final = (
    "CAST_INVALID_INPUT",
    "DIVIDE_BY_ZERO",
    "ARITHMETIC_OVERFLOW",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST_OVERFLOW",
)
_RAISED: Final = re.compile(r"\[USER_RAISED_EXCEPTION\] (.*)")
_VALUE: Final = re.compile(r"The value .*?(?= of the type|$)")  # as Spark's CAST_INVALID_INPUT begins
_CORRUPT: Final = (
    "EOFException",
    "ZipException",
    "not in gzip format",
    "is not a Parquet file",
    "FAILED_READ_FILE",
    "incorrect header check",
    "ZstdIOException",
    "Invalid sync!",
)


def classify(error: BaseException, where: str = "") -> EtlError:
    """The error as one of ours, with its cause as far as it is known.

    Args:
        error: whatever was raised.
        where: place in the pipeline file that was at work.
    """
    if isinstance(error, EtlError):
        return error
    text = str(error)
    if _any(text, _MEMORY) or isinstance(error, MemoryError):
        return ResourceError(
            "Spark ran out of memory", where=where, remedy="raise the engine's `memory` in the environment file"
        )
    if _any(text, _DISK):
        return ResourceError(
            first_line(text), where=where, remedy="free disk space where staging and Spark's local files are"
        )
    return meant(text, where) or meant_by_s3(text, where) or _by_condition(error, text, where)


def without_values(error: EtlError) -> EtlError:
    """An error that doesn't say which value of the data was at fault."""
    what = _VALUE.sub("The value ***", error.what)
    return type(error)(what, where=error.where, expected=error.expected, remedy=error.remedy)


def _by_condition(error: BaseException, text: str, where: str) -> EtlError:
    raised = _RAISED.search(text)
    if raised:
        # A step's own words, its place among them.
        return DataError(raised[1].split(" SQLSTATE")[0].removeprefix(f"{where}: "), where=where)
    if _any(text, _TYPES):
        return DataError(
            first_line(text),
            where=where,
            expected="the types that the table has",
            remedy="add a cast step, or load a new table",
        )
    if _any(text, _VALUES):
        return DataError(
            first_line(text),
            where=where,
            remedy="cast with the cast step (quarantines), or use the try_ form of the function",
        )
    if _any(text, _CORRUPT):
        return DataError(
            first_line(text),
            where=where,
            expected="a file that can be read to its end",
            remedy="ask for the file again",
        )
    if type(error).__name__ in ("AnalysisException", "ParseException", "IllegalArgumentException"):
        return ConfigError(first_line(text), where=where)
    return InfrastructureError(first_line(text) or type(error).__name__, where=where)


def _any(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


def first_line(text: str) -> str:
    """The line that says what went wrong, without Java's stack and Spark's plans, at most 500 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"^(: )?(\[[A-Z_.]+\]|[\w.$]+(Exception|Error): )", line)]
    line = (told or lines or [""])[0]
    return re.sub(r"^(: )?([\w.$]+(Exception|Error): )?", "", line)[:500]
