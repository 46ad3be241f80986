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
        ("timestamp}", "timestamp, pii: birthday}", ["new.yaml:5:30 warning pii-changed columns.at.pii"]),
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


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('{type: string, min: "b"}', '{type: string, min: "a"}', ["breaking range-widened columns.c.min"]),
        ('{type: string, min: "a"}', '{type: string, min: "b"}', ["compatible range-narrowed columns.c.min"]),
        (
            '{type: timestamp, max: "2013-01-01T00:00"}',
            '{type: timestamp, max: "2012-01-01T00:00Z"}',
            ["breaking range-widened columns.c.max"],
        ),
        (
            '{type: date, max: "2013-01-01"}', '{type: date, max: "20121231"}',
            ["compatible range-narrowed columns.c.max"],
        ),
        ("{type: int, unique: true, required: true}\nkeys: [c]", "{type: int}\nkeys: [c]", []),
        ("{type: int}\nkeys: [c]", "{type: int, unique: true, required: true}", ["compatible key-changed keys"]),
        (
            "{type: int}\n  d: {type: int, required: true}\nkeys: [c, d]",
            "{type: int, unique: true, required: true}\n  d: {type: int, required: true}",
            ["compatible unique-gained columns.c.unique", "compatible key-changed keys"],
        ),
        (
            "{type: int, min: 0, max: 9}",
            "{type: int, values: [1, 2]}",
            [
                "compatible range-narrowed columns.c.max", "compatible range-narrowed columns.c.min",
                "compatible values-removed columns.c.values",
            ],
        ),
        (
            "{type: int, min: 0}",
            "{type: int, values: [-1, 2]}",
            ["breaking range-widened columns.c.min", "compatible values-removed columns.c.values"],
        ),
        ('{type: "array<INTEGER>"}', '{type: "Array< int >"}', []),
        ('{type: "struct<`a`: BIGINT, b: dec(5, 2)>"}', '{type: "struct<a:LONG,b decimal(5,2) comment \'x, y\'>"}', []),
        (
            '{type: "map<string, array<struct<a: int>>>"}', '{type: "map<string,array<struct<A: int>>>"}',
            ["breaking type-changed columns.c.type"],
        ),
        ('{type: "struct<a: int>"}', '{type: "struct<a: int not null>"}', ["breaking type-changed columns.c.type"]),
    ],
)  # fmt: skip
def test_what_is_another_way_of_saying_the_same_or_less_breaks_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, expected: list[str]
) -> None:
    _, found = compared(tmp_path, capsys, f"columns:\n  c: {new}\n", f"columns:\n  c: {old}\n")
    assert [item.partition(" ")[2] for item in found] == expected


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


CSV = """\
id,email,state,amount,day,code,note,mixed,on,at,empty
1,ada@example.com,open,1.5,2013-01-01,007,call +49 30 1234567 now,1,true,2013-01-01T08:00:00Z,
2,bob@example.com,paid,,2013-01-02,008,,x,false,2013-01-01,
3,eve@example.com,open,3,2013-01-03,009,,2,true,2013-01-01 09:00,
4,x@example.com,open,99.25,2013-01-03,009,,,true,2013-01-02T08:00:00Z,
5,y@example.com,paid,2,2013-01-03,009,,,true,2013-01-02T08:00:00Z,
6,z@example.com,paid,2,2013-01-03,009,,,true,2013-01-02T08:00:00Z,
"""


