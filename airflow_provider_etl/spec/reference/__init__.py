"""The pages of docs/ that are made of the code: `python -m airflow_provider_etl.spec.reference docs`."""

from collections.abc import Callable
from typing import Final

from airflow_provider_etl.spec.reference.compatibility_page import compatibility_page
from airflow_provider_etl.spec.reference.language_page import language_page
from airflow_provider_etl.spec.reference.rules_page import rules_page

PAGES: Final[dict[str, Callable[[], str]]] = {
    "compatibility.md": compatibility_page,
    "language.md": language_page,
    "rules.md": rules_page,
}

__all__ = ["PAGES"]
