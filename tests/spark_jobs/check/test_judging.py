"""What can be said of figures and types without a row: in numbers that JSON has, and exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec.contracts.checks import conditions
from airflow_provider_etl.spec.contracts.contract import Contract
from airflow_provider_etl.spec.contracts.language import ContractColumn, ContractFile
from airflow_provider_etl.spec.nodes import MapNode, Source
from spark_jobs.check.bounds import Between, judged
from spark_jobs.check.row_count import RowCount
from spark_jobs.check.rule import Figure
from spark_jobs.check.type import Type
from spark_jobs.flow import Context
from spark_jobs.footers import readable
from spark_jobs.outline import Outline
from spark_jobs.run import write_report
from tests.spark_jobs import plans

NOTHING: Any = None


def test_a_figure_without_an_end_is_a_text_to_json(tmp_path: Path) -> None:
    seen = [judged(value, Between(min=None, max=1), "the sum") for value in (float("inf"), float("-inf"), 0.5)]
    assert [(item.observed, item.success) for item in seen] == [("Infinity", False), ("-Infinity", True), (0.5, True)]
    assert seen[0].message == "the sum is Infinity, not at most 1"
    write_report(str(tmp_path / "report.json"), [item.observed for item in seen])
    assert json.loads((tmp_path / "report.json").read_text()) == ["Infinity", "-Infinity", 0.5]
    with pytest.raises(ValueError, match="JSON"):
        write_report(str(tmp_path / "report.json"), float("inf"))


@pytest.mark.parametrize(("total", "success"), [(71, True), (70, False), (129, True), (130, False)])
def test_a_share_of_rows_is_what_is_written(total: int, success: bool) -> None:
    """As doubles, 29 % of 100 are less than 29."""
    plan = plans.plan(Path("unused"), plans.day(1), plans.attempt(0))
    given = Context(spark=NOTHING, plan=plan, where="check", dataset="result", datasets={"other": NOTHING})
    figure = RowCount(same_as="other", tolerance="29%").answer(total, given)
    assert isinstance(figure, Figure)
    assert figure.judge({"other": 100}).success == success


@pytest.mark.parametrize(
    ("there", "wanted", "told"),
    [
        ("array<int>", "array<integer>", False),
        ("decimal", "decimal(10,2)", False),  # its digits aren't known yet
        ("decimal(9,2)", "decimal(10,2)", True),
        ("decimal(9,2)", "DECIMAL", False),
        ("interval day to second", "interval", False),
        ("int", "integer", False),
        ("int", "bigint", True),
    ],
)
def test_a_type_that_may_be_right_is_no_misfit(there: str, wanted: str, told: bool) -> None:
    found = Type(column="a", types=(wanted,)).misfits(Outline(columns={"a": there}), NOTHING)
    assert bool(list(found)) == told


def test_a_contract_s_bound_of_a_float_is_a_float() -> None:
    """The float that is nearest to 0.1 is larger than the double, and than the decimal."""
    columns = {"f": ContractColumn(type="real", max=0.1), "d": ContractColumn(type="double", max=0.1)}
    contract = Contract(told="c", path="c", file=ContractFile(columns=columns), node=MapNode(Source("c")))
    assert [text.split(" or ")[1].split(" and ")[0] for text in conditions(contract, "UTC").values()] == [
        "(`f` <= cast(0.1 as float)",
        "(`d` <= 0.1",
    ]


def test_a_column_of_fixed_length_is_not_asked_of_the_files() -> None:
    """Spark pads what it compares with one: the files' bytes say something else."""
    from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

    padded = {"__CHAR_VARCHAR_TYPE_STRING": "char(3)"}
    schema = T.StructType(
        [
            T.StructField("code", T.StringType(), metadata=padded),
            T.StructField("name", T.StringType()),
            T.StructField("net", T.DecimalType(9, 2)),
            T.StructField("a.b", T.LongType()),
        ]
    )
    assert readable(schema, {"code", "name", "net", "a.b"}) == {"name": ("string", 0), "net": ("decimal(9,2)", 2)}
