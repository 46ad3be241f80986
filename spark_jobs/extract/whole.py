"""Files that can't be cut: each is read as a whole by one task, by a Python function on the executors.

Nothing here is imported by the executors by name: functions travel with the job, as they may have no copy of this
package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from spark_jobs.errors import DataError
from spark_jobs.filesystem import escaped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

    from spark_jobs.extract.cells import Reading

LARGEST: Final = 512 * 1024 * 1024
_AGAIN: Final = "ask for the file again"
_ROWS: Final = 1000  # of a batch that goes from Python to Spark
_BYTES: Final = 8 * 1024 * 1024

Record = dict[str, Any]
Split = Callable[[bytes], Iterator[Record]]
"""Takes a file's bytes and gives its records; a ValueError says why the file can't be read."""


def refuse_unfit(reading: Reading) -> None:
    """See that no file is too large to be read as a whole, empty, or compressed in a way that Python doesn't undo.

    Raises:
        DataError: one is.
    """
    for file in reading.files:
        if file.size > LARGEST:
            raise DataError(
                f"the file has {file.size:,} bytes, and one task has to read it as a whole",
                where=file.path,
                expected=f"at most {LARGEST:,} bytes",
                remedy="have it delivered in pieces, or in a format with a record a line",
            )
        if not file.size:
            # Spark skips such files; no document, workbook or archive is empty.
            raise DataError("the file is empty", where=file.path, expected="a whole document", remedy=_AGAIN)
        if file.path.lower().endswith(".zst"):
            raise DataError("this compression isn't read here", where=file.path, expected="no compression, .gz or .bz2")


def records(reading: Reading, split: Split, schema: str) -> DataFrame:
    """The records of files: `file`, `whole` (why the file can't be read, else null), and what a function finds in them.

    Args:
        reading: the files.
        split: the function; what a name's end says is compressed, it gets without.
        schema: DDL of its records.
    """
    from pyspark import cloudpickle
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
    from pyspark.sql.pandas.types import to_arrow_schema
    from pyspark.sql.types import DataType

    from spark_jobs.extract.lines import source_file

    for module in (__name__, split.__module__):
        cloudpickle.register_pickle_by_value(sys.modules[module])  # type: ignore[no-untyped-call]
    paths = [escaped(file.path) for file in reading.files]
    files = reading.context.spark.read.format("binaryFile").load(paths)
    kind = cast("StructType", DataType.fromDDL(f"file string, whole string, {schema}"))
    made = _mapper(split, to_arrow_schema(kind))
    return files.select(source_file().alias("file"), F.col("content")).mapInArrow(made, kind)


def _mapper(split: Split, schema: Any) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def batches(given: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa  # type: ignore[import-untyped]

        for batch in given:
            for file, content in zip(batch["file"], batch["content"], strict=True):
                for made in _batches(file.as_py(), content.as_py(), split):
                    yield pa.RecordBatch.from_pylist(made, schema=schema)

    return batches


def _batches(file: str, content: bytes, split: Split) -> Iterator[list[Record]]:
    """A file's records in batches; a file that can't be read ends with one that says why."""
    made: list[Record] = []
    size = 0
    try:
        for record in split(expanded(file, content)):
            made.append({"file": file, **record})
            size += len(record.get("value") or "")
            if len(made) >= _ROWS or size > _BYTES:
                yield made
                made, size = [], 0
    except (ValueError, OSError, EOFError, RecursionError) as error:
        made.append({"file": file, "whole": str(error) or type(error).__name__})
    if made:
        yield made


def expanded(file: str, content: bytes) -> bytes:
    """A file's bytes without the compression that its name tells.

    Raises:
        ValueError: it isn't compressed so, isn't whole, or holds more than may be read at once.
    """
    import bz2
    import gzip
    import io
    import zlib

    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
    opener = next((openers[end] for end in openers if file.endswith(end)), None)
    if opener is None:
        return content
    with opener(io.BytesIO(content)) as stream:
        try:
            made: bytes = stream.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"the file can't be decompressed: {error}") from error
    if len(made) > LARGEST:
        raise ValueError(f"the file has more than {LARGEST:,} bytes once it is decompressed")
    return made
