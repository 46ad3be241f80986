"""Contracts as files: what a source and a load get of them, and what is wrong is told at its place."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec import load_file, load_mapping
from airflow_provider_etl.spec.contracts import across
from airflow_provider_etl.spec.contracts.alone import is_contract
from airflow_provider_etl.spec.contracts.language import share_of
from airflow_provider_etl.spec.once import read_once
from spark_jobs import kinds
from spark_jobs.load.by_key import Cdc
from spark_jobs.outline import Outline
from spark_jobs.plan import Attempt
from tests.spec.conftest import PIPELINE, Project

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = """\
version: 1.2.0
owner: sales
description: Orders as they are booked
columns:
  id: {type: bigint, required: true}
  customer: {type: string, values: [north, south], regex: "^[a-z]+$", pii: true, description: who}
  amount: {type: "decimal(10,2)", min: 0, max: 1000}
  ordered_at: {type: timestamp, min: "2013-01-01"}
keys: [id]
completeness: 99 %
modes: {table: freeze, columns: freeze, types: quarantine}
"""
SOURCE = PIPELINE.replace("    format: csv\n", "    format: csv\n    contract: contracts/orders.yaml\n").replace(
    "  - filter: amount > 0\n", "  - mask: {columns: {customer: redact}}\n  - drop: [ordered_at]\n"
)
LOAD = PIPELINE.replace(
    "    format: csv\n",
    '    format: csv\n    columns: {id: {type: bigint}, customer: {type: string}, amount: {type: "decimal(10,2)"},'
    " ordered_at: {type: timestamp}}\n    new_columns: freeze\n",
).replace("{strategy: append}\n", "{strategy: append}\n    contract: contracts/orders.yaml\n")


def told(project: Project, pipeline: str, contract: str = CONTRACT, **more: str) -> list[str]:
    """`file:line:col code message | hint` of what is wrong, files by their names alone."""
    for name, text in {"orders": contract, **more}.items():
        path = project.folder / f"contracts/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return [
        f"{item.path.removeprefix(f'{project.folder}/')}:{item.line}:{item.column} {item.code} "
        f"{item.message.replace(f'{project.folder}/', '')} | {item.hint}"
        for item in project.load(pipeline).diagnostics
    ]


def loaded(project: Project, pipeline: str, contract: str = CONTRACT) -> Any:
    assert told(project, pipeline, contract) == []
    return project.load(pipeline).pipeline


def checks(pipeline: Any, dataset: str) -> list[Any]:
    return [{name: kinds.dump(kind)} for name, kind in pipeline.check[dataset]]


def test_a_source_gets_the_columns_and_modes_of_its_contract(project: Project) -> None:
    source = kinds.dump(loaded(project, SOURCE).extract["orders"])
    assert source["columns"] == {
        "id": {"type": "bigint", "required": True},
        "customer": {"type": "string", "pii": True, "description": "who"},
        "amount": {"type": "decimal(10,2)"},
        "ordered_at": {"type": "timestamp"},
    }
    assert (source["new_columns"], "contract" in source) == ("freeze", False)


def test_rows_that_break_a_rule_are_set_aside_where_they_come_in_and_all_together_is_checked(project: Project) -> None:
    pipeline = loaded(project, SOURCE.replace("start: 2013-01-01", "start: 2013-01-01\ntimezone: Europe/Paris"))
    first, rules = pipeline.transform["result"].steps[0]
    assert first == "validate"
    assert list(rules.rules.items()) == [
        ("contracts/orders.yaml: customer in_set", "`customer` is null or `customer` in ('north', 'south')"),
        ("contracts/orders.yaml: customer matches", "`customer` is null or `customer` rlike '^[a-z]+$'"),
        ("contracts/orders.yaml: amount in_range", "`amount` is null or (`amount` >= 0 and `amount` <= 1000)"),
        (
            "contracts/orders.yaml: ordered_at in_range",
            "`ordered_at` is null or (`ordered_at` >= TIMESTAMP '2013-01-01 00:00:00+01:00')",
        ),
    ]
    assert checks(pipeline, "orders") == [{"unique": {"columns": ["id"], "name": "contracts/orders.yaml: unique"}}]


def test_bounds_are_literals_that_spark_reads(project: Project) -> None:
    wide = CONTRACT.replace("decimal(10,2)", "double")
    contract = wide.replace("min: 0, max: 1000", f"max: {10**39}, values: [{10**38}]").replace(
        "keys:", '  day: {type: date, min: "20200131"}\nkeys:'
    )
    rules = loaded(project, SOURCE, contract).transform["result"].steps[0][1].rules
    assert [rule.partition(" or ")[2] for name, rule in rules.items() if "amount" in name or "day" in name] == [
        "(`amount` <= 1e+39D and not isnan(`amount`))", "`amount` in (1e+38D)", "(`day` >= DATE '2020-01-31')"
    ]  # fmt: skip


def test_types_that_freeze_stop_the_run(project: Project) -> None:
    pipeline = loaded(project, SOURCE, CONTRACT.replace("types: quarantine", "types: freeze"))
    assert pipeline.extract["orders"].bad_records == "fail"
    assert [name for name, _ in pipeline.check["orders"]] == [
        "in_set", "matches", "in_range", "in_range", "unique"
    ]  # fmt: skip
    assert dict(pipeline.complete) == {}, "the first row without a value stops it"
    assert pipeline.transform["result"].steps[0][0] == "mask"


def test_a_load_is_held_against_its_contract_before_anything_is_published(project: Project) -> None:
    contract = CONTRACT.replace(", pii: true", "")
    found = checks(loaded(project, LOAD, contract), "result")
    assert found[0] == {
        "conforms": {
            "columns": {"id": "bigint", "customer": "string", "amount": "decimal(10,2)", "ordered_at": "timestamp"},
            "closed": True,
            "name": "contracts/orders.yaml: conforms",
        }
    }
    assert [next(iter(item)) for item in found] == [
        "conforms", "not_null", "in_set", "matches", "in_range", "in_range", "unique", "completeness", "not_null"
    ]  # fmt: skip
    assert found[1]["not_null"]["on_fail"] == "quarantine"
    assert found[7]["completeness"] == {"columns": ["id"], "name": "contracts/orders.yaml: completeness"}
    stopping = checks(loaded(project, LOAD, contract.replace(", types: quarantine", "")), "result")
    assert "on_fail" not in stopping[1]["not_null"]
    assert not [item for item in stopping if "completeness" in item], "a row without a value stops it"


REQUIRED = CONTRACT.replace("ordered_at: {type: timestamp,", "ordered_at: {type: timestamp, required: true,")
USE = "contract: {file: contracts/orders.yaml, completeness: 90 %}"


@pytest.mark.parametrize(
    ("said", "use", "share"),
    [
        ("", "", 0.99),
        ("completeness: 95 %\n", "", 0.95),
        ("completeness: 0.5\n", "", 0.5),
        ("completeness: 95 %\n", USE, 0.9),
        ("", USE.replace("90", "0"), None),
        ("completeness: 0 %\n", "", None),
        ("completeness: {columns: [amount], share: 95 %}\n", "", None),
    ],
)
def test_99_percent_of_the_required_values_of_a_source_must_come(
    project: Project, said: str, use: str, share: float | None
) -> None:
    contract = REQUIRED.replace("completeness: 99 %\n", said)
    pipeline = loaded(project, SOURCE.replace("contract: contracts/orders.yaml", use) if use else SOURCE, contract)
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), Attempt(number=1, token="t", run="r")).to_json()
    limit = {"share": share, "columns": ["id", "ordered_at"]}
    assert plan.get("set_aside") == (None if share is None else {"complete": {"orders": limit}})
    jsonschema.validate(plan, json.loads((ROOT / "spark_jobs/schemas/plan.json").read_text()))
    asked = [item["completeness"]["columns"] for item in checks(pipeline, "orders") if "completeness" in item]
    assert asked == ([["amount"]] if "amount" in said else [])


def test_explain_tells_what_must_come(project: Project) -> None:
    from airflow_provider_etl.explaining.graph import tree

    assert any("stops  unless 99 % of the values of id come" in line for line in tree(loaded(project, SOURCE)))


def test_a_share_of_no_column_or_that_is_none_is_told_where_it_is_said(project: Project) -> None:
    nothing = CONTRACT.replace(", required: true", "").replace("keys: [id]\n", "")
    (found,) = told(project, SOURCE, nothing)
    assert "9:15 invalid-value completeness names no columns, and none is required" in found
    (found,) = told(project, SOURCE.replace("contract: contracts/orders.yaml", USE.replace("90", "190")))
    assert "dags/orders.yaml:9:59 out-of-range '190 %' is no share of rows" in found


MERGE = "write: {strategy: merge, keys: [id], sequence: ordered_at"
CDC = "write: {strategy: cdc, keys: [id], sequence: ordered_at, operation: op"
EVENTS = "ordered_at: {type: timestamp}, op: {type: string}"
ENVELOPES = "ordered_at: {type: timestamp}, op: {type: string}, before: {type: string}, after: {type: string}"


@pytest.mark.parametrize(
    ("write", "contract", "expected"),
    [
        ("scope: {Region: eu}\n    write: {strategy: append", "keys: [region, id]", [["id"]]),
        ("write: {strategy: append", "keys: [id, _window_start]", [["id"]]),
        ("scope: {region: eu}\n    write: {strategy: append", "keys: [region]", ["that (region) tells rows apart"]),
        (MERGE + ", soft_delete: true", "keys: [customer, _deleted]", ["that (customer, _deleted) tells rows apart"]),
        (MERGE, "keys: [id]", []),
        ("scope: {region: eu}\n    " + MERGE, "keys: [id, region]", []),
        (MERGE, "keys: [customer]", [["customer"], "that (customer) tells rows apart in the table"]),
        (
            MERGE + ", delete_when: amount < 0",
            "completeness: 99 %\nkeys: [id, customer]",
            ["that customer, region, _window_start, _deleted have a value"],
        ),
    ],
)
def test_a_load_is_asked_for_keys_as_far_as_its_rows_can_tell(
    project: Project, write: str, contract: str, expected: list[Any]
) -> None:
    own = {"region": "string", "_window_start": "timestamp", "_deleted": "boolean"}
    promised = CONTRACT[: CONTRACT.index("keys:")].replace(", pii: true", "")
    required = ", required: true" if "delete_when" in write else ""
    promised += "".join(f"  {name}: {{type: {kind}{required}}}\n" for name, kind in own.items()) + contract + "\n"
    given = {name: f"cast(null as {kind})" for name, kind in own.items()}
    for strategy, name in (("append", "_window_start"), ("soft_delete", "_deleted")):
        if strategy in write:
            del given[name]
    steps = f"  - derive: {json.dumps(given)}\n"
    text = LOAD.replace("write: {strategy: append", write).replace("  - filter: amount > 0\n", steps)
    notes = [item.partition("nobody checks of contracts/orders.yaml ")[2] for item in told(project, text, promised)]
    found = checks(project.load(text).pipeline, "result")
    unique = [item["unique"]["columns"] for item in found if "unique" in item]
    assert [*unique, *(note.partition(":")[0] for note in notes)] == expected


def test_a_contract_of_a_change_streams_table_is_asked_of_its_events_as_far_as_they_hold_it(project: Project) -> None:
    contract = CONTRACT.replace(", pii: true", "").replace(", min: 0, max: 1000", ", required: true")
    text = LOAD.replace("ordered_at: {type: timestamp}", EVENTS).replace("write: {strategy: append", CDC)
    noted = told(project, text, contract)
    assert [item.partition("checks of contracts/orders.yaml ")[2].partition(":")[0] for item in noted] == [
        "completeness", "that amount have a value"
    ]  # fmt: skip
    found = checks(project.load(text).pipeline, "result")
    assert found[0]["conforms"]["others"] == ["op"]
    assert [next(iter(item)) for item in found] == ["conforms", "in_set", "matches", "in_range", "not_null"]
    wrong = told(project, text.replace("operation: op", "operation: opp"), contract)
    assert "unknown-column there is no column 'opp'" in wrong[0]
    text = LOAD.replace("ordered_at: {type: timestamp}", ENVELOPES).replace(
        "write: {strategy: append", f"{CDC}, before: before, after: after"
    )
    (note,) = [item for item in told(project, text, contract) if "contract-note" in item]
    assert "the columns of its records, which stand in envelopes" in note


def test_a_change_streams_table_has_the_columns_of_its_records() -> None:
    from spark_jobs.load.delta import Delta

    rows = Outline(columns={"id": "int", "at": "int", "op": "string"}, rest="none")
    flat = Cdc(strategy="cdc", keys=("id",), sequence="at", operation="op")
    assert list(Delta(path="p", write=flat).outline(rows, across._Nothing()).columns) == ["id", "at"]
    opened = Delta(path="p", write=replace(flat, before="b", after="a")).outline(rows, across._Nothing())
    assert (list(opened.columns), opened.rest) == (["at"], "any")


def test_a_closed_contract_lets_columns_come_that_it_names_and_the_load_has_itself(project: Project) -> None:
    contract = CONTRACT.replace(", pii: true", "").replace("keys:", "  region: {type: string}\nkeys:")
    text = LOAD.replace("write: {strategy", "scope: {region: eu}\n    write: {strategy")
    text = text.replace("  - filter: amount > 0\n", "  - derive: {Region: \"'eu'\"}\n")
    assert told(project, text, contract) == []
    assert checks(project.load(text).pipeline, "result")[0]["conforms"]["others"] == ["region"]


def test_a_load_whose_steps_lose_or_change_a_promised_column_is_told_where_it_names_the_contract(
    project: Project,
) -> None:
    changed = LOAD.replace(
        "  - filter: amount > 0\n", '  - drop: [customer]\n  - derive: {amount: "1.5D", more: "1"}\n'
    )
    wrong = told(project, changed)
    assert [item.partition(" | ")[0] for item in wrong] == [
        "dags/orders.yaml:22:15 type-mismatch column 'amount' is double, where decimal(10,2) is wanted",
        "dags/orders.yaml:22:15 unknown-column column 'customer' (string) is wanted, and isn't there",
        "dags/orders.yaml:22:15 unknown-column column 'more' isn't wanted: only id, customer, amount, ordered_at",
    ]


def test_a_change_of_the_contract_is_a_change_of_configuration_and_its_owner_is_none(project: Project) -> None:
    before = loaded(project, SOURCE).fingerprint
    assert loaded(project, SOURCE, CONTRACT.replace("max: 1000", "max: 1001")).fingerprint != before
    assert (
        loaded(
            project, SOURCE, CONTRACT.replace('amount: {type: "decimal(10,2)"', 'amount: {type: "decimal(12,2)"')
        ).fingerprint
        != before
    )
    assert loaded(project, SOURCE, CONTRACT.replace("owner: sales", "owner: others")).fingerprint == before


def test_one_contract_is_one_configuration_however_its_path_is_written(project: Project) -> None:
    before = loaded(project, SOURCE).fingerprint
    for other in ("./contracts/../contracts/orders.yaml", str(project.folder / "contracts/orders.yaml")):
        assert loaded(project, SOURCE.replace("contracts/orders.yaml", other)).fingerprint == before


def test_contracts_are_known_by_their_keys_whatever_they_look_like(tmp_path: Path) -> None:
    texts = {
        "bom": "\ufeffcolumns:\n  id: {type: int}\n",
        "quoted": '"columns":\n  id: {type: int}\n',
        "base": 'extends: "quoted.yaml" # more\nowner: sales\n',
        "pipeline": '"extract": {}\ncolumns: {}\n',
        "daily": "extends: pipeline.yaml\n",
        "circle": "extends: circle.yaml\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    os.mkfifo(tmp_path / "pipe.yaml")
    assert [path.stem for path in sorted(tmp_path.iterdir()) if is_contract(path)] == ["base", "bom", "quoted"]


def test_a_plan_names_no_file_of_the_project(project: Project) -> None:
    pipeline = loaded(project, SOURCE)
    attempt = Attempt(number=1, token="t", run="r")
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), attempt).to_json()
    assert "contract" not in plan["extract"]["orders"]
    assert str(project.folder / "contracts") not in str(plan)


def test_columns_of_a_source_may_ask_for_more_than_the_contract(project: Project) -> None:
    inline = '    columns: {customer: {type: STRING, required: true}, amount: {type: "decimal(10,2)", pii: true}}\n'
    source = loaded(
        project,
        SOURCE.replace("  - drop:", "  - mask: {columns: {amount: redact}}\n  - drop:").replace(
            "    contract:", inline + "    contract:"
        ),
    ).extract["orders"]
    assert source.columns["customer"].required
    assert source.columns["customer"].pii
    assert list(source.columns) == ["id", "customer", "amount", "ordered_at"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("min: 0, max: 1000", "min: 10, max: 1", "7:49 option-conflict max: it is smaller than min, 10: no value can pass"),  # noqa: E501
        (
            "min: 0, max: 1000",
            "min: 0, max: 5, values: [1, 7]",
            "7:63 option-conflict values: 7 is larger than max, 5",
        ),
        ("keys: [id]", "keys: [idd]", "9:8 unknown-column there is no column 'idd' in the contract"),
        ("customer: {type: string", "ID: {type: string", "6:3 column-collision columns 'id' and 'ID' collide"),
        ("bigint", "bigit", "5:14 unknown-type 'bigit' is no type of Spark"),
        ("required: true", "requird: true", "5:22 unknown-key unknown key 'requird'"),
        ("owner: sales", "owners: sales", "2:1 unknown-key unknown key 'owners'"),
        ("^[a-z]+$", "^n.+h$", "6:44 option-conflict values: 'south' doesn't match regex, '^n.+h$'"),
        ("^[a-z]+$", "^[a-z", "6:59 invalid-value '^[a-z' is no regular expression"),
        ("min: 0", 'min: "2013"', "7:40 type-mismatch '2013' can't be compared with column 'amount'"),
        ("99 %", "120 %", "10:15 out-of-range '120 %' is no share of rows"),
        ("version: 1.2.0", "version: 1.2", "1:10 quote-needed 1.2 is a number to YAML"),
        ("columns:\n", "freshness: 1 hour\ncolumns:\n", "4:12 wrong-type '1 hour' is not a duration"),
        ("required: true}", "required: false}", "5:32 option-conflict required: 'id' is a key"),
        ("types: quarantine", "types: quarantaine", "11:48 unknown-value 'quarantaine' is not"),
        ("min: 0, max: 1000", "min: 2.501, max: 2.509", "7:40 option-conflict min: no decimal(10,2) lies between"),
        ("min: 0, max: 1000", "min: 1e8", "7:40 option-conflict min: it is above 99999999.99, the largest"),
        ("min: 0, max: 1000", "max: -1e9", "7:40 option-conflict max: it is below -99999999.99, the smallest"),
        ("min: 0, max: 1000", "values: [1.005]", "7:44 option-conflict values: 1.005 is no decimal(10,2)"),
        ("pii: true", "pii: Email", "6:76 invalid-value 'Email' doesn't match"),
        ('min: "2013-01-01"', 'min: "2013-13-01"', "8:38 type-mismatch '2013-13-01' can't be compared"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_contract_is_told_once_at_its_place_there(
    project: Project, old: str, new: str, expected: str
) -> None:
    assert old in CONTRACT
    (found,) = told(project, SOURCE, CONTRACT.replace(old, new, 1))
    assert found.startswith(f"contracts/orders.yaml:{expected}"), found


def test_a_share_in_percent_is_exactly_that_share() -> None:
    assert [share_of(text) for text in ("99.9 %", "99 %", "0.1%", "100 %", "101 %")] == [0.999, 0.99, 0.001, 1.0, None]


def test_freshness_names_its_column_where_several_could_be_meant(project: Project) -> None:
    plain = CONTRACT + "freshness: 1h\n"
    assert told(project, SOURCE, plain) == []
    (found,) = told(
        project, SOURCE, plain.replace('amount: {type: "decimal(10,2)", min: 0, max: 1000}', "day: {type: date}")
    )
    assert "12:12 invalid-value freshness names no column, and the timestamps and dates are day, ordered_at" in found
    assert found.endswith("write {column: day, within: ..}")


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        ("contracts/order.yaml", "9:15 contract-missing there is no file 'contracts/order.yaml'"),
        (
            "../../../../../../../etc/hosts",
            "9:15 contract-outside '../../../../../../../etc/hosts' leads to /etc/hosts",
        ),
        ("s3a://lake/orders.yaml", "9:15 contract-missing 's3a://lake/orders.yaml' is no file of the project"),
        ("[a]", "9:15 wrong-type a list stands where"),
        ("{fil: a}", "9:16 unknown-key unknown key 'fil'"),
        ("{file: contracts/orders.yaml, schema: a}", "9:53 unknown-value contracts/orders.yaml is one contract"),
        (
            "{file: contracts/orders.yaml, modes: {types: discard}}",
            "9:60 contract-mode a source can't keep types: discard: rows never vanish without a reason",
        ),
    ],
)
def test_a_contract_that_cant_be_opened_is_told_where_it_is_named(
    project: Project, contract: str, expected: str
) -> None:
    found = told(project, SOURCE.replace("contract: contracts/orders.yaml", f"contract: {contract}"))
    assert found[0].startswith(f"dags/orders.yaml:{expected}"), found
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [('"a\\0b.yaml"', "embedded null"), ("n" * 300, "File name too long"), ("contracts", "is no regular file")],
)
def test_a_path_that_no_system_takes_is_one_diagnostic_of_the_file_that_names_it(
    project: Project, text: str, why: str
) -> None:
    (found,) = told(project, SOURCE.replace("contracts/orders.yaml", text))
    assert found.startswith("dags/orders.yaml:9:15 contract-missing "), found
    assert why in found
    (found,) = told(project, SOURCE, f"extends: {text.replace('contracts', '.')}\n{CONTRACT}")
    assert found.startswith("contracts/orders.yaml:1:10 extends-missing "), found
    assert why in found


def test_a_contract_that_vanishes_between_two_looks_is_told(project: Project, tmp_path: Path) -> None:
    assert told(project, SOURCE) == []
    node, said = read_once(str(tmp_path / "gone.yaml"))
    assert (node, [item.code for item in said]) == (None, ["file-unreadable"])


def test_contracts_extend_each_other_and_never_in_a_circle(project: Project) -> None:
    base = CONTRACT.replace("owner: sales\n", "")
    source = project
    assert told(source, SOURCE, "extends: base.yaml\nowner: others\n", base=base) == []
    (found,) = told(source, SOURCE, "extends: base.yaml\n", base="extends: orders.yaml\n" + base)
    assert found.startswith("contracts/base.yaml:1:10 extends-cycle ")


@pytest.mark.parametrize(
    ("inline", "expected"),
    [
        (
            "columns: {id: {type: string}}",
            "9:26 contract-conflict type of column 'id' is string here, and bigint in the contract, contracts/orders.yaml, contracts/orders.yaml:5:14",  # noqa: E501
        ),
        (
            "columns: {id: {type: bigint, required: false}}",
            "9:44 contract-conflict required of column 'id' is false here",
        ),
        ("columns: {ID: {type: bigint}}", "9:15 contract-conflict column 'ID' is called 'id' in the contract"),
        ("columns: {more: {type: int}}", "9:15 contract-conflict column 'more' isn't in the contract"),
        ("columns: [id]", "9:14 wrong-type a list stands where"),
        (
            "new_columns: discard",
            "9:18 contract-conflict new_columns: discard here, and the contract's modes say freeze",
        ),
    ],
)
def test_a_contradiction_between_a_source_and_its_contract_names_both_places(
    project: Project, inline: str, expected: str
) -> None:
    (found,) = told(project, SOURCE.replace("    contract:", f"    {inline}\n    contract:"))
    assert found.startswith(f"dags/orders.yaml:{expected}"), found


def test_modes_that_a_load_cant_keep_say_where_the_contract_says_them_and_may_be_said_otherwise(
    project: Project,
) -> None:
    contract = CONTRACT.replace(", pii: true", "").replace("columns: freeze", "columns: discard")
    (found,) = told(project, LOAD, contract)
    assert found.startswith(
        "dags/orders.yaml:21:15 contract-mode a load can't keep columns: discard (contracts/orders.yaml says so, "
        "contracts/orders.yaml:11:33): a load publishes the columns that its steps give"
    )
    use = "contract: {file: contracts/orders.yaml, modes: {columns: freeze}}"
    assert told(project, LOAD.replace("contract: contracts/orders.yaml", use), contract) == []


def test_a_step_that_reads_a_source_past_its_rules_is_told(project: Project) -> None:
    more = "  regions: {type: files, path: data/raw/r.csv, format: csv, window: all}\n"
    swapped = SOURCE.replace(
        "transform:\n  - from: orders\n", more + "transform:\n  - from: regions\n  - union: [orders]\n"
    )
    (found,) = told(project, swapped)  # nobody starts from it: its rules are checks that stop
    assert "contract-note rows of 'orders' that break a rule of contracts/orders.yaml stop the run" in found
    both = (
        "transform:\n  a: {from: orders, steps: [mask: {columns: {customer: redact}}]}\n"
        "  b: {from: regions, steps: [union: [orders], mask: {columns: {customer: redact}}]}\n"
        "check: {}\n"
    )
    text = SOURCE[: SOURCE.index("transform:")] + more + both + SOURCE[SOURCE.index("load:") :]
    text = text.replace("    type: delta\n", "    type: delta\n    from: b\n")
    (found,) = [item for item in told(project, text) if "contract-note" in item]
    assert "the union reads 'orders' as it comes: rows that break contracts/orders.yaml too" in found


TABLE = """\
description: What is sold
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: table
    path: ${env.lake}/orders
    window: {column: ordered_at}
    contract: contracts/orders.yaml
