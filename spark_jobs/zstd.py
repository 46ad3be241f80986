"""Whether a file compressed with Zstandard is whole.

Spark's decompressor takes one that was cut off in its second frame or a later one for a whole one (zstd-jni 1.5.7,
tried: 16,901 of 50,000 lines, and no error). So the frames are walked from block to block, without decompressing them;
their layout is in RFC 8878, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_FRAME: Final = 0xFD2FB528
_SKIPPABLE: Final = range(0x184D2A50, 0x184D2A60)
_HEADER: Final = 18  # bytes of the longest header, magic number included
_RLE: Final = 1  # a block that is one byte, repeated

ReadAt = Callable[[int, int], bytes]
"""Takes a place and a number of bytes, and gives as many as there are of them."""


def is_whole(read: ReadAt, size: int) -> bool:
    """Whether a file ends where its last frame does.

    Args:
        read: reads from it.
        size: its length in bytes.
    """
    place = 0
    while place < size:
        head = read(place, _HEADER)
        magic = int.from_bytes(head[:4], "little")
        if magic in _SKIPPABLE and len(head) >= 8:
            place += 8 + int.from_bytes(head[4:8], "little")
        elif magic == _FRAME and len(head) >= 5:
            place = _behind(place, head[4], read, size)
        else:
            return False
    return place == size and size > 0


def _behind(place: int, descriptor: int, read: ReadAt, size: int) -> int:
    """Where the frame that begins at a place ends; beyond the file's end where it isn't whole."""
    single = descriptor >> 5 & 1
    content = (single, 2, 4, 8)[descriptor >> 6]
    place += 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + content
    last = 0
    while not last:
        if place + 3 > size:
            return size + 1
        block = int.from_bytes(read(place, 3), "little")
        last, kind, length = block & 1, block >> 1 & 3, block >> 3
        place += 3 + (1 if kind == _RLE else length)
    return place + (4 if descriptor >> 2 & 1 else 0)