def drafted(capsys: pytest.CaptureFixture[str], *files: Path, more: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Column -> its lines in the draft, which is a sound contract; what speaks of all columns under an empty name."""
    assert main(["contract", "infer", *map(str, files), *more]) == 0
    text = capsys.readouterr().out
    draft = files[0].with_name("draft.yaml")
    draft.write_text(text)
    assert main(["contract", "check", str(draft)]) == 0, capsys.readouterr()
    capsys.readouterr()
    found: dict[str, list[str]] = {"": []}
    column = ""
    for line in text.partition("columns:\n")[2].splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            column = line.strip(" :\"'")
        elif not line.startswith("    "):
            found[""].append(line)
        else:
            found.setdefault(column, []).append(line.strip())
    return found


def test_a_draft_says_what_a_sample_shows_and_leaves_promises_to_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "orders.csv"
    sample.write_text(CSV)
    found = drafted(capsys, sample)
    assert found["id"] == [
        "type: bigint",
        "required: true # no row of 6 was without a value",
        "# unique: true # no value came twice in 6 rows",
        "# min: 1 # the smallest that came",
        "# max: 6 # the largest that came",
        '# description: ""',
    ]
    assert found["email"][2] == "pii: email # in 6 of 6 values"
    assert not [line for line in found["email"] if "example.com" in line]
    assert "# values: [open, paid] # all that came" in found["state"]
    assert found["amount"][:2] == [
        'type: double # exact amounts want "decimal(12,2)"',
        "# not required: 1 of 6 rows had no value",
    ]
    assert found["day"][0] == "type: date"
    assert found["code"][0] == "type: string # numbers with leading zeros: text, so that those stay"
    assert "# pii: phone # phone in 1 of 1 values: is it personal?" in found["note"]
    assert found["mixed"][0] == "type: string # values of several types: bigint, string"
    assert (found["on"][0], found["at"][0]) == ("type: boolean", "type: timestamp")
    assert found["empty"][0] == "type: string # no row had a value: nobody knows"
    assert found[""][:2] == [
        "# keys: [id] # it was unique in 6 rows; so are email",
        "# freshness: {column: day, within: 1d} # how old may the newest row be?",
    ]


def test_a_sample_may_be_several_files_and_a_part_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text('{"id": 1, "deep": {"x": 1.5}, "tags": ["a"]}\n{"id": 2}\n')
    second.write_text('{"id": 3, "late": "2013-01-01"}\n{"id": "no number"}\n')
    found = drafted(capsys, first, second, more=("--rows", "1"))
    assert (found["id"][0], found["deep"][0], found["tags"][0]) == (
        "type: bigint", 'type: "struct<`x`: double>"', 'type: "array<string>"'
    )  # fmt: skip
    assert found["late"][:2] == ["type: date", "# not required: 1 of 2 rows had no value"]
    assert drafted(capsys, first, second)["id"][0] == "type: string # values of several types: bigint, string"


def test_the_schemas_of_parquet_and_orc_are_taken_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    from pyarrow import orc, parquet

    schema = pa.schema(
        [
            pa.field("id", pa.int32(), nullable=False),
            pa.field("amount", pa.decimal128(12, 2)),
            pa.field("at", pa.timestamp("us", tz="UTC")),
            pa.field("deep", pa.struct([pa.field("x y", pa.list_(pa.int64()))])),
        ]
    )
    table = pa.table([[1, 2], [None, None], [None, None], [None, None]], schema=schema)
    parquet.write_table(table, tmp_path / "a.parquet")
    orc.write_table(table.drop_columns(["at"]), tmp_path / "a.orc")
    found = drafted(capsys, tmp_path / "a.parquet")
    assert found["id"][:2] == ["type: int", "required: true"]
    assert [found[name][0] for name in ("amount", "at", "deep")] == [
        'type: "decimal(12,2)"', "type: timestamp", 'type: "struct<`x y`: array<bigint>>"'
    ]  # fmt: skip
    assert drafted(capsys, tmp_path / "a.orc")["id"][0] == "type: int"


def test_the_schema_of_avro_is_taken_out_of_its_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = [
        {"name": "id", "type": "long"},
        {"name": "state", "type": ["null", {"type": "enum", "name": "State", "symbols": ["OPEN", "PAID"]}]},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "before", "type": ["null", "State"]},
        {"name": "lines", "type": {"type": "array", "items": {"type": "map", "values": "int"}}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    ]
    schema = json.dumps({"type": "record", "name": "Order", "fields": fields}).encode()
    assert 64 <= len(schema) < 8192
    size = bytes([(2 * len(schema)) & 0x7F | 0x80, (2 * len(schema)) >> 7])
    head = b"Obj\x01\x04" + b"\x16avro.schema" + size + schema + b"\x14avro.codec\x08null\x00" + b"s" * 16
    sample = tmp_path / "orders.avro"
    sample.write_bytes(head)
    found = drafted(capsys, sample)
    assert found["id"][:2] == ["type: bigint", "required: true"]
    assert found["state"][:2] == ["type: string", "values: [OPEN, PAID]"]
    assert [found[name][0] for name in ("amount", "before", "lines", "day")] == [
        'type: "decimal(9,2)"', "type: string", 'type: "array<map<string, int>>"', "type: date"
    ]  # fmt: skip
    loop = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
    for wrong, why in (
        (loop, "its type 'L' holds itself, which Spark can't read"),
        ({"type": "record", "name": "R", "fields": [{"name": "a", "type": loop}]}, "its type 'L' holds itself"),
        ({"type": "record", "name": "R", "fields": [{}]}, "its schema isn't one of Avro"),
        ("long", "its schema is no record"),
    ):
        schema = json.dumps(wrong).encode()
        long = bytes([(2 * len(schema)) & 0x7F | 0x80, (2 * len(schema)) >> 7])
        long = long if len(schema) >= 64 else bytes([2 * len(schema)])
        sample.write_bytes(b"Obj\x01\x02" + b"\x16avro.schema" + long + schema + b"\x00" + b"s" * 16)
        assert main(["contract", "infer", str(sample)]) == 1
        assert why in capsys.readouterr().err
    sample.write_bytes(b"Obj\x01\x02\xfe\xff\xff\xff\x7f")
    assert main(["contract", "infer", str(sample)]) == 1
    assert "its header has a part of " in capsys.readouterr().err
    sample.write_bytes(head[:60])
    assert main(["contract", "infer", str(sample)]) == 1
    assert "the file can't be read as avro: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "code", "told"),
    [
        ("a.txt", "a\n", 2, "a.txt: the ending '.txt' names no format; --format csv, tsv, json"),
        ("a.json", "{\n", 1, "a.json: the file can't be read as json: Expecting"),
        (
            "a.json",
            '["ada@x.com"]\n',
            1,
            "a.json: the file can't be read as json: a list stands where an object is wanted; --format json_document?",
        ),
        ("a.csv", "1,ada@x.com\n", 1, "a column's name is a personal value (email): has the file a header?"),
        ("a.json", '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}\n", 1, "it is nested too deeply"),
        ("a.csv", "id,ID\n1,2\n", 1, "columns 'id' and 'ID' differ by case at most"),
        ("a.json", "", 2, "a.json: no column was found; name a sample with rows"),
        ("a.parquet", "PAR", 1, "the file can't be read as parquet: "),
    ],
)
def test_a_sample_that_cant_be_read_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, name: str, text: str, code: int, told: str
) -> None:
    (tmp_path / name).write_text(text)
    assert main(["contract", "infer", str(tmp_path / name)]) == code
    error = capsys.readouterr().err
    assert told in error
    assert len(error.splitlines()) == 1
    assert "ada@" not in error


def test_nothing_personal_stands_in_a_draft_however_late_or_deep_it_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late, deep = tmp_path / "a.csv", tmp_path / "b.json"
    rows = ["open,1"] * 3000 + ["ada@example.com,4111111111111111"] * 3000
    late.write_text("state,number\n" + "\n".join(rows) + "\n")
    found = drafted(capsys, late)
    assert "# pii: email # email in 1 of 2 values: is it personal?" in found["state"]
    assert "# pii: card # card in 1 of 2 values: is it personal?" in found["number"]
    assert not [line for lines in found.values() for line in lines if "ada" in line or "4111" in line]
    deep.write_text('{"who": {"mails": ["ada@example.com"]}, "by": {"bob@example.com": 1}, "n": 4111111111111111.0}\n')
    found = drafted(capsys, deep)
    assert found["who"][2] == "# pii: email # email in 1 of 2 values: is it personal?"
    assert found["by"][0] == 'type: "map<string, bigint>"'
    assert "pii: card # in 1 of 1 values" in found["n"]
    assert not [line for lines in found.values() for line in lines if "example.com" in line or "4111" in line]


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        (["9223372036854775807", "-9223372036854775808"], "bigint"),
        (["9223372036854775808", "1"], '"decimal(38,0)"'),
        (["1" * 38], '"decimal(38,0)"'),
        (["1" * 39], "string"),
        (["1.5", "1" * 20], "string # values of several types: decimal(38,0), double"),
    ],
)
def test_a_draft_keeps_every_digit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], numbers: list[str], kind: str
) -> None:
    texts, plain = tmp_path / "a.csv", tmp_path / "a.json"
    texts.write_text("\n".join(["n,m", *(f"{number},+1" for number in numbers)]) + "\n")
    plain.write_text("".join(f'{{"n": {number}}}\n' for number in numbers))
    found = drafted(capsys, texts)
    assert (found["n"][0], found["m"][0]) == (f"type: {kind}", "type: string")
    assert drafted(capsys, plain)["n"][0] == f"type: {kind}"


def test_columns_that_come_in_a_later_sample_are_missing_in_those_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id\n1\n2\n")
    second.write_text("id,more\n3,x\n")
    assert drafted(capsys, first, second)["more"][1] == "# not required: 2 of 3 rows had no value"
    files = [tmp_path / f"{name}.parquet" for name in "abc"]
    few = pa.schema([pa.field("id", pa.int32(), nullable=False), pa.field("old", pa.int32(), nullable=False)])
    parquet.write_table(pa.table([[1], [2]], schema=few), files[0])
    more = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("new", pa.int32(), nullable=False)])
    parquet.write_table(pa.table([[1], [2]], schema=more), files[1])
    parquet.write_table(pa.table({"id": ["x"]}), files[2])
    found = drafted(capsys, *files[:2])
    assert found["id"][:2] == ["type: bigint", "required: true"]
    assert found["old"][1] == found["new"][1] == "# not required: 1 of 2 rows had no value"
    for later, told in ((files[2], "column 'id' is string here and int in the files before"), (first, "another kind")):
        assert main(["contract", "infer", str(files[0]), str(later)]) == 1
        error = capsys.readouterr().err
        assert told in error
        assert len(error.splitlines()) == 1


def test_personal_texts_are_those_that_the_step_finds_which_masks_them() -> None:
    from airflow_provider_etl.contracts.personal import kind_in, kind_of
    from tests.spark_jobs.transform.test_mask import INSIDE, NOTHING, WHOLE

    assert [text for text in WHOLE if kind_of(text) is None] == []
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    assert [text for text in WHOLE if "@" not in text and kind_of(text.translate(arabic))] == []
    assert [text for text in NOTHING if kind_of(text) or kind_in(text)] == []
    assert [text for text, masked in INSIDE if f"[{kind_in(text)}]" not in masked] == []
