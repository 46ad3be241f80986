"""JSON lines: one object a line, every other line set aside with a reason."""

from __future__ import annotations

import gzip
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import DataError
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

COLUMNS: dict[str, Any] = {"id": {"type": "int", "required": True}, "name": "string"}


def read(drops: Drops, content: str | bytes, **options: Any) -> Any:
    drops.put("a.json", content)
    return drops.read("a.json", format="json", **({"columns": COLUMNS} | options))


def test_lines_that_are_no_single_object_are_set_aside_with_their_text(drops: Drops) -> None:
    bad = [
        '{"id":1',
        "[1]",
        "5",
        "null",
        '"x"',
        '{"id":1} junk',
        '{"id":1}{"id":2}',
        '{"id":1},{"id":2}',
        '{"id":1}] junk',
        "{'id':1}",
        '{"id":1,"id":2}',
        '{"id":NaN}',
        '{"id":1,}',
    ]
    found = read(drops, "\n".join([*bad, "", "   ", '{"id":7,"name":"Ann"}', ' {"id": 8} ']))
    assert found.rows == [(7, "Ann"), (8, None)]
    assert sorted(found.raw) == sorted(bad)
    assert set(found.rules) == {"json"}
    assert [row["source_line"] for row in found.refused] == list(range(1, len(bad) + 1))


def test_values_are_exact_or_refused(drops: Drops) -> None:
    columns = {"id": "int", "d": "decimal(30,20)", "t": "timestamp", "s": "string", "b": "boolean"}
    lines = [
        '{"id":1,"d":1.00000000000000000001,"t":"2013-01-01 10:00:00+01:00","s":"NA","b":true}',
        '{"id":"2","s":""}',
        '{"id":3.0,"s":{"x":[1,null]}}',
        '{"id":null,"s":1.10}',
        '{"id":1.5}',
        '{"id":{"x":1}}',
        '{"id":true}',
        '{"id":"x","t":5}',
    ]
    found = read(drops, "\n".join(lines), columns=columns)
    assert found.rows == [
        (1, Decimal("1.00000000000000000001"), datetime(2013, 1, 1, 9), "NA", True),  # noqa: DTZ001
        (2, None, None, "", None),
        (3, None, None, '{"x":[1,null]}', None),
        (None, None, None, "1.1", None),
    ]
    assert found.raw == lines[4:]
    assert found.rules == ["type id", "type id", "type id", "type id", "type t"]


def test_nested_types_fit_as_a_whole_or_not(drops: Drops) -> None:
    columns = {"id": "int", "a": "array<int>", "s": "struct<x:decimal(5,2),y:array<string>>"}
    lines = [
        '{"id":1,"a":[1,2],"s":{"x":1.25,"y":["p"]}}',
        '{"id":2,"a":[1,"x"]}',
        '{"id":3,"s":{"x":"z"}}',
        '{"id":4,"a":{"x":1}}',
    ]
    found = read(drops, "\n".join(lines), columns=columns)
    assert found.rows == [(1, [1, 2], (Decimal("1.25"), ["p"]))]
    assert found.rules == ["type a", "type s", "type a"]


def test_a_missing_required_value_and_bytes_that_are_no_utf8_are_bad(drops: Drops) -> None:
    found = read(drops, b'{"name":"x"}\n{"id":1,"name":"\xe9"}\n{"id":2}\n{"id":null}\n')
    assert found.rows == [(2, None)]
    assert found.rules == ["required id", "utf8", "required id"]
    assert found.raw[1] == '{"id":1,"name":"é"}'


def test_new_keys_evolve_as_strings(drops: Drops) -> None:
    keys = '{"id":1,"z":1,"a b":{"c":2},"it\'s":"x","q\\"":"y","dot.t":null}'
    found = read(drops, keys + '\n{"id":2,"z":"007"}\nbroken "k":1\n')
    assert found.columns == ["id", "name", "a b", "dot.t", "it's", 'q"', "z"]
    assert found.rows == [(1, None, '{"c":2}', None, "x", "y", "1"), (2, None, None, None, None, None, "007")]
    assert found.counts.quarantined == 1


def test_new_keys_may_stop_be_left_out_or_refuse_the_rows_that_use_them(drops: Drops) -> None:
    content = '{"id":1,"z":"x"}\n{"id":2,"z":null}\n'
    with pytest.raises(DataError, match=r"a\.json: new columns: 'z'"):
        read(drops, content, new_columns="freeze")
    assert read(drops, content, new_columns="discard").rows == [(1, None), (2, None)]
    found = read(drops, content, new_columns="quarantine")
    assert (found.rows, found.raw) == ([(2, None)], ['{"id":1,"z":"x"}'])
    assert "z" in found.refused[0]["message"]


def test_keys_that_differ_only_by_case_stop(drops: Drops) -> None:
    with pytest.raises(DataError, match=r"a\.json: (the file has column 'id' and 'ID'|column 'id' isn't there)"):
        read(drops, '{"ID":1}\n')
    with pytest.raises(DataError, match="differs only by case"):
        read(drops, '{"id":1,"z":1}\n{"id":1,"Z":1}\n')


def test_an_empty_file_is_an_empty_window_where_the_columns_are_known(drops: Drops) -> None:
    assert read(drops, "").rows == []
    with pytest.raises(DataError, match="no columns"):
        read(drops, "\n", columns={})


def test_a_gzip_in_disguise_stops(drops: Drops) -> None:
    with pytest.raises(DataError, match="its name doesn't say so"):
        read(drops, gzip.compress(b'{"id":1}'))


def test_texts_mean_null_only_where_that_is_said(drops: Drops) -> None:
    content = '{"id":1,"name":""}\n{"id":"NA","name":"NA"}\n'
    assert read(drops, content, columns={"id": "int", "name": "string"}, null_values=["NA"]).rows == [
        (1, ""),
        (None, None),
    ]
