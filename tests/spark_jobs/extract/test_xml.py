"""XML: every element with one name is a record; nothing of it is lost."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.extract.xml import _records
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark


def read(drops: Drops, content: str | bytes, **options: Any) -> Any:
    drops.put("a.xml", content)
    return drops.read("a.xml", format="xml", **({"row_tag": "book"} | options))


BOOKS = """<?xml version="1.0" encoding="UTF-8"?>
<!-- <book id="0"/> -->
<s:shop xmlns:s="urn:s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><book id="1">
    <title lang="de">Größe &amp; <![CDATA[<book>]]></title>
    <author>A</author><author>B</author>
    <s:price>12.50</s:price>
    <printed>2013-01-31</printed>
    <note xsi:nil="true"/>
  </book>
  <book id='x>"'><author>C</author><price>much</price></book><book id="3"/>
  <s:book id="4"><book id="5"/></s:book>
</s:shop>"""
COLUMNS: dict[str, Any] = {
    "_id": {"type": "int", "required": True},
    "title": "struct<_VALUE:string,_lang:string>",
    "author": "array<string>",
    "price": "decimal(6,2)",
    "printed": "date",
    "note": "string",
}


def test_attributes_namespaces_and_repeated_elements_are_all_kept(drops: Drops) -> None:
    found = read(drops, BOOKS, columns=COLUMNS)
    title = ("Größe & <book>", "de")
    assert found.columns == [*COLUMNS, "book"]
    assert found.rows == [
        (1, title, ["A", "B"], Decimal("12.50"), date(2013, 1, 31), None, None),
        (3, None, None, None, None, None, None),
        (4, None, None, None, None, None, '{"_id":"5"}'),
    ]
    assert found.raw == ["<book id='x>\"'><author>C</author><price>much</price></book>"]
    assert found.refused[0]["rules"] == ["type _id", "type price"]
    assert found.refused[0]["source_line"] == 2


def test_without_a_contract_what_is_nested_is_json_text(drops: Drops) -> None:
    found = read(drops, '<b><book n="1">t<a x="2">u</a><a/></book><book>only text</book></b>')
    assert found.columns == ["_VALUE", "_n", "a"]
    assert found.rows == [("t", "1", '[{"_VALUE":"u","_x":"2"},""]'), ("only text", None, None)]


def test_nested_values_take_the_contracts_types_or_are_refused(drops: Drops) -> None:
    kind = "array<struct<n:int,at:date,ok:boolean,d:decimal(5,2),tags:array<string>>>"
    lines = "<line><n>1</n><at>2013-01-01</at><ok>true</ok><d>1.25</d><tags>x</tags></line><line><n/></line>"
    books = f"<book>{lines}</book><book><line><n>x</n></line></book><book><line><n>1.5</n></line></book>"
    found = read(drops, f"<b>{books}</b>", columns={"line": kind})
    first = (1, date(2013, 1, 1), True, Decimal("1.25"), ["x"])
    assert found.rows == [([first, (None, None, None, None, None)],)]
    assert found.rules == ["type line", "type line"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_documents_own_encoding_counts(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?><b><book><t>Größe</t></book>\n<book><t x="1"/></book></b>'
    found = list(_records(content.encode(encoding), "book", {}))
    assert [record["value"] for record in found] == ["<book><t>Größe</t></book>", '<book><t x="1"/></book>']
    assert [json.loads(record["json"]) for record in found] == [{"t": "Größe"}, {"t": {"_x": "1"}}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<b><book><t>1</t></book><book><t>2</t>", "not a whole document"),
        ("<b><book><t>1</t></book><book><t>2</x></book></b>", "mismatched tag"),
        ("id,name\n1,x\n", "no XML"),
        ('<!DOCTYPE b [<!ENTITY x "y">]><b><book>&x;</book></b>', "declares the entity 'x'"),
        ('<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><b><book>&x;</book></b>', "declares the entity 'x'"),
        ("<b><Book/></b>", "no element 'book', but there is 'Book'"),
        ("<book>" + "<a>" * 200 + "</a>" * 200 + "</book>", "nested more than 100"),
        (b"<b><book>\xff</book></b>", "not well-formed"),
        ('<?xml version="1.0" encoding="klingon"?><b/>', "unknown encoding"),
    ],
)
def test_a_document_that_is_not_whole_or_not_safe_is_an_error(content: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(_records(content if isinstance(content, bytes) else content.encode(), "book", {}))


def test_one_document_that_can_not_be_read_stops_the_run_and_is_named(drops: Drops) -> None:
    with pytest.raises(DataError, match=r"a\.xml: no XML, or not a whole document: mismatched tag"):
        read(drops, "<b><book><t>1</t></book><book><t>2</x></book></b>", columns={"t": "int"})


def test_a_document_without_records_is_an_empty_window(drops: Drops) -> None:
    assert read(drops, "<shop><head>x</head></shop>", columns={"t": "int"}).rows == []
