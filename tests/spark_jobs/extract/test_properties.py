"""Whatever the bytes are: what Python writes comes back equal, and every line ends in exactly one place."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

QUICK = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NAMES = ["a", "b", "c"]
NASTY = st.sampled_from(["", '"', '""', ",", " ", "\t", "\\", "\\n", "é", "\u2028", "\x85", "\x0b", "NULL", "#"])
TEXTS = st.lists(
    NASTY | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=8)
).map("".join)
BROKEN = st.sampled_from([TEXTS, TEXTS.map(lambda text: text + "\n"), TEXTS.map(lambda text: f"\r{text}\r\n")])


def written(rows: list[list[str]], end: str) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL if len(rows) % 2 else csv.QUOTE_MINIMAL).writerows(
        [NAMES, *rows]
    )
    return file.getvalue().encode()


@QUICK
@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=10, max_size=40), st.sampled_from(["\n", "\r\n"]))
def test_rows_written_by_python_come_back_equal(spark: Any, tmp_path: Path, rows: list[list[str]], end: str) -> None:
    drops = Drops(spark, tmp_path)
    drops.put("a.csv", written(rows, end))
    for multiline in (False, True):
        read = drops.read("a.csv", null_values=[], multiline=multiline)
        headers = sum(row == NAMES for row in rows)
        assert Counter(read.rows) == Counter(tuple(row) for row in rows if row != NAMES)
        assert read.rules == ["repeated_header"] * headers


@QUICK
@given(st.lists(st.lists(BROKEN.flatmap(lambda texts: texts), min_size=3, max_size=3), min_size=10, max_size=30))
def test_rows_with_line_breaks_come_back_equal_with_multiline(
    spark: Any, tmp_path: Path, rows: list[list[str]]
) -> None:
    drops = Drops(spark, tmp_path)
    drops.put("a.csv", written(rows, "\r\n"))
    read = drops.read("a.csv", null_values=[], multiline=True)
    assert Counter(read.rows) == Counter(tuple(row) for row in rows)


DIRT = st.binary(max_size=12) | st.sampled_from(
    [b"a,b,c", b'1,2,"', b'"', b"1,2,3", b"1,2", b"1,2,3,4", b"1,2,\0", b",,", b" "]
)


@QUICK
@given(st.lists(DIRT, min_size=20, max_size=60), st.sampled_from([b"\n", b"\r\n"]))
def test_every_dirty_line_is_a_row_or_set_aside_and_never_both(
    spark: Any, tmp_path: Path, lines: list[bytes], end: bytes
) -> None:
    drops = Drops(spark, tmp_path)
    content = end.join([b"a,b,c", *lines])
    drops.put("a.csv", content)
    read = drops.read("a.csv", columns={"a": "int", "b": {"type": "double", "required": True}})
    records = [line for line in content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n") if line]
    assert read.counts.read == len(records) - 1
    shown = Counter(read.raw)
    kept = Counter(records[1:])
    for record in records[1:]:
        raw = shown_as(record)
        if shown[raw]:
            shown[raw] -= 1
            kept[record] -= 1
    assert not +shown
    assert sum(kept.values()) == len(read.rows)


@QUICK
@given(
    st.lists(
        st.dictionaries(st.sampled_from(NAMES), TEXTS | st.integers() | st.none(), max_size=3), min_size=10, max_size=40
    )
)
def test_objects_written_by_python_come_back_equal(spark: Any, tmp_path: Path, objects: list[dict[str, Any]]) -> None:
    drops = Drops(spark, tmp_path)
    drops.put("a.json", "\n".join(json.dumps(item, ensure_ascii=False) for item in objects))
    read = drops.read("a.json", format="json", columns=dict.fromkeys(NAMES, "string"))
    wanted = [tuple(None if item.get(name) is None else str(item[name]) for name in NAMES) for item in objects]
    assert Counter(read.rows) == Counter(wanted)


def shown_as(record: bytes) -> str:
    try:
        return record.decode()
    except UnicodeDecodeError:
        return record.decode("latin-1")
