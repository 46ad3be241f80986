"""Bad inputs with good rows in them: what comes, how a pipeline reads it, what is loaded and what is set aside."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any, Final

INT, REQUIRED = {"type": "int"}, {"type": "int", "required": True}
TEXT, DOUBLE, TIME = {"type": "string"}, {"type": "double"}, {"type": "timestamp"}
THREE: Final = {"id": REQUIRED, "name": TEXT, "price": DOUBLE}
LONGEST: Final = "x" * 20_000_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """One source of the pipeline.

    Args:
        id: of the matrix, and what is special here.
        files: name -> content.
        options: of the source, beside path and window.
        steps: of its dataset.
        rows: that are loaded, without their nulls; their order doesn't matter.
        refused: raw record, or how it begins, and its rules; in the order of the raw records.
    """

    id: str
    files: dict[str, str | bytes]
    options: dict[str, Any]
    steps: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]]
    refused: list[tuple[str, list[str]]] = field(default_factory=list)


def csv(text: str | bytes, name: str = "a.csv") -> dict[str, str | bytes]:
    """One file."""
    return {name: text}


def parquet(**columns: Any) -> bytes:
    """A Parquet file of these columns."""
    import pyarrow as pa
    from pyarrow import parquet as form

    made = io.BytesIO()
    form.write_table(pa.table(columns), made)
    return made.getvalue()


def three(**more: Any) -> dict[str, Any]:
    """A CSV of three columns."""
    return {"format": "csv", "columns": THREE, **more}


def one(kind: str, **more: Any) -> dict[str, Any]:
    """A CSV of one column `v`."""
    return {"format": "csv", "columns": {"v": {"type": kind}}, **more}


PRICE: Final = "try_cast(replace(replace(trim(replace(price, '€', '')), '.', ''), ',', '.') AS decimal(10,2))"
YES: Final = "CASE lower(name) WHEN 'ja' THEN true WHEN 'nein' THEN false END"

CASES: Final = (
    Case(
        id="B01 a byte order mark",
        files=csv("\ufeffid,name,price\n1,Ann,1.5\n"),
        options=three(),
        rows=[{"id": 1, "name": "Ann", "price": 1.5}],
    ),
    Case(
        id="B03 a line of Latin-1 in UTF-8",
        files=csv("id,name,price\n1,Änn,1\n".encode() + "2,Bö,2\n".encode("latin-1")),
        options=three(),
        rows=[{"id": 1, "name": "Änn", "price": 1.0}],
        refused=[("2,Bö,2", ["utf8"])],
    ),
    Case(id="B05 an empty file", files=csv(""), options=three(), rows=[]),
    Case(id="B05 a header alone", files=csv("id,name,price\n"), options=three(), rows=[]),
    Case(
        id="B06 too few and too many fields",
        files=csv("id,name,price\n1,Ann\n2,Bo,2\n3,Cy,3,extra\n"),
        options=three(),
        rows=[{"id": 2, "name": "Bo", "price": 2.0}],
        refused=[("1,Ann", ["ragged"]), ("3,Cy,3,extra", ["ragged"])],
    ),
    Case(
        id="B07 words and fractions for an integer",
        files=csv("id,name,price\nseven,Ann,1\n1.5,Bo,2\n3,Cy,3\n,Di,4\n"),
        options=three(),
        rows=[{"id": 3, "name": "Cy", "price": 3.0}],
        refused=[(",Di,4", ["required id"]), ("1.5,Bo,2", ["type id"]), ("seven,Ann,1", ["type id"])],
    ),
    Case(
        id="B09 another order of columns",
        files={"a.csv": "id,name,price\n1,Ann,1\n", "b.csv": "price,name,id\n2,Bo,20\n"},
        options=three(),
        rows=[{"id": 1, "name": "Ann", "price": 1.0}, {"id": 20, "name": "Bo", "price": 2.0}],
    ),
    Case(
        id="B12 a line break in quotes",
        files=csv('id,name,price\n1,"An\nn",1\n2,Bo,2\n'),
        options=three(),
        rows=[{"id": 2, "name": "Bo", "price": 2.0}],
        refused=[('1,"An', ["quotes"]), ('n",1', ["quotes"])],
    ),
    Case(
        id="B12 a line break in quotes with multiline, held against a manifest",
        files={"a.csv": 'id,name,price\n1,"An\nn",1\n2,Bo,2\n', "a.csv.manifest.json": '{"rows": 2}'},
        options=three(multiline=True, manifest="required"),
        rows=[{"id": 1, "name": "An\nn", "price": 1.0}, {"id": 2, "name": "Bo", "price": 2.0}],
    ),
    Case(
        id="B13 a field of 20 MB",
        files=csv(f"id,name,price\n1,{LONGEST},1\n2,Bo,2\n"),
        options=three(),
        rows=[{"id": 2, "name": "Bo", "price": 2.0}],
        refused=[("1,xxx", ["too_long"])],
    ),
    Case(
        id="B14 numbers that are none",
        files=csv("v\nNaN\nInfinity\n-Infinity\n1e400\n1.5\n"),
        options=one("double"),
        steps=[{"validate": {"finite": "v BETWEEN -1e300 AND 1e300"}}],
        rows=[{"v": 1.5}],
        refused=[
            ("1e400", ["type v"]),
            ('{"v":"-Infinity"}', ["validate finite"]),
            ('{"v":"Infinity"}', ["validate finite"]),
            ('{"v":"NaN"}', ["validate finite"]),
        ],
    ),
    Case(
        id="B15 NaN in JSON",
        files=csv(
            '{"v": NaN}\n{"v": Infinity}\n{"v": "NaN"}\n{"v": "Infinity"}\n{"v": 1e400}\n{"v": -1e400}\n{"v": 1}\n',
            "a.json",
        ),
        options=one("double", format="json"),
        steps=[{"validate": {"finite": "v BETWEEN -1e300 AND 1e300"}}],
        rows=[{"v": 1.0}],
        refused=[
            ('{"v": -1e400}', ["type v"]),
            ('{"v": 1e400}', ["type v"]),
            ('{"v": Infinity}', ["json"]),
            ('{"v": NaN}', ["json"]),
            ('{"v":"Infinity"}', ["validate finite"]),
            ('{"v":"NaN"}', ["validate finite"]),
        ],
    ),
    Case(
        id="B14 a number that is none within an array",
        files=csv('{"v": [1, 1e400]}\n{"v": [1.5, null]}\n', "a.json"),
        options=one("array<double>", format="json"),
        rows=[{"v": [1.5, None]}],
        refused=[('{"v": [1, 1e400]}', ["type v"])],
    ),
    Case(
        id="B16 broken JSON",
        files=csv('{"v": 1}\n{"v": 2\n[1]\n{"v": 3}{"v": 4}\n{"v": 5, "v": 6}\n', "a.json"),
        options=one("int", format="json"),
        rows=[{"v": 1}],
        refused=[
            ("[1]", ["json"]),
            ('{"v": 2', ["json"]),
            ('{"v": 3}{"v": 4}', ["json"]),
            ('{"v": 5, "v": 6}', ["json"]),
        ],
    ),
    Case(
        id="B17 a number here and an object there",
        files=csv('{"v": 1}\n{"v": {"a": 1}}\n', "a.json"),
        options=one("int", format="json"),
        rows=[{"v": 1}],
        refused=[('{"v": {"a": 1}}', ["type v"])],
    ),
    Case(
        id="B18 more than the type holds",
        files=csv("i,d\n2147483648,1\n1,1000\n2,1.235\n3,1.23\n"),
        options={"format": "csv", "columns": {"i": INT, "d": {"type": "decimal(5,2)"}}},
        rows=[{"i": 3, "d": 1.23}],
        refused=[("1,1000", ["type d"]), ("2,1.235", ["type d"]), ("2147483648,1", ["type i"])],
    ),
    Case(
        id="B19 the 17th digit in CSV",
        files=csv("v\n9007199254740993\n9007199254740993.0\n"),
        options=one("bigint"),
        rows=[{"v": 2**53 + 1}],
        refused=[("9007199254740993.0", ["type v"])],
    ),
    Case(
        id="B19 the 17th digit in JSON",
        files=csv('{"v": 9007199254740993, "w": 9007199254740993}\n', "a.json"),
        options=one("bigint", format="json"),
        rows=[{"v": 2**53 + 1, "w": "9007199254740993"}],
    ),
    Case(
        id="B20 a NUL in a line",
        files=csv("v\na\0b\nab\n"),
        options=one("string"),
        rows=[{"v": "ab"}],
        refused=[("a\0b", ["nul"])],
    ),
    Case(
        id="B20 a NUL in JSON",
        files=csv('{"v": "a\\u0000b"}\n{"v": "ab"}\n', "a.json"),
        options=one("string", format="json"),
        steps=[{"validate": {"text": "instr(v, chr(0)) = 0"}}],
        rows=[{"v": "ab"}],
        refused=[('{"v":"a\\u0000b"}', ["validate text"])],
    ),
    Case(
        id="B21 an hour that the clock skips",
        files=csv("v\n2013-03-10 02:30:00\n"),
        options=one("timestamp", timezone="America/New_York"),
        rows=[{"v": "2013-03-10T07:30:00.000Z"}],
    ),
    Case(
        id="B22 an hour that the clock repeats",
        files=csv("v\n2013-11-03 01:30:00\n2013-11-03 01:30:00-05:00\n"),
        options=one("timestamp", timezone="America/New_York"),
        rows=[{"v": "2013-11-03T05:30:00.000Z"}, {"v": "2013-11-03T06:30:00.000Z"}],
    ),
    Case(
        id="B23 the years 1 and 9999",
        files=csv("v\n0001-01-01\n9999-12-31\n2013-01-01\n10000-01-01\n"),
        options=one("date"),
        steps=[{"validate": {"plausible": "year(v) BETWEEN 1900 AND 2100"}}],
        rows=[{"v": "2013-01-01"}],
        refused=[
            ("10000-01-01", ["type v"]),
            ('{"v":"0001-01-01"}', ["validate plausible"]),
            ('{"v":"9999-12-31"}', ["validate plausible"]),
        ],
    ),
    Case(
        id="B26 a new column in a later Parquet file",
        files={"a.parquet": parquet(v=[1]), "b.parquet": parquet(v=[2], w=["new"])},
        options=one("bigint", format="parquet"),
        rows=[{"v": 1}, {"v": 2, "w": "new"}],
    ),
    Case(
        id="B26 a new column where rows that use it are set aside",
        files={"a.csv": "v\n1\n", "b.csv": "v,w\n2,new\n3,\n"},
        options=one("int", new_columns="quarantine"),
        rows=[{"v": 1}, {"v": 3}],
        refused=[("2,new", ["new column w"])],
    ),
    Case(
        id="B27 a folder called 01",
        files={"m=01/a.csv": "v\n1\n", "m=1/a.csv": "v\n2\n"},
        options={"format": "csv", "columns": {"m": TEXT, "v": INT}, "partitions": ["m"]},
        rows=[{"m": "01", "v": 1}, {"m": "1", "v": 2}],
    ),
    Case(
        id="B29 names with _ and . before them",
        files={"a.csv": "v\n1\n", "_b.csv": "v\n2\n", ".c.csv": "v\n3\n"},
        options=one("int"),
        rows=[{"v": 1}],
    ),
    Case(
        id="B30 letters of globs in names",
        files={"q[1].csv": "v\n1\n", "s*.csv": "v\n2\n", "{x}.csv": "v\n3\n"},
        options=one("int"),
        rows=[{"v": 1}, {"v": 2}, {"v": 3}],
    ),
    Case(
        id="B31 forms of Unicode",
        files=csv("id,v\n1,Zoe\u0308\n2,Zoë\n3,Straße\n4,STRASSE\n5,İ\n6,ﬁn\n"),
        options={"format": "csv", "columns": {"id": INT, "v": TEXT}},
        steps=[
            {"clean": {"normal_form": "NFC"}},
            {"dedupe": {"keys": ["v"], "keep": "first", "order_by": ["id"]}},
        ],
        rows=[
            {"id": 1, "v": "Zoë"},
            {"id": 3, "v": "Straße"},
            {"id": 4, "v": "STRASSE"},
            {"id": 5, "v": "İ"},
            {"id": 6, "v": "ﬁn"},
        ],
    ),
    Case(
        id="B34 the same file under another name",
        files={"a.csv": "v\n1\n", "again.csv": "v\n1\n", "b.csv": "v\n2\n"},
        options=one("int", repeated_files="skip"),
        rows=[{"v": 1}, {"v": 2}],
    ),
    Case(
        id="B37 one row",
        files=csv("v\n1\n"),
        options=one("int"),
        rows=[{"v": 1}],
    ),
    Case(
        id="B40 numbers and words as people write them, undeclared",
        files=csv('id,name,price\n1,ja,"1.234,50 €"\n2,x,"7,5"\n3,nein,7.5\n'),
        options=three(),
        rows=[{"id": 3, "name": "nein", "price": 7.5}],
        refused=[('1,ja,"1.234,50 €"', ["type price"]), ('2,x,"7,5"', ["type price"])],
    ),
    Case(
        id="B40 numbers and words as people write them, declared",
        files=csv('id,name,price\n1,ja,"1.234,50 €"\n2,x,"7,5"\n3,nein,abc\n'),
        options=three(columns={"id": REQUIRED, "name": TEXT, "price": TEXT}),
        steps=[
            {"derive": {"price": PRICE, "name": YES}},
            {"validate": {"price": "price IS NOT NULL", "name": "name IS NOT NULL"}},
        ],
        rows=[{"id": 1, "name": True, "price": 1234.5}],
        refused=[('{"id":2,', ["validate name"]), ('{"id":3,', ["validate price"])],
    ),
    Case(
        id="B41 days and months, and seconds since 1970",
        files=csv("v\n03/04/2026\n1767225600\n1767225600000\n31/12/2025\n12/31/2025\n01/01/0026\n"),
        options=one("timestamp", timestamp_format="dd/MM/yyyy"),
        steps=[{"validate": {"plausible": "year(v) >= 2000"}}],
        rows=[{"v": "2026-04-03T00:00:00.000Z"}, {"v": "2025-12-31T00:00:00.000Z"}],
        refused=[
            ("12/31/2025", ["type v"]),
            ("1767225600", ["type v"]),
            ("1767225600000", ["type v"]),
            ('{"v":"0026', ["validate plausible"]),
        ],
    ),
    Case(
        id="B54 one bad record of a thousand",
        files=csv("v\n" + "".join(f"{number}\n" for number in range(999)) + "x\n"),
        options=one("int", mostly=0.999),
        steps=[{"filter": "v < 1"}],
        rows=[{"v": 0}],
        refused=[("x", ["type v"])],
    ),
)