transform:
  - from: orders
  - mask: {columns: {customer: redact}}
load:
  lake:
    type: delta
    path: ${env.lake}/sales
    write: {strategy: replace_window, column: ordered_at}
"""


def between(project: Project, producer: str, contract: str = CONTRACT) -> list[str]:
    """What `lint` of the folder tells of the producer's load that another pipeline reads under a contract."""
    consumer = TABLE
    assert [item for item in told(project, producer, contract) if "contract-note" not in item] == []
    files = [project.load(producer), project.load(consumer, "sales.yaml")]
    assert files[1].pipeline is not None, files[1].diagnostics
    return [f"{item.line}:{item.column} {item.code} {item.key} | {item.message}" for item in across.told(files)]


def test_a_load_is_held_against_the_contract_under_which_another_pipeline_reads_its_table(project: Project) -> None:
    free = LOAD.replace("    contract: contracts/orders.yaml\n", "")
    assert between(project, free) == []
    dropped = free.replace("  - filter: amount > 0\n", '  - derive: {amount: "1.5D"}\n  - drop: [customer]\n')
    found = between(project, dropped)
    assert [item.partition(" reads this table")[0] for item in found] == [
        f"19:5 contract-broken load.lake | source 'orders' of {project.folder}/dags/sales.yaml"
    ] * 2
    place = f"contracts/orders.yaml, {project.folder}/contracts/orders.yaml"
    assert [item.partition("under ")[2] for item in found] == [
        f"{place}:6:13: column 'customer' (string) is wanted, and isn't there",
        f"{place}:7:11: column 'amount' is double, where decimal(10,2) is wanted",
    ]
    assert between(project, dropped.replace("/orders\n    write", "/others\n    write")) == []


