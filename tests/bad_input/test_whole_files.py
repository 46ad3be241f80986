"""Bad inputs of which no row can be trusted: the run stops before anything is published, and names the file."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.extract import excel, whole, xml
from spark_jobs.failures import classify
from tests.bad_input.cases import THREE, parquet
from tests.spark_jobs.extract.drops import Drops

CSV = "id,name,price\n1,Ann,1\n"
GOOD: dict[str, Any] = {"format": "csv", "columns": THREE}
PARQUET: dict[str, Any] = {"format": "parquet", "columns": {"v": "bigint"}}
TRAILER: dict[str, Any] = GOOD | {"trailer": r"T(?<rows>\d+)"}
MANY = gzip.compress("".join(["id,name,price\n", *(f"{n},n{n * 7919},{n}\n" for n in range(50_000))]).encode())

# id: files, options, what the error says
CASES: dict[str, tuple[dict[str, str | bytes], dict[str, Any], str]] = {
    "B02 UTF-16": ({"a.csv": CSV.encode("utf-16")}, GOOD, r"a\.csv: the file is UTF-16; .*iconv"),
    "B02 UTF-16 without a mark": ({"a.csv": CSV.encode("utf-16-le")}, GOOD, r"a\.csv: the file is UTF-16; .*iconv"),
    "B03 Latin-1 in the header": (
        {"a.csv": "id,Größe\n1,2\n".encode("latin-1")},
        {"format": "csv"},
        r"a\.csv: the header is no UTF-8: byte 0xf6 at 5",
    ),
    "B03 Latin-1 in most lines": (
        {"a.csv": "id,name,price\n1,Ö,1\n2,Ö,2\n3,a,3\n".encode("latin-1")},
        GOOD | {"mostly": 0.9},
        r"2 bad records, the first: .*a\.csv line 2: .*byte 0xd6 at 2 is no UTF-8.*at least 90 % of 3 records good",
    ),
    "B04 half of a gzip": ({"a.csv.gz": MANY[: len(MANY) // 2]}, GOOD, r"a\.csv\.gz"),
    "B05 no file": ({}, GOOD, r"no file for the window .*wait for the file, or set empty: allow"),
    "B10 a column twice": ({"a.csv": "id,name,id\n1,a,2\n"}, GOOD, r"a\.csv: the file has column 'id' twice"),
    "B11 columns that differ by case in CSV": (
        {"a.csv": "id,name,ID\n1,a,2\n"},
        GOOD,
        r"a\.csv: the file has column 'id' and 'ID'",
    ),
    "B11 keys that differ by case in JSON": (
        {"a.json": '{"a": 1}\n{"A": 2}\n'},
        {"format": "json"},
        r"a\.json: column 'a' differs only by case from 'A'",
    ),
    "B24 half of a Parquet file": (
        {"a.parquet": parquet(v=[1]), "b.parquet": parquet(v=list(range(5000)))[:9000]},
        PARQUET,
        r"b\.parquet: no Parquet file, or not a whole one",
    ),
    "B25 an integer in one file and a text in another": (
        {"a.parquet": parquet(v=[1]), "b.parquet": parquet(v=["x"])},
        PARQUET,
        r"b\.parquet: column 'v' is string, but bigint in .*a\.parquet",
    ),
    "B28 a folder with no value": (
        {"city=/a.csv": "id\n1\n"},
        {"format": "csv", "columns": {"city": "string", "id": "int"}, "partitions": ["city"]},
        r"the folder city= says no value.*__HIVE_DEFAULT_PARTITION__ for null",
    ),
    "B33 another number than the trailer's": ({"a.csv": CSV + "T2\n"}, TRAILER, r"a\.csv.*2"),
    "B33 another checksum than the manifest's": (
        {"a.csv": CSV, "a.csv.manifest.json": '{"sha256": "00"}'},
        GOOD | {"manifest": "required"},
        r"a\.csv: the file has sha256 .*, its manifest says 00",
    ),
    "B34 the same file twice where that isn't allowed": (
        {"a.csv": CSV, "again.csv": CSV},
        GOOD | {"repeated_files": "fail"},
        r"again\.csv: the file has the same content as .*a\.csv; .*repeated_files: skip",
    ),
    "B35 a zip archive": ({"a.csv": b"PK\x03\x04../../etc/passwd"}, GOOD, r"a\.csv: .*zip archive"),
    "B35 a gzip in a gzip": ({"a.csv.gz": gzip.compress(gzip.compress(CSV.encode()))}, GOOD, r"a\.csv\.gz"),
    "B36 an external entity": (
        {"a.xml": '<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b><r>&x;</r></b>'},
        {"format": "xml", "row_tag": "r", "columns": {"_VALUE": "string"}},
        r"a\.xml: .*declares the entity 'x'",
    ),
    "B54 half of the records": (
        {"a.csv": "id,name,price\n1,a,1\nx,b,2\n"},
        GOOD | {"mostly": 0.999},
        r"1 bad records, the first: .*a\.csv line 3: column 'id': x is no int; expected at least 99\.9 % of 2",
    ),
}


@pytest.mark.spark
@pytest.mark.parametrize(("files", "options", "message"), CASES.values(), ids=CASES)
def test_a_file_that_can_not_be_trusted_stops_the_run_and_is_named(
    drops: Drops, files: dict[str, str | bytes], options: dict[str, Any], message: str
) -> None:
    for name, content in files.items():
        drops.put(f"in/{name}", content)
    with pytest.raises(Exception, match=r"(?s)" + message) as caught:
        drops.read("in", **options)
    assert isinstance(classify(caught.value), DataError)


def test_b35_bombs_are_measured_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "LARGEST", 1000)
    with pytest.raises(ValueError, match="more than 1,000 bytes once it is decompressed"):
        whole.expanded("a.xml.gz", gzip.compress(b"x" * 1_000_000))
    monkeypatch.setattr(excel, "_LARGEST", 1000)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"x" * 1_000_000)
    with pytest.raises(ValueError, match="bytes once it is unpacked, at most 1,000 are read"):
        list(excel._records(made.getvalue(), 1, 1))


def test_b36_entities_that_double_one_another_are_not_expanded() -> None:
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE b [<!ENTITY a0 "x">{lines}]><b><r>&a9;</r></b>'
    with pytest.raises(ValueError, match="declares the entity"):
        list(xml._records(text.encode(), "r", {}))
