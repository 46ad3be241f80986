"""Contracts in the Open Data Contract Standard are kept as they are, and what isn't kept is told once."""

from __future__ import annotations

import pytest

from airflow_provider_etl.cli.main import main
from tests.spec.conftest import Project
from tests.spec.test_contracts import LOAD, SOURCE, checks, loaded, told

ODCS = """\
apiVersion: v3.0.2
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
name: orders
version: 1.10.0
status: active
domain: seller
description: {purpose: Orders as they are booked, limitations: none}
schema:
  - name: orders
    physicalName: tbl_orders
    quality:
      - {type: library, rule: duplicateCount, mustBe: 0, arguments: {properties: [id, customer]}}
      - {type: sql, query: "select count(*) from t", mustBe: 0}
    properties:
      - {name: id, logicalType: integer, physicalType: bigint, required: true, description: who, partitioned: true}
      - name: customer
        logicalType: string
        physicalType: varchar(10)
        classification: PII
        logicalTypeOptions: {pattern: "^[a-z]+$", maxLength: 10}
        quality:
          - {rule: validValues, validValues: [north, south]}
          - {type: text, description: it looks right}
      - name: amount
        logicalType: number
        physicalType: NUMERIC(10, 2)
        partitioned: false
        logicalTypeOptions: {minimum: 0, maximum: 1000}
        quality:
          - {metric: nullValues, mustBe: 0}
      - {name: ordered_at, logicalType: timestamp, physicalType: timestamp with time zone, unique: true}
      - {name: day, logicalType: date, logicalTypeOptions: {minimum: 2013-01-01}}
      - name: lines
        logicalType: array
        items: {logicalType: object, properties: [{name: sku, logicalType: string}, {name: n, logicalType: integer}]}
slaProperties:
  - {property: freshness, value: 4, unit: h, element: orders.ordered_at}
  - {property: retention, value: 3, unit: y}
team:
  - {username: ada, role: Owner}
"""
LINES = ODCS.split("\n")


def test_fields_of_the_standard_become_columns_rules_and_keys(project: Project) -> None:
    (project.folder / "contracts").mkdir()
    text = SOURCE.replace("format: csv", "format: json").replace("ordered_at]", "lines]")
    noted = told(project, text, ODCS)
    assert all(" contract-note " in item for item in noted), noted
    pipeline = project.load(text).pipeline
    assert pipeline is not None
    source = pipeline.extract["orders"]
    assert {name: item.type for name, item in source.columns.items()} == {
        "id": "bigint",
        "customer": "string",
        "amount": "decimal(10,2)",
        "ordered_at": "timestamp",
        "day": "date",
        "lines": "array<struct<`sku`: string, `n`: bigint>>",
    }
    assert [name for name, item in source.columns.items() if item.required] == ["id", "customer", "amount"]
    assert [name for name, item in source.columns.items() if item.pii] == ["customer"]
    rules = pipeline.transform["result"].steps[0][1].rules
    assert [rule.removeprefix("contracts/orders.yaml: ") for rule in rules] == [
        "customer in_set", "customer matches", "amount in_range", "day in_range"
    ]  # fmt: skip
    assert "DATE '2013-01-01'" in list(rules.values())[-1]
    found = checks(pipeline, "orders")
    unique = [item["unique"]["columns"] for item in found if "unique" in item]
    assert {"freshness"} == {name for item in found for name in item} - {"unique"}
    assert unique == [["id", "customer"], ["ordered_at"]]


def test_each_field_that_has_no_counterpart_is_told_once(project: Project) -> None:
    noted = told(project, SOURCE.replace("format: csv", "format: json").replace("ordered_at]", "lines]"), ODCS)
    found = {}
    for item in noted:
        place, _, message = item.partition(" contract-note ")
        found[message.partition(" of the standard")[0].partition(" isn't checked")[0]] = int(place.split(":")[1])
    assert found == {
        "domain": 7,
        "description.limitations": 8,
        "quality sql": 14,
        "partitioned": 16,
        "logicalTypeOptions.maxLength": 21,
        "quality text": 24,
        "slaProperties retention": 39,
    }
    (partitioned,) = [item for item in noted if "partitioned" in item]
    assert "isn't kept, here and 1 times more" in partitioned


@pytest.mark.parametrize("kind", ["numeric", "NUMBER", "decimal"])
def test_a_decimal_without_digits_is_none_of_spark(project: Project, kind: str) -> None:
    text = SOURCE.replace("format: csv", "format: json").replace("ordered_at]", "lines]")
    contract = ODCS.replace("physicalType: NUMERIC(10, 2)", f"physicalType: {kind}")
    noted = told(project, text, contract)
    assert [item for item in noted if f"physicalType {kind} of the standard isn't kept" in item], noted
    assert project.pipeline(text).extract["orders"].columns["amount"].type == "double"
    (wrong,) = [
        item
        for item in told(project, text, contract.replace("        logicalType: number\n", ""))
        if "note" not in item
    ]
    assert "missing-key key 'type' is missing" in wrong


FRESH = "  - {property: freshness, value: 4, unit: h, element: orders.ordered_at}\n"
OPTIONS = '        logicalTypeOptions: {pattern: "^[a-z]+$", maxLength: 10}\n'
QUALITY = "        quality:\n          - {rule: invalidValues, mustBe: 0, arguments: {pattern: b}}\n"
OTHER = "  - {name: orders, properties: [{name: x, logicalType: integer}]}\n"
KEY = "{metric: duplicateValues, mustBe: 0, arguments: {properties: [t, u]}}"
RETENTION = "  - {property: retention, value: 3, unit: y}\n"


