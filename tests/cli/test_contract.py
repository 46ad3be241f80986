"""`contract`: what a new version of a contract breaks, and first drafts out of samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_etl.cli.main import main

OLD = """\
columns:
  id: {type: bigint, required: true}
  state: {type: string, values: [open, paid]}
  amount: {type: "decimal(10,2)", min: 0, max: 100, required: true}
  at: {type: timestamp}
  code: {type: string, unique: true, regex: "^a"}
keys: [id]
freshness: {column: at, within: 1h}
completeness: {columns: [at], share: 99 %}
"""


def compared(folder: Path, capsys: pytest.CaptureFixture[str], new: str, old: str = OLD) -> tuple[int, list[str]]:
    """Exit code, and `line:col severity code path` of each change."""
    (folder / "old.yaml").write_text(old)
    (folder / "new.yaml").write_text(new)
    code = main(["contract", "check", str(folder / "old.yaml"), str(folder / "new.yaml"), "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    return code, [
        f"{item['place'].removeprefix(f'{folder}/')} {item['severity']} {item['code']} {item['path']}" for item in found
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  at: {type: timestamp}\n", "  at: {type: timestamp, description: when}\n", []),
        ("bigint", "LONG", []),
        ("state:", "State:", ["old.yaml:3:10 breaking column-removed columns.state", "new.yaml:3:10 compatible column-added columns.State"]),  # noqa: E501
        ("bigint", "int", ["new.yaml:2:14 breaking type-changed columns.id.type"]),
        ("decimal(10,2)", "decimal(12,2)", ["new.yaml:4:18 breaking type-changed columns.amount.type"]),
        (", required: true}\n  at", "}\n  at", ["new.yaml:4:11 breaking required-lost columns.amount.required"]),
        ("timestamp}", "timestamp, required: true}", ["new.yaml:5:35 compatible required-gained columns.at.required"]),
        ("[open, paid]", "[open, paid, sent]", ["new.yaml:3:33 breaking values-added columns.state.values"]),
        ("[open, paid]", "[open]", ["new.yaml:3:33 compatible values-removed columns.state.values"]),
        (", values: [open, paid]", "", ["new.yaml:3:10 breaking values-added columns.state.values"]),
        ("max: 100", "max: 101", ["new.yaml:4:48 breaking range-widened columns.amount.max"]),
        ("max: 100", "max: 99", ["new.yaml:4:48 compatible range-narrowed columns.amount.max"]),
        ("min: 0, ", "", ["new.yaml:4:11 breaking range-widened columns.amount.min"]),
        ("min: 0", "min: 0.5", ["new.yaml:4:40 compatible range-narrowed columns.amount.min"]),
        ("^a", "^[ab]", ["new.yaml:6:45 warning regex-changed columns.code.regex"]),
        (', regex: "^a"', "", ["new.yaml:6:9 breaking regex-changed columns.code.regex"]),
        ("unique: true, ", "", ["new.yaml:6:9 breaking unique-lost columns.code.unique"]),
        ("timestamp}", "timestamp, pii: true}", ["new.yaml:5:30 warning pii-changed columns.at.pii"]),
        ("keys: [id]", "keys: [id, code]", ["new.yaml:7:7 breaking key-changed keys", "new.yaml:6:9 compatible required-gained columns.code.required"]),  # noqa: E501
        ("within: 1h", "within: 2h", ["new.yaml:8:12 breaking freshness-loosened freshness"]),
        ("within: 1h", "within: 30m", ["new.yaml:8:12 compatible freshness-tightened freshness"]),
        ("99 %", "98 %", ["new.yaml:9:15 breaking completeness-loosened completeness"]),
        ("99 %", "0.995", ["new.yaml:9:15 compatible completeness-tightened completeness"]),
        ("keys:", "modes: {columns: freeze}\nkeys:", ["new.yaml:7:18 warning mode-changed modes.columns"]),
    ],
)  # fmt: skip
def test_every_change_is_classed_by_what_it_does_to_readers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, expected: list[str]
) -> None:
    assert old in OLD
    code, found = compared(tmp_path, capsys, OLD.replace(old, new, 1))
    assert found == expected
    assert code == int(any(" breaking " in item for item in expected))


def test_a_new_column_breaks_readers_that_are_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = OLD.replace("keys:", "  more: {type: int}\nkeys:")
    assert compared(tmp_path, capsys, more)[0] == 0
    closed = OLD + "modes: {columns: freeze}\n"
    code, found = compared(tmp_path, capsys, more + "modes: {columns: freeze}\n", closed)
    assert (code, found) == (1, ["new.yaml:7:9 breaking column-added columns.more"])


def test_the_standard_and_our_own_form_can_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = "columns:\n  id: {type: bigint, required: true}\n  day: {type: date}\nkeys: [id]\n"
    standard = """\
apiVersion: v3.1.0
kind: DataContract
version: 1.0.0
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: day, logicalType: string}
"""
    code, found = compared(tmp_path, capsys, standard, old)
    assert (code, found) == (1, ["new.yaml:8:34 breaking type-changed columns.day.type"])
    several = standard + "  - {name: more, properties: [{name: id, logicalType: integer}]}\n"
    gone = several.replace("name: orders", "name: others")
    code, found = compared(tmp_path, capsys, gone, several)
    assert [item.split(" ", 1)[1] for item in found] == [
        "breaking schema-removed orders", "compatible schema-added others"
    ]  # fmt: skip


def test_the_text_form_ends_with_the_numbers_and_a_bad_file_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(OLD)
    new.write_text(OLD.replace("max: 100", "max: 1000"))
    assert main(["contract", "check", str(old), str(new)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{new}:4:48: breaking[range-widened]: columns.amount.max: max of amount was 100 and is 1000: values come that readers refuse",  # noqa: E501
        "1 breaking, 0 warning, 0 compatible",
    ]
    assert main(["contract", "check", str(old)]) == 0
    new.write_text(OLD.replace("bigint", "bigit"))
    assert main(["contract", "check", str(old), str(new)]) == 2
    assert f"{new}:2:14: error[unknown-type]: columns.id.type: 'bigit' is no type of Spark" in capsys.readouterr().err
    assert main(["contract", "check", str(tmp_path / "none.yaml")]) == 2
