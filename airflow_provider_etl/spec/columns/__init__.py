"""Columns followed from the sources through every step to the loads, before anything runs.

Each kind says what it makes of the columns that it gets (`outline`); here the names in its options and expressions are
held against them, and their types against each other. What isn't certain is never an error.
"""

from airflow_provider_etl.spec.columns.follow import check, scope_of

__all__ = ["check", "scope_of"]
