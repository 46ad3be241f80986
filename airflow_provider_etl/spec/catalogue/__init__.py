"""Every code that `lint` may tell: one place for its severity, its reason, its remedy and its examples."""

from typing import Final

from airflow_provider_etl.spec.catalogue import columns, contracts, files, graph, keys, safety, sql, suites, times
from airflow_provider_etl.spec.catalogue.rule import BASE, Rule, completed

# Heading of docs/rules.md -> its rules.
CHAPTERS: Final = {
    "The file": files.RULES,
    "Keys and values": keys.RULES,
    "Sources, datasets, loads": graph.RULES,
    "Columns and types": columns.RULES,
    "Contracts": contracts.RULES,
    "Suites of Great Expectations": suites.RULES,
    "SQL": sql.RULES,
    "Times": times.RULES,
    "Secrets": safety.RULES,
}
RULES: Final = {rule.code: rule for rules in CHAPTERS.values() for rule in rules}

__all__ = ["BASE", "CHAPTERS", "RULES", "Rule", "completed"]
