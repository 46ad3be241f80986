"""Backfills: what would run and why, before it starts; then starting it, watching it, ending it, on every Airflow."""
