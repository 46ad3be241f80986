"""JSON documents: a file is one value, and the objects of an array in it are the records."""

from __future__ import annotations

import bz2
import gzip
import json
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.extract.json_document import _records
from spark_jobs.failures import classify
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

COLUMNS: dict[str, Any] = {"id": {"type": "int", "required": True}, "price": "decimal(30,20)"}


def read(drops: Drops, content: str | bytes, name: str = "a.json", **options: Any) -> Any:
    drops.put(name, content)
    return drops.read(name, format="json_document", **({"columns": COLUMNS} | options))


def test_an_array_gives_its_objects_and_sets_the_others_aside_as_they_were(drops: Drops) -> None:
    bad = ['{"id":"x", "price": 1e2}', "[1]", '{"id":1,"id":2}', "5", "null", '{ "price":1.0 }']
    good = ['{"id":1,"price":1.00000000000000000001,"new":{"a":[1,null]}}', '\n{\t"id" : 2 }']
    found = read(drops, "\ufeff [" + ",".join([good[0], *bad, good[1]]) + "]\r\n")
    assert found.columns == ["id", "price", "new"]
    assert found.rows == [(1, Decimal("1.00000000000000000001"), '{"a":[1,null]}'), (2, None, None)]
    assert sorted(found.raw) == sorted(bad)
    assert [row["source_line"] for row in found.refused] == [2, 3, 4, 5, 6, 7]
    assert {row["raw"]: row["rules"] for row in found.refused}[bad[0]] == ["type id"]


def test_a_path_leads_to_the_records_and_one_object_is_one_record(drops: Drops) -> None:
    content = '{"meta":{"items":[9]},"data":{"x":"\\"]}","items":[{"id":1},{"id":2}]},"end":[]}'
    assert read(drops, content, records="data.items").rows == [(1, None), (2, None)]
    assert read(drops, '{"id":3}').rows == [(3, None)]
    assert read(drops, '{"a":{"id":4}}', records="a").rows == [(4, None)]
    assert read(drops, '{"a":[]}', records="a").rows == []
    assert read(drops, "[]").rows == []


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        ('[{"id":1},{"id":2}', "", "not a whole document"),
        ('[{"id":1}] [{"id":2}]', "", "something follows it"),
        (" ", "", "the file is empty"),
        ("id,name\n1,x\n", "", "no JSON"),
        ('{"items":[{"id":1}]}', "data.items", "nothing stands at 'data.items'"),
        ("[1]", "data", "nothing stands at 'data'"),
        ('{"data":null}', "data", "null stands at 'data', and no array or object"),
        ('{"data":[1],"data":[2]}', "data", "stands twice"),
        (b'[{"id":1,"n":"\xff"}]', "", "no UTF-8"),
        ("[" * 100_000, "", "nested too deep"),
    ],
)
def test_a_document_that_is_not_whole_is_an_error(content: str | bytes, path: str, message: str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(ValueError, match=message):
        list(_records(data, tuple(path.split(".")) if path else ()))


def test_one_document_that_can_not_be_read_stops_the_run_and_is_named(drops: Drops) -> None:
    drops.put("day/good.json", '[{"id":1}]')
    drops.put("day/bad.json", '[{"id":1},{"id"')
    with pytest.raises(DataError, match=r"bad\.json: no JSON, or not a whole document"):
        drops.read("day", format="json_document", columns=COLUMNS)
    drops.put("day/bad.json", "")
    with pytest.raises(DataError, match=r"bad\.json: the file is empty"):
        drops.read("day", format="json_document", columns=COLUMNS)


def test_without_a_contract_a_broken_document_is_what_is_told(drops: Drops) -> None:
    with pytest.raises(DataError, match=r"a\.json: no JSON, or not a whole document"):
        read(drops, '[{"id":1}', columns={})


def test_compressed_documents_are_read_and_truncated_ones_stop(drops: Drops) -> None:
    whole = json.dumps([{"id": number} for number in range(5000)]).encode()
    assert len(read(drops, gzip.compress(whole), "a.json.gz").rows) == 5000
    assert len(read(drops, bz2.compress(whole), "a.json.bz2").rows) == 5000
    with pytest.raises(Exception, match="decompressed") as caught:
        read(drops, gzip.compress(whole)[:-9], "a.json.gz")
    assert isinstance(classify(caught.value), DataError)
