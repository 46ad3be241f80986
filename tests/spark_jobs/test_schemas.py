"""The schemas of plan and report tell of each of their fields, and of nothing else."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from spark_jobs import plan, report

SCHEMAS = Path(plan.__file__).parent / "schemas"


def told(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.json").read_text())["properties"]


def test_each_field_of_a_plan_is_told() -> None:
    assert {item.name for item in fields(plan.Plan)} | {"plan_version"} == set(told("plan"))


def test_each_field_of_a_report_and_of_what_a_check_found_is_told() -> None:
    assert {item.name for item in fields(report.Report)} | {"report_version"} == set(told("report"))
    assert {item.name for item in fields(report.CheckResult)} == set(told("report")["checks"]["items"]["properties"])
