"""COPY's two forms: what a table holds is the same whichever of them brought it."""

from __future__ import annotations

import itertools
import math
import random
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import Any

import pytest

from spark_jobs.load.databases import postgres_copy
from spark_jobs.load.databases.base import Column
from spark_jobs.load.databases.sending import Unfit
from tests.servers.postgres import PostgreSQL

pytestmark = pytest.mark.spark  # it takes a server

EXACT = Context(prec=60)
HELD = {
    "long": "numeric(38,18)",
    "plain": "numeric",
    "tiny": "numeric(10,10)",
    "fine": "numeric(38,20)",
    "finest": "numeric(38,38)",
    "big": "numeric(38,0)",
    "count": "numeric(20,4)",
    "small": "smallint",
    "wide": "bigint",
    "single": "real",
    "twice": "double precision",
    "yes": "boolean",
    "day": "date",
    "moment": "timestamp with time zone",
    "wall": "timestamp(6) without time zone",
    "word": 'text COLLATE "C"',
    "code": "character varying(9)",
    "doc": "jsonb",
    "old": "json",
    "raw": "bytea",
}


def batches() -> list[Any]:
    """Rows with nulls everywhere, none, and nothing but them; values at the edges; a slice of a larger batch."""
    import pyarrow as pa

    chance = random.Random(1)  # noqa: S311 - the same every time
    exact = [Decimal(sign * chance.randrange(10**digits)) for digits in range(1, 38) for sign in (-1, 1)]
    exact += [Decimal(0), Decimal(10**38 - 1), Decimal(1 - 10**38), Decimal(9999), Decimal(10_000), Decimal(10**16)]
    texts = ["", " ", "NULL", "\\N", 'a"b', "\\.", "ü🙂", "\x01", "x\r\ny", None]
    moments = [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), None]
    moments += [datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), datetime(2000, 1, 1, tzinfo=UTC)]
    doubles = [0.1, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, None]
    wide = [2**63 - 1, -(2**63), 0, -1, None]
    small = [32767, -32768, None]

    def some(values: list[Any], kind: Any) -> Any:
        return pa.array(list(itertools.islice(itertools.cycle(values), len(exact))), kind)

    def scaled(places: int, digits: int) -> list[Decimal | None]:
        fitting = [value for value in exact if len(str(abs(value))) <= digits]
        return [*[value.scaleb(-places, EXACT) for value in fitting], None]

    made = {
        "long": some(scaled(18, 37), pa.decimal128(38, 18)),
        "plain": some(wide, pa.int64()),
        "tiny": some(scaled(10, 10), pa.decimal128(10, 10)),
        "fine": some(scaled(20, 38), pa.decimal128(38, 20)),
        "finest": some(scaled(38, 38), pa.decimal128(38, 38)),
        "big": pa.array(exact, pa.decimal128(38, 0)),
        "count": some(scaled(2, 12), pa.decimal128(12, 2)),
        "small": some(small, pa.int32()),
        "wide": some(wide, pa.int64()),
        "single": some([1.5, -0.0, math.nan, 3.4028234663852886e38, None], pa.float32()),
        "twice": some(doubles, pa.float64()),
        "yes": some([True, False, None], pa.bool_()),
        "day": some([date(1, 1, 1), date(9999, 12, 31), date(2000, 1, 1), date(1970, 1, 1), None], pa.date32()),
        "moment": some(moments, pa.timestamp("us", "UTC")),
        "wall": some([moment and moment.replace(tzinfo=None) for moment in moments], pa.timestamp("us")),
        "word": some(texts, pa.string()),
        "code": some(["", "ü🙂", "a,b", None], pa.large_string()),
        "doc": some(['{"a": [1, null]}', '"\\""', None], pa.string()),
        "old": some(['{"a":  1}', None], pa.string()),
        "raw": some([b"", b"\x00\xff'\\", None], pa.binary()),
    }
    whole = pa.record_batch(made)
    nothing = pa.RecordBatch.from_arrays([pa.nulls(3, item.type) for item in whole.schema], schema=whole.schema)
    return [whole, whole.slice(7, 20), nothing, whole.slice(0, 1), whole.slice(0, 0)]


def test_both_forms_bring_the_same_rows(postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [Column(name=name, kind=kind) for name, kind in HELD.items()]
    defined = ", ".join(f'"{name}" {kind}' for name, kind in HELD.items())
    listed = ", ".join(f'"{name}"' for name in (*HELD, "task"))
    sent, counts = batches(), []
    for form in ("bin", "csv"):
        if form == "csv":
            monkeypatch.setattr(postgres_copy, "forms_of", lambda *_: None)
        postgres.run(f"DROP TABLE IF EXISTS by_{form}", f"CREATE TABLE by_{form} ({defined}, task bigint)")
        with postgres.connected() as made, made.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            counts.append(postgres_copy.copy(cursor, f"by_{form} ({listed})", columns, iter(sent), 7))
            made.commit()
    assert counts == [sum(batch.num_rows for batch in sent)] * 2
    found = {form: postgres.rows(f"SELECT t::text FROM by_{form} AS t ORDER BY ctid") for form in ("bin", "csv")}  # noqa: S608
    assert found["bin"] == found["csv"]
    told = [line for line in postgres.log.read_text().splitlines() if "COPY by_" in line]
    assert [line.rpartition("(FORMAT ")[2] for line in told] == ["binary)", "csv)"]


def test_a_number_that_is_too_large_is_refused_before_it_is_sent() -> None:
    import pyarrow as pa

    from spark_jobs.load.databases.postgres_binary import as_binary, forms_of

    batch = pa.record_batch({"n": pa.array([40_000, None], pa.int64())})
    forms = forms_of(batch.schema, [Column(name="n", kind="smallint")])
    assert forms is not None
    with pytest.raises(Unfit, match="column 'n': Integer value 40000 not in range: -32768 to 32767; it is smallint"):
        as_binary(batch, forms, None)


@pytest.mark.parametrize(("precision", "scale"), [(1, 1), (19, 19), (38, 0), (38, 19), (38, 20), (38, 37), (38, 38)])
def test_a_decimal_of_any_scale_has_a_binary_form(precision: int, scale: int) -> None:
    import pyarrow as pa

    from spark_jobs.load.databases.postgres_binary import as_binary, forms_of

    one = Decimal(1).scaleb(-scale, EXACT)
    batch = pa.record_batch({"n": pa.array([one, -one, Decimal(0), None], pa.decimal128(precision, scale))})
    forms = forms_of(batch.schema, [Column(name="n", kind=f"numeric({precision},{scale})")])
    assert forms is not None
    sent = bytes(as_binary(batch, forms, None))
    length = 2 + 4 + 8 + 2 * (-(-scale // 4) - (scale - precision) // 4)  # fields, length, head, digits to 10,000
    rows = [sent[place : place + length] for place in range(0, 3 * length, length)]
    assert [row[10:12] for row in rows] == [b"\0\0", b"\x40\0", b"\0\0"]
    assert [int.from_bytes(row[-2:]) for row in rows] == [10 ** (-scale % 4), 10 ** (-scale % 4), 0]
    assert sent[3 * length :] == b"\0\x01\xff\xff\xff\xff"
