"""Files that came twice, under two names: told apart by their content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from spark_jobs.session import FileStat, digest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def found(spark: SparkSession, files: Sequence[FileStat]) -> dict[str, str]:
    """File -> the first one by path that has the same content, in the order of their paths.

    Only files of the same size are read for it, on the driver; empty ones have no content to repeat.

    Args:
        spark: a classic session.
        files: with sizes in bytes.
    """
    alike: dict[tuple[int, str], list[FileStat]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.path):
        if file.size:
            alike[file.size, _folders(file)].append(file)
    several = [file for group in alike.values() if len(group) > 1 for file in group]
    with ThreadPoolExecutor(max_workers=8) as pool:
        sums = list(pool.map(lambda file: digest(spark, file.path, "SHA-256"), several))
    first: dict[tuple[str, str], str] = {}
    again = {}
    for file, content in sorted(zip(several, sums, strict=True), key=lambda pair: pair[0].path):
        earlier = first.setdefault((content, _folders(file)), file.path)
        if earlier != file.path:
            again[file.path] = earlier
    return again


def _folders(file: FileStat) -> str:
    """The columns that its folders hold: `day=2013-01-01/hour=7`; those that a glob has matched too."""
    return "/".join(part for part in file.path.split("/")[:-1] if "=" in part)