@pytest.mark.parametrize(
    ("old", "new", "noted"),
    [
        ("orders.ordered_at", "sales.orders.ordered_at", ""),
        ("orders.ordered_at", "tbl_orders.ordered_at", ""),
        ("orders.ordered_at", "others.ordered_at", "slaProperties freshness"),
        ("element: orders.ordered_at", "element: [orders.ordered_at]", "slaProperties freshness"),
        (FRESH, FRESH + FRESH, "slaProperties freshness"),
        ("slaProperties:", OTHER + "slaProperties:", "a second schema orders"),
        (OPTIONS + "        quality:\n", QUALITY + OPTIONS + "        tags:\n", "logicalTypeOptions.pattern"),
        ("{minimum: 2013-01-01}", "{minimum: 2013-01-01, required: [a]}", "logicalTypeOptions.required"),
        ("classification: PII", "classification: [PII]", "classification that is no single value"),
        ("quality:\n          - {metric: nullValues, mustBe: 0}", "quality: none", "quality that is no list"),
        ("description: {purpose: Orders as they are booked, limitations: none}", "description: [a]", "description"),
        ("description: who", "description: [who]", "description that is no single value"),
        ("{metric: nullValues, mustBe: 0}", KEY, "quality duplicateValues"),
        (FRESH + RETENTION, "  a: 4h\n", "slaProperties that is no list"),
    ],
)
def test_nothing_of_the_standard_is_dropped_in_silence(project: Project, old: str, new: str, noted: str) -> None:
    assert old in ODCS
    text = SOURCE.replace("format: csv", "format: json").replace("ordered_at]", "lines]")
    text = text.replace("contract: contracts/orders.yaml", "contract: {file: contracts/orders.yaml, schema: orders}")

    def names(contract: str) -> set[str]:
        found = told(project, text, contract)
        assert all("contract-note" in item for item in found), found
        return {item.partition("contract-note ")[2].partition(" of the standard")[0] for item in found}

    before = names(ODCS)
    assert names(ODCS.replace(old, new, 1)) - before - {"tags"} == ({noted} if noted else set())
    if not noted:
        assert "freshness" in [name for name, _ in project.pipeline(text).check["orders"]]


def test_notes_that_have_been_read_are_taken_back_in_the_contract(project: Project) -> None:
    text = SOURCE.replace("format: csv", "format: json").replace("ordered_at]", "lines]")
    assert told(project, text, "# etl: ignore-file=contract-note\n" + ODCS) == []
    assert told(project, text, ODCS.replace("domain: seller", "domain: seller # etl: ignore=contract-note")) != []


def test_a_file_with_several_schemas_is_asked_for_one(project: Project) -> None:
    more = ODCS.replace(
        "slaProperties", "  - {name: other, properties: [{name: id, logicalType: integer}]}\nslaProperties"
    )
    text = LOAD.replace("contract: contracts/orders.yaml", "contract: {file: contracts/orders.yaml, schema: other}")
    errors = [item for item in told(project, text, more) if "contract-note" not in item]
    assert errors == []
    (missing,) = [item for item in told(project, LOAD, more) if "contract-note" not in item]
    assert (
        "21:15 missing-key the contract has the schemas orders, other: say which | write {file: .., schema: orders}"
        in missing
    )
    (wrong,) = [
        item for item in told(project, text.replace("schema: other", "schema: othr"), more) if "note" not in item
    ]
    assert (
        "21:53 unknown-value 'othr' is no schema of the contract | did you mean 'other'? valid: orders, other" in wrong
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("v3.0.2", "v2.2.2", "1:13 unknown-value apiVersion is 'v2.2.2': version 3 of the standard is read"),
        ("logicalType: integer, physicalType: bigint", "logicalType: intger", "16:33 unknown-type 'intger' is no type"),
        ("name: amount", "name: ID", "25:15 column-collision columns 'id' and 'ID' collide"),
        ("minimum: 0", "minimum: 2000", "29:54 option-conflict max: it is smaller than min, 2000"),
        ("logicalType: timestamp, physicalType: timestamp with time zone, unique: true", "required: true", "32:9 missing-key key 'type' is missing"),  # noqa: E501
        ("{name: day, log", "{nam: day, log", "33:9 wrong-type a mapping stands where a property with a name is wanted"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_contract_of_the_standard_is_told_in_it(
    project: Project, old: str, new: str, expected: str
) -> None:
    assert old in ODCS
    found = told(project, SOURCE.replace("format: csv", "format: json"), ODCS.replace(old, new, 1))
    errors = [item for item in found if "contract-note" not in item]
    assert errors, found
    assert errors[0].startswith(f"contracts/orders.yaml:{expected}"), errors


def test_lint_knows_contracts_from_pipelines(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert loaded(project, SOURCE) is not None
    (project.folder / "contracts/standard.yaml").write_text(ODCS)
    (project.folder / "contracts/wrong.yaml").write_text("columns:\n  id: {type: bigit}\n")
    assert main(["lint", str(project.folder / "contracts")]) == 1
    told_of = capsys.readouterr().out
    assert "wrong.yaml:2:14: error[unknown-type]: columns.id.type: 'bigit' is no type of Spark" in told_of
    assert "standard.yaml:39:5: warning[contract-note]: slaProperties[1]: slaProperties retention" in told_of
    assert "3 files: 1 error, " in told_of
