"""Counts and checksums that a supplier sends along: files that aren't as they say stop the run."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

CSV: dict[str, Any] = {"columns": {"id": "int", "name": "string"}, "trailer": r"T;(?<rows>\d+)"}


def test_the_last_line_of_each_file_says_how_many_records_it_has(drops: Drops) -> None:
    drops.put("day/a.csv", "id,name\n1,Ann\nx,bad\nid,name\nT;3\n")
    drops.put("day/b.csv", "name,id\nT;0\n")
    read = drops.read("day", **CSV)
    assert (read.rows, read.counts.read, sorted(read.rules)) == ([(1, "Ann")], 3, ["repeated_header", "type id"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,name\n1,Ann\nT;2\n", "the trailer says 2 records, there are 1"),
        ("id,name\n1,Ann\n", "no lines look like the trailer"),
        ("id,name\n1,Ann\nT;1\n2,Bo\nT;1\n", "2 lines look like the trailer"),
        ("id,name\n1,Ann\nT;99999999999999999999999\n", "the trailer says -1 records, there are 1"),
        ("", "no lines look like the trailer"),
    ],
)
def test_a_file_that_is_not_as_its_trailer_says_stops(drops: Drops, content: str, message: str) -> None:
    # One record too many here doesn't make up for one that the other lacks.
    drops.put("day/a.csv", "id,name\n1,Ann\n2,Bo\nT;2\n" if "T;2" not in content else "id,name\n1,Ann\n2,B\n3,C\nT;2\n")
    drops.put("day/b.csv", content)
    name = r"a\.csv: the trailer says 2 records, there are 3" if "T;2" in content else rf"b\.csv: {message}"
    with pytest.raises(DataError, match=name):
        drops.read("day", **CSV)


def test_every_format_with_a_record_a_line_has_trailers(drops: Drops) -> None:
    drops.put("a.json", '{"id":1}\n{"id":2}\n#2\n')
    assert drops.read("a.json", format="json", columns={"id": "int"}, trailer=r"#(?<rows>\d+)").rows == [(1,), (2,)]
    drops.put("a.txt", "0001\n0002\nEND 002\n")
    fields = {"id": {"start": 1, "length": 4}}
    read = drops.read("a.txt", format="fixed", fields=fields, trailer=r"END *(?<rows>\d+)")
    assert read.rows == [("0001",), ("0002",)]
    with pytest.raises(ConfigError, match=r"in a group \(\?<rows>"):
        drops.read("a.txt", format="text", trailer=r"END (?<n>\d+)")


def sidecar(drops: Drops, name: str, **said: Any) -> None:
    drops.put(f"{name}.manifest.json", json.dumps(said))


def test_a_manifest_beside_a_file_is_held_against_it(drops: Drops) -> None:
    content = b"id,name\n1,Ann\n2,Bo\n"
    drops.put("day/a.csv", content)
    drops.put("day/b.csv", "id,name\n3,Cy\n")
    whole = {"rows": 2, "size": len(content), "sha256": hashlib.sha256(content).hexdigest().upper(), "made": "today"}
    sidecar(drops, "day/a.csv", **whole)
    read = drops.read("day", manifest="optional")
    assert sorted(read.rows) == [("1", "Ann"), ("2", "Bo"), ("3", "Cy")]
    assert drops.read("day/a.csv", manifest="required").counts.read == 2
    with pytest.raises(DataError, match=r"b\.csv: the file has no manifest; expected .*b\.csv\.manifest\.json"):
        drops.read("day", manifest="required")
    sidecar(drops, "day/a.csv", rows=3)
    with pytest.raises(DataError, match=r"a\.csv: the manifest says 3 records, there are 2"):
        drops.read("day", manifest="optional")
    for key, value, message in (
        ("size", 4, "19 bytes, its manifest says 4"),
        ("sha256", "ab", r"sha256 \w{64}, its manifest says ab"),
        ("md5", "ab", r"md5 \w{32}, its manifest says ab"),
        ("rows", "2", r"a\.csv\.manifest\.json: rows is '2'; expected a number from 0"),
        ("rows", True, "rows is True"),
        ("row", 2, "the manifest says nothing"),
    ):
        sidecar(drops, "day/a.csv", **{key: value})
        with pytest.raises(DataError, match=message):
            drops.flow("day/a.csv", manifest="optional")


def test_a_manifest_without_its_file_stops(drops: Drops) -> None:
    drops.put("day/a.csv", "id\n1\n")
    sidecar(drops, "day/b.csv", rows=1)
    with pytest.raises(DataError, match=r"b\.csv\.manifest\.json: a manifest without its file; expected the file b"):
        drops.read("day", manifest="optional")
