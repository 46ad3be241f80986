"""Rules about suites of Great Expectations that stand in files of their own."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import BASE, Rule

_SUITE: Final = """\
{
  "name": "orders",
  "expectations": [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "meta": {}}
  ]
}
"""
_ASKED: Final = BASE.replace("  - not_null: [id]\n", "  - suite: _orders.json\n")
_RIGHT: Final = {"orders.yaml": _ASKED, "_orders.json": _SUITE}

RULES: Final = (
    Rule(
        code="suite-missing",
        why="The suite that a check names isn't there; its path starts from the folder of the pipeline file.",
        wrong={"orders.yaml": _ASKED.replace("_orders.json", "_order.json"), "_orders.json": _SUITE},
        right=_RIGHT,
        mend="Correct the path.",
        whole=True,
    ),
    Rule(
        code="suite-outside",
        why="The suite lies outside the project folder and outside the environment's roots: authors of pipeline files may"
        " read nothing else.",
        wrong={"orders.yaml": _ASKED.replace("_orders.json", "../../../../../../../../etc/hosts")},
        right=_RIGHT,
        mend="Keep the suite in the project.",
        whole=True,
    ),
    Rule(
        code="suite-version",
        why="The suite is one of Great Expectations before release 1.0, whose names and arguments mean other things.",
        wrong={
            "orders.yaml": _ASKED,
            "_orders.json": '{"expectation_suite_name": "orders", "expectations": [{"expectation_type":'
            ' "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}]}\n',
        },
        right=_RIGHT,
        mend="Call `expectation_suite_name` `name` and each `expectation_type` `type`, or write it anew with release 1.x.",
        whole=True,
    ),
)
