"""Where progress is shown: a picture that redraws itself on a terminal, a title and lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class Screen:
    """A live picture on a terminal.

    Args:
        title: what goes on; said once where there is no terminal.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._live: Any = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        if sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(refresh_per_second=4)
            self._live.start()
        else:
            print(self.title, flush=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last picture where it is."""
        if self._live:
            self._live.stop()
