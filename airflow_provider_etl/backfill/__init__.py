"""Backfills: what would run and why, before it starts; then starting it, watching it, ending it, on every Airflow."""

from __future__ import annotations

from typing import Final

# In a run's configuration: its window is loaded again although the tables hold it. A reprocessing backfill sets it,
# since a window that the tables hold may have no run yet whose clearing would say so.
REPROCESS: Final = "etl_reprocess"