def test_a_table_without_a_contract_of_its_own_columns_may_have_more_than_readers_name(project: Project) -> None:
    assert (
        between(
            project,
            LOAD.replace("    contract: contracts/orders.yaml\n", "").replace(
                "filter: amount > 0", 'derive: {more: "1"}'
            ),
        )
        == []
    )


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ("columns: freeze", None),
        ("columns: discard", None),
        (
            "columns: quarantine",
            "a source can't keep columns: quarantine: a source of this kind sees no column that isn't named",
        ),
        ("types: quarantine", None),
    ],
)
def test_a_table_reads_the_columns_of_its_contract_alone(project: Project, modes: str, expected: str | None) -> None:
    use = f"contract: {{file: contracts/orders.yaml, modes: {{{modes}}}}}"
    found = told(project, TABLE.replace("contract: contracts/orders.yaml", use))
    assert [item.partition(" contract-mode ")[2].partition(",")[0] for item in found] == (
        [expected] if expected else []
    )


def test_a_source_without_columns_of_its_own_is_checked_once_it_is_staged(project: Project) -> None:
    query = """\
  sums:
    type: sql
    query: select customer, sum(amount) as amount from orders group by customer
    contract: contracts/sums.yaml
"""
    sums = 'columns:\n  customer: {type: string, required: true, values: [north]}\n  amount: {type: "decimal(20,2)"}\n'
    text = SOURCE.replace("transform:\n  - from: orders\n  - mask", query + "transform:\n  - from: sums\n  - mask")
    text = text.replace("  - drop: [ordered_at]\n", "").replace("  - not_null: [id]", "  - not_null: [customer]")
    errors = [item for item in told(project, text, sums=sums) if "contract-note" not in item]
    assert errors == []
    pipeline = project.load(text).pipeline
    assert pipeline is not None
    assert [name for name, _ in pipeline.check["sums"]] == ["conforms", "not_null", "in_set"]
    assert list(pipeline.check) == ["orders", "sums", "result"]
    wrong = told(
        project,
        text.replace("contracts/sums.yaml", "{file: contracts/sums.yaml, modes: {types: quarantine}}"),
        sums=sums,
    )
    assert any(
        "a source can't keep types: quarantine: a source of this kind sets no row aside" in item for item in wrong
    )


