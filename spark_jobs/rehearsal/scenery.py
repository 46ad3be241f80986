"""What a scene begins with: samples where sources read, and copies of tables."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError
from spark_jobs.failures import first_line
from spark_jobs.session import Storage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOG: Final = "_delta_log"


def put(spark: SparkSession, sample: Mapping[str, Any]) -> None:
    """Put a sample where its source reads.

    Args:
        spark: the session.
        sample: `path` and `text`; or `path`, `format`, `columns` (name -> type), `rows` (JSON texts), `zone`.

    Raises:
        DataError: a row doesn't fit the types.
    """
    path = Path(sample["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    if sample.get("text") is not None:
        path.write_bytes(sample["text"].encode("utf-8", "surrogatepass"))
        return
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    columns = ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in sample["columns"].items())
    texts = spark.createDataFrame([(row,) for row in sample["rows"]], "value STRING")
    options = {"mode": "FAILFAST", "timeZone": sample["zone"]}
    try:
        rows = texts.select(F.from_json("value", columns, options).alias("row")).select("row.*")
        rows.coalesce(1).write.format(sample["format"]).mode("overwrite").save(str(path))
    except (PySparkException, Py4JJavaError) as error:
        field = re.search(r"Cannot parse the field name .* to target Spark data type \S+", str(error))
        raise DataError(
            f"the sample doesn't fit its types: {field[0] if field else first_line(str(error))}",
            where=path.name,
            expected=columns,
            remedy="mend the rows, or give `columns`",
        ) from error


def copy_table(spark: SparkSession, source: str, target: Path) -> None:
    """Copy a Delta table's folder; nothing happens where there is none.

    The log goes first: somebody may commit meanwhile, and what a log names is there before the log says so. Data files
    are never written again once they are there, so they are linked where that is possible; the log is really copied:
    `_last_checkpoint` is written again.
    """
    if "://" in source:
        _copy_out(Storage(spark, source), source, target)
    elif Path(source, _LOG).is_dir():
        for log in [Path(source, _LOG), *Path(source).glob(f"_etl_*/*/{_LOG}")]:  # and those of what stands beside it
            shutil.copytree(log, target / log.relative_to(source))
        ignore = shutil.ignore_patterns(_LOG)
        shutil.copytree(source, target, copy_function=_link_or_copy, ignore=ignore, dirs_exist_ok=True)


def _copy_out(storage: Storage, source: str, target: Path) -> None:
    if not storage.exists(f"{source}/{_LOG}"):
        return
    target.mkdir(parents=True)
    storage.copy_out(f"{source}/{_LOG}", str(target / _LOG))
    for name, _ in storage.names(source):
        if name != _LOG:
            storage.copy_out(f"{source}/{name}", str(target / name))


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
