"""What a backfill's command does alike on every Airflow whose code runs in its process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class InCommand:
    """An Airflow that runs in the command's own process."""

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Keep what Airflow logs of its own doings out of the command's output; warnings and errors stay."""
        disabled = logging.root.manager.disable
        logging.disable(logging.INFO)
        try:
            yield
        finally:
            logging.disable(disabled)

    def default_timezone(self) -> str:
        """`[core] default_timezone`."""
        from airflow import settings

        return str(settings.TIMEZONE.name)
