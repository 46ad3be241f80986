"""Python's search for cycles of garbage, held back while a file is read.

A file's nodes know what they stand in, and live until its DAG is built: whoever looks for garbage meanwhile looks at
all of them, several times, and finds none (docs/performance.md).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back() -> Iterator[None]:
    """Look for no garbage now; after it as before."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
