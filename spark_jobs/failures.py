"""What an exception from Spark means: its class decides whether a retry makes sense, its text what to do."""

from __future__ import annotations

import re
import signal
from typing import Final

from spark_jobs import gateway
from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError, ResourceError
from spark_jobs.hiding import cut
from spark_jobs.jdbc.failures import meant
from spark_jobs.object_store.failures import meant as meant_by_s3

_MEMORY: Final = ("OutOfMemoryError", "Java heap space", "GC overhead limit", "UNABLE_TO_ACQUIRE_MEMORY")
_RAISE: Final = "raise the engine's `memory` in the environment file"
_OUT_OF_MEMORY: Final = 52  # as org.apache.spark.util.SparkExitCode has it
_BROKEN: Final = (
    *("Py4JNetworkError", "Connection refused", "Connection reset", "Answer from Java side is empty"),
    "does not exist in the JVM",  # what py4j makes of no answer to the question for a class
)
"""How the way to Java tells that nobody is there."""
DISK: Final = ("No space left on device", "Disk quota exceeded")
MAKE_ROOM: Final = "free disk space where tables, staging and Spark's local files (TMPDIR) are"
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
UNRECORDED: Final = "DELTA_MISSING_CHANGE_DATA"
AGAIN: Final = "let it record them, and load it into another table (`path`): its first window gets all of it"
_REMEDIES: Final = {
    UNRECORDED: AGAIN,
    "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES": "rename the columns (step `rename`)",
}
_GONE: Final = ("FAILED_READ_FILE.FILE_NOT_EXIST", "DELTA_CHANGE_DATA_FILE_NOT_FOUND")
_STAY: Final = (
    "files that stay while they are read",
    "run the window again; where an older version of a table is read, VACUUM has removed its files",
)
_WHOLE: Final = ("a file that can be read to its end", "ask for the file again")
_CORRUPT: Final = (
    "EOFException",
    "ZipException",
    "not in gzip format",
    "is not a Parquet file",
    "FAILED_READ_FILE",
    "incorrect header check",
    "ZstdIOException",
    "Invalid sync!",
    "DELTA_CHANGE_DATA_FILE_NOT_FOUND",
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
    # The causes, which PySpark knows and leaves out of an error's text.
    causes = str(getattr(error, "_stackTrace", ""))
    if _any(text + causes, _MEMORY) or isinstance(error, MemoryError):
        return ResourceError("Spark ran out of memory", where=where, remedy=_RAISE)
    if _any(text + causes, DISK):
        line = next((line for line in causes.splitlines() if _any(line, DISK)), text)
        return ResourceError(first_line(line.removeprefix("Caused by: ")), where=where, remedy=MAKE_ROOM)
    return meant(text, where) or meant_by_s3(text, where) or _by_condition(error, text, where)


def of_java(error: BaseException, where: str = "") -> EtlError | None:
    """What an error means that came because the driver's Java has ended; None where it still runs.

    Args:
        error: whatever was raised.
        where: place in the pipeline file that was at work.
    """
    if isinstance(error, EtlError) or not _any(f"{type(error).__name__}: {error}", _BROKEN):
        return None
    # What Java itself has said came while it ran: of whomever it couldn't reach, such as a database.
    code = gateway.lost(0) if _said_by_java(error) else gateway.lost()
    if code is None:
        return None
    if code == _OUT_OF_MEMORY:
        return ResourceError("Java ran out of memory and ended", where=where, remedy=_RAISE)
    if code == -signal.SIGKILL:
        what = f"Java was killed (exit code {code}), most likely for want of memory"
        return ResourceError(what, where=where, remedy=f"{_RAISE}, or run fewer windows at once")
    return InfrastructureError(f"Java ended with exit code {code}", where=where, remedy="its own words are above")


def _said_by_java(error: BaseException) -> bool:
    """Whether an exception of Java's is behind an error: as PySpark has it, or py4j."""
    return hasattr(error, "_stackTrace") or hasattr(error, "java_exception")


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
        expected, remedy = _STAY if _any(text, _GONE) else _WHOLE
        return DataError(first_line(text), where=where, expected=expected, remedy=remedy)
    if type(error).__name__ in ("AnalysisException", "ParseException", "IllegalArgumentException"):
        return ConfigError(first_line(text), where=where, remedy=_REMEDIES.get(_known(text), ""))
    return InfrastructureError(first_line(text) or type(error).__name__, where=where)


def _known(text: str) -> str:
    """Of the conditions with a remedy the one that a text names."""
    return next((mark for mark in _REMEDIES if mark in text), "")


def _any(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


def first_line(text: str) -> str:
    """The line that says what went wrong, without Java's stack and Spark's plans, at most 500 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"^(: )?(\[[A-Z_.]+\]|[\w.$]+(Exception|Error): )", line)]
    line = (told or lines or [""])[0]
    return cut(re.sub(r"^(: )?([\w.$]+(Exception|Error): )?", "", line), 500)