def test_freshness_is_a_check_of_the_source(project: Project) -> None:
    assert told(project, SOURCE, CONTRACT + "freshness: 1h\n") == []
    pipeline = load_file(project.write(SOURCE)).pipeline
    assert pipeline is not None
    (fresh,) = [kind for name, kind in pipeline.check["orders"] if name == "freshness"]
    assert (fresh.column, fresh.within, fresh.name) == (
        "ordered_at",
        timedelta(hours=1),
        "contracts/orders.yaml: freshness",
    )


def test_a_pipeline_written_in_python_names_contracts_too(project: Project) -> None:
    assert told(project, SOURCE) == []
    pipeline = load_mapping(yaml.safe_load(SOURCE), name="orders", base=project.folder).pipeline
    assert pipeline is not None
    assert pipeline.fingerprint == project.pipeline(SOURCE).fingerprint


def test_the_schema_for_editors_takes_the_contracts_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--contract"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    table = yaml.safe_load((ROOT / "contracts/bookings_table.yaml").read_text())
    jsonschema.validate(table, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(table | {"column": {}}, schema)
    for text in (CONTRACT, CONTRACT + "freshness: 1h\n", CONTRACT + "freshness: {column: ordered_at, within: 1h}\n"):
        jsonschema.validate(yaml.safe_load(text), schema)


def test_rules_of_a_source_hold_without_a_transform_and_before_the_steps_of_each_dataset(project: Project) -> None:
    begin, _, rest = SOURCE.partition("transform:\n")
    plain = CONTRACT.replace(", pii: true", "")
    alone = loaded(project, begin + rest[rest.index("load:") :], plain)
    assert [name for name, _ in alone.transform["result"].steps] == ["validate"]
    several = "transform:\n  a: {from: orders, steps: [drop: [amount]]}\n  b: {from: orders}\n  c: {from: a}\n"
    text = begin + several + rest[rest.index("load:") :].replace("    type: delta", "    from: c\n    type: delta")
    assert "unused-dataset" in told(project, text, plain)[0]
    steps = {name: [step for step, _ in item.steps] for name, item in project.load(text).pipeline.transform.items()}  # type: ignore[union-attr]
    assert steps == {"a": ["validate", "drop"], "b": ["validate"], "c": []}


def test_personal_values_may_say_of_which_class_they_are(project: Project) -> None:
    contract = CONTRACT.replace("pii: true", "pii: phone")
    assert [item for item in told(project, SOURCE, contract) if "pii-unmasked" not in item] == []
