"""Manifests beside files: `orders.csv.manifest.json` says how many rows, how many bytes and which checksum it has.

`{"rows": 120, "size": 4096, "sha256": "9f86…"}`; any of `rows`, `size` (bytes as stored), `sha256`, `md5` (of the bytes
as stored, hexadecimal); other keys are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError
from spark_jobs.session import FileStat, digest, small_text

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENDING: Final = ".manifest.json"
_COUNTS: Final = ("rows", "size")
_DIGESTS: Final = {"sha256": "SHA-256", "md5": "MD5"}
_LIMIT: Final = 1024 * 1024


def without(files: Sequence[FileStat]) -> tuple[FileStat, ...]:
    """The files without the manifests beside them.

    Raises:
        DataError: a manifest is there, and the file it belongs to isn't.
    """
    data = tuple(file for file in files if not file.path.endswith(ENDING))
    there = {file.path for file in data}
    for file in files:
        if file.path.endswith(ENDING) and file.path.removesuffix(ENDING) not in there:
            raise DataError(
                "a manifest without its file",
                where=file.path,
                expected=f"the file {file.path.removesuffix(ENDING).rpartition('/')[2]}",
                remedy="wait for the file, or ask for it",
            )
    return data


def rows(spark: SparkSession, files: Sequence[FileStat], *, required: bool) -> dict[str, int]:
    """File -> the rows that its manifest promises; size and checksum are held against the file at once.

    Raises:
        DataError: a manifest can't be read or says nothing, or the file isn't as it says; one is missing where it is
            required.
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda file: _held(spark, file, required=required), files))
    return {file.path: count for file, count in zip(files, found, strict=True) if count is not None}


def _held(spark: SparkSession, file: FileStat, *, required: bool) -> int | None:
    place = f"{file.path}{ENDING}"
    text = small_text(spark, place, _LIMIT)
    if text is None:
        if required:
            remedy = "wait for it, or set manifest: optional"
            raise DataError("the file has no manifest", where=file.path, expected=place, remedy=remedy)
        return None
    said = _read(text, place)
    if "size" in said and said["size"] != file.size:
        raise _broken(file, f"{file.size} bytes", f"{said['size']}")
    for key, name in _DIGESTS.items():
        if key in said:
            seen = digest(spark, file.path, name)
            if seen != said[key].lower():
                raise _broken(file, f"{key} {seen}", said[key])
    count = said.get("rows")
    return int(count) if count is not None else None


def _read(text: str, place: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise DataError(f"the manifest is no JSON: {error}", where=place, expected='{"rows": 120}') from error
    known = {key: said[key] for key in (*_COUNTS, *_DIGESTS) if key in said} if isinstance(said, dict) else {}
    if not known:
        raise DataError("the manifest says nothing", where=place, expected="rows, size, sha256 or md5")
    for key, value in known.items():
        fine = (
            isinstance(value, str) if key in _DIGESTS else isinstance(value, int) and value is not True and value >= 0
        )
        if not fine or value is False:
            wanted = "hexadecimal digits in quotes" if key in _DIGESTS else "a number from 0"
            raise DataError(f"{key} is {value!r}", where=place, expected=wanted)
    return known


def _broken(file: FileStat, seen: str, said: str) -> DataError:
    return DataError(
        f"the file has {seen}, its manifest says {said}",
        where=file.path,
        expected="the file that the manifest tells of",
        remedy="it isn't there in full, or was changed: ask for both again",
    )
