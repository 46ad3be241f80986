"""Compressed text: read whole, or an error that names the file; never a part of it."""

from __future__ import annotations

import os

import pytest

from spark_jobs.errors import DataError
from spark_jobs.zstd import is_whole
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark


def test_zstandard_is_read_whole_or_not_at_all(drops: Drops) -> None:
    import zstandard

    # In its second frame Spark itself would take a part for the whole.
    text = "".join(["id,name\n", *(f"{n},n{n * 7919}\n" for n in range(50_000))]).encode()
    packed = [zstandard.ZstdCompressor().compress(part) for part in (text[:5], text[5:])]
    drops.put("a.csv.zst", packed[0] + packed[1])
    assert drops.read("a.csv.zst").counts.read == 50_000
    drops.put("a.csv.zst", (packed[0] + packed[1])[: -len(packed[1]) // 2])
    with pytest.raises(DataError, match=r"a\.csv\.zst: the file can't be decompressed: .* not a whole one"):
        drops.read("a.csv.zst")


def test_every_cut_of_a_zstandard_file_is_seen() -> None:
    import zstandard

    parts = [os.urandom(300_000), b"x" * 300_000, b"", b"end"]
    whole = b"".join(
        zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=size).compress(part)
        for part in parts
        for checksum in (True, False)
        for size in (True, False)
    )
    whole += b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    ends = {
        end for end in range(0, len(whole), 997) if is_whole(lambda at, n, end=end: whole[at : min(at + n, end)], end)
    }
    assert is_whole(lambda at, n: whole[at : at + n], len(whole))
    assert not ends
    assert not is_whole(lambda at, n: (whole + b"\0")[at : at + n], len(whole) + 1)


def test_what_is_put_together_of_several_gzips_is_read_to_its_end(drops: Drops) -> None:
    import gzip

    drops.put("a.csv.gz", gzip.compress(b"id,na") + gzip.compress(b"me\n1,Ann\n") + gzip.compress(b"2,Bo\n"))
    assert drops.read("a.csv.gz").rows == [("1", "Ann"), ("2", "Bo")]


@pytest.mark.parametrize("name", ["a.csv.lz4", "a.csv.snappy", "a.csv.zip", "a.csv.xz"])
def test_what_can_be_short_without_a_sign_is_not_read(drops: Drops, name: str) -> None:
    drops.put(name, b"id\n1\n")
    with pytest.raises(DataError, match=rf"{name}: this compression isn't read; expected no compression, .gz, .bz2 or"):
        drops.read(name)
