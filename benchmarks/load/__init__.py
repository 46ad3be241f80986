"""Loads: what each strategy costs beside the plain calls of Delta and Iceberg, and of PostgreSQL."""
