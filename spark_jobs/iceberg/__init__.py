"""Iceberg tables: their catalogs, what their properties say of loads, and the one place that calls its Java API."""
