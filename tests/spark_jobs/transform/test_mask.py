"""`mask`: what is hidden, by which method, and that the key of it stands nowhere."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import Beside, Ran, lazily, run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
KEYS = {"short": "k" * 16, "block": "b" * 64, "long": "ü€" * 40, "tiny": "k" * 15, "none": ""}
BESIDE = Beside(connections=Connections(*(Connection(id=name, password=key) for name, key in KEYS.items())))


def masked(rows: DataFrame, **options: Any) -> Ran:
    return run(rows, {"mask": options}, beside=BESIDE)


def keyed(key: str, text: str | None) -> str | None:
    """The hash as Python's own library makes it."""
    return None if text is None else hmac.new(KEYS[key].encode(), text.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("key", ["short", "block", "long"])
def test_a_hash_is_hmac_sha256_as_everybody_makes_it(spark: SparkSession, key: str) -> None:
    texts = ["", "a", "ü€😀\0\n'\"\\", " a", "A", "x" * 200_000, None, "5"]
    given = [(place, text, text) for place, text in enumerate(texts)]
    rows = spark.createDataFrame(given, "n int, `a.b` string, t string").repartition(3)
    done = masked(rows, columns={"a.b": "hash", "t": "token"}, key=key)
    assert done.columns == ["n", "a.b", "t"]
    for n, hashed, token in done.rows:
        expected = keyed(key, texts[n])
        assert (hashed, token) == (expected, expected and f"tok_{expected[:32]}")


def test_one_value_has_one_token_whatever_its_type(spark: SparkSession) -> None:
    kinds = "i int, l bigint, d decimal(10,2), s string, day date, b boolean, x binary"
    values = (5, 5, Decimal("5.00"), "5", date(2013, 1, 1), True, bytearray(b"\xff"))
    rows = spark.createDataFrame([values, (None,) * 7], kinds)
    done = masked(rows, columns=dict.fromkeys(["i", "l", "d", "s", "day", "b", "x"], "hash"), key="short")
    texts = ["5", "5", "5", "5", "2013-01-01", "true", "ff"]
    assert sorted(done.rows, key=repr) == sorted([tuple(keyed("short", text) for text in texts), (None,) * 7], key=repr)


def test_redact_and_partial_need_no_key(spark: SparkSession) -> None:
    texts = ["ann@example.com", "+49 30 1234567", "1234567", "12345678", "a@b@c.de", "x@localhost", "", None]
    rows = spark.createDataFrame(
        [(place, text, text, place) for place, text in enumerate(texts)], "n int, p string, r string, i int"
    )
    done = masked(rows, columns={"p": "partial", "r": "redact", "i": "redact"})
    assert [row[1] for row in sorted(done.rows)] == [
        "***@example.com", "***4567", "***", "***5678", "***c.de", "***host", "***", None,
    ]  # fmt: skip
    assert [row[2] for row in sorted(done.rows)] == ["***"] * 7 + [None]
    assert {row[3] for row in done.rows} == {None}


def test_the_key_stands_in_no_plan(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    rows = spark.createDataFrame([("a",)], "a string")
    flow = lazily(rows, {"mask": {"columns": {"a": "hash"}, "key": "long"}}, {"filter": "a <> ''"}, beside=BESIDE)
    flow.rows.explain("extended")
    flow.rows.explain("codegen")
    told = capsys.readouterr().out + str(flow.rows._jdf.queryExecution().toString())
    told += str(flow.rows._jdf.queryExecution().optimizedPlan().toJSON())
    flow.rows.collect()
    told += str(flow.rows._jdf.queryExecution().executedPlan().toString())
    block = hashlib.sha256(KEYS["long"].encode()).digest().ljust(64, b"\0")
    for secret in (KEYS["long"].encode(), block, *(bytes(byte ^ mark for byte in block) for mark in (0x36, 0x5C))):
        assert secret[:8].hex() not in told.lower()
        assert secret[:8].decode("latin-1") not in told
        assert str(list(secret[:4]))[1:-1] not in told
    assert "inner" in told


EVERYTHING = ["email", "phone", "card", "iban", "national_id"]
WHOLE = [
    "ann@example.com", " o'neil+x@mail.example.co.uk ", "ünal@müller.de",
    "4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "3782 822463 10005",
    "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32",
    "MT84MALT011000012345MTLCAST001S",
    "NO9386011117947",
    "86095742719", "12345678Z", "X1234567L", "Z1234567-R", "2 69 05 49 588 157 80", "44051401359", "529.982.247-25",
    "52998224725", "123-45-6789",
    "+49 30 1234567", "+1 (555) 123-4567", "(555) 123-4567", "555-123-4567", "030/1234567", "(030) 123 45 67",
]  # fmt: skip
NOTHING = [
    "ann@", "@example.com", "a@b", "4111111111111112", "DE88370400440532013000", "DE8937040044053201300", "86095742710",
    "12345678A", "44051401358", "52998224724", "11111111111", "000-45-6789", "2013-01-01", "2013-01-01 10:00:00",
    "1.234.567,89", "+1", "12", "", "order 12345 of 2013", "1234567890123456789012345678901234567890",
    "deadbeef4111111111111111", "192.168.100.100", "550e8400-e29b-41d4-a716-446655440000", "12:30:45.123456",
]  # fmt: skip
INSIDE = [
    ("mail ann@example.com or bob@example.org!", "mail [email] or [email]!"),
    ("card 4111 1111 1111 1111, not 4111 1111 1111 1112.", "card [card], not 4111 1111 1111 1112."),
    ("pay DE89 3704 0044 0532 0130 00 THANKS", "pay [iban] THANKS"),
    ("call +49 30 1234567 or write", "call [phone] or write"),
    ("id 44051401359/12345678Z", "id [national_id]/[national_id]"),
    ("<ann@example.com>;4111111111111111", "<[email]>;[card]"),
]


def test_values_are_found_whole_and_inside_texts_and_others_are_left_alone(spark: SparkSession) -> None:
    texts: list[str | None] = [*WHOLE, *NOTHING, *(text for text, _ in INSIDE), None]
    rows = spark.createDataFrame(
        [(place, text, text) for place, text in enumerate(texts)], "n int, `t.t` string, other string"
    )
    done = masked(rows, detect=EVERYTHING, among=["t.t"], found="token", key="short")
    found = {texts[n]: text for n, text, other in done.rows}
    assert all(texts[n] == other for n, _, other in done.rows)
    assert [text for text in WHOLE if found[text] != f"tok_{(keyed('short', text) or '')[:32]}"] == []
    assert {text: found[text] for text in NOTHING if found[text] != text} == {}
    assert [(text, found[text]) for text, _ in INSIDE] == INSIDE
    assert found[None] is None


def test_only_what_is_asked_for_is_looked_for(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("ann@example.com", "DE89370400440532013000", 5)], "a string, b string, n int")
    assert masked(rows, detect=["email"]).rows == [("***", "DE89370400440532013000", 5)]
    assert masked(rows, detect=["iban"], columns={"a": "partial"}).rows == [("***@example.com", "***", 5)]


PEOPLE = (
    "n int, who struct<email: string, `a.b`: int, home: struct<phone: string, since: date>>, mails array<string>, "
    "items array<struct<card: string, lines: array<struct<note: string, to: string>>>>, `who.email` string, "
    "m map<string,string>"
)


def person(n: int, mail: str | None, *, card: str | None = "4111111111111111") -> tuple[Any, ...]:
    lines = [{"note": f"to {mail}", "to": mail}, None]
    items = [{"card": card, "lines": lines}, {"card": None, "lines": None}, None]
    return (n, ((mail, n, ("030/1234567", date(2013, 1, n)))), [mail, None], items, mail, {"mail": mail})


def token(text: str | None) -> str | None:
    return text and f"tok_{(keyed('short', text) or '')[:32]}"


def test_fields_of_structs_and_of_structs_in_arrays_get_the_tokens_of_flat_columns(spark: SparkSession) -> None:
    given = [
        person(1, "ann@example.com"),
        (2, None, None, None, None, None),
        person(3, None),
        (4, None, [], [], "x", {}),
    ]
    rows = spark.createDataFrame(given, PEOPLE)
    columns = {
        "`who`.email": "token", "who.`a.b`": "hash", "who.home.phone": "partial", "who.home.since": "redact",
        "mails": "token", "items.lines.to": "token", "items.card": "hash", "who.email": "token",
    }  # fmt: skip
    done = masked(rows, columns=columns, key="short")
    assert done.columns == rows.columns
    first, second, third, fourth = sorted(done.rows, key=lambda row: row[0])
    mail = token("ann@example.com")
    assert first[1] == (mail, keyed("short", "1"), ("***4567", None))
    assert first[2] == [mail, None]
    note = [("to ann@example.com", mail), None]
    assert first[3] == [(keyed("short", "4111111111111111"), note), (None, None), None]
    assert first[4:] == (mail, {"mail": "ann@example.com"})
    assert second[1:] == (None,) * 5
    assert (third[1][0], third[2], third[4]) == (None, [None, None], None)
    assert fourth[2:] == ([], [], token("x"), {})


def test_a_path_that_could_mean_a_column_and_a_field_is_refused(spark: SparkSession) -> None:
    """Else a column that comes later would take the mask from the field."""
    rows = spark.createDataFrame([], PEOPLE)
    for options in ({"columns": {"who.email": "redact"}}, {"detect": ["email"], "among": ["who.email"]}):
        with pytest.raises(ConfigError, match=r"'who\.email' is a column, and a field of 'who' too.*`who`\.`email`"):
            masked(rows, **options)
    for name in ("`who.email`", "`who`.email"):
        assert masked(rows, columns={name: "redact"}).rows == []


def test_what_is_masked_by_name_is_not_searched_again(spark: SparkSession) -> None:
    """Else a token that looks like what is sought would be another one than a flat column's."""
    kind = "items array<struct<card: string, note: string>>"
    rows = spark.createDataFrame([([("5", "ann@example.com")],)], kind)
    options = {"columns": {"items.card": "token"}, "prefix": "of@example.com ", "key": "short"}
    done = masked(rows, detect=["email"], among=["items"], **options)
    assert done.rows == [([(f"of@example.com {(keyed('short', '5') or '')[:32]}", "***")],)]


def test_detection_looks_into_structs_and_arrays(spark: SparkSession) -> None:
    rows = spark.createDataFrame([person(1, "ann@example.com"), (2, *[None] * 5)], PEOPLE)
    done = masked(rows, detect=EVERYTHING, found="token", key="short", columns={"items.card": "redact"})
    everywhere, nothing = sorted(done.rows)
    mail = token("ann@example.com")
    assert everywhere[1] == (mail, 1, (token("030/1234567"), date(2013, 1, 1)))
    assert everywhere[2] == [mail, None]
    assert everywhere[3] == [("***", [("to [email]", mail), None]), (None, None), None]
    assert everywhere[4:] == (mail, {"mail": "ann@example.com"})
    assert nothing[1:] == (None,) * 5
    (one,) = masked(rows.limit(1), detect=["email"], among=["items.lines.note", "mails"]).rows
    assert (one[1][0], one[2], one[4]) == ("ann@example.com", ["***", None], "ann@example.com")
    assert one[3][0] == ("4111111111111111", [("to [email]", "ann@example.com"), None])
    (one,) = masked(rows.limit(1), detect=["email"], among=["items"]).rows
    assert one[3][0] == ("4111111111111111", [("to [email]", "***"), None])


def test_a_text_made_to_slow_the_search_down_does_not(spark: SparkSession) -> None:
    nasty = [
        "a" * 300_000 + "@",
        "1" * 300_000,
        "+1" + " 1" * 100_000,
        "a.a" * 100_000 + "@" + "a." * 100_000,
        "0-" * 100_000,
    ]
    rows = spark.createDataFrame([(text,) for text in nasty], "t string")
    assert len(masked(rows, detect=EVERYTHING).rows) == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "nothing to mask"),
        ({"columns": {"t": "hash"}}, "mask.key: hash and token need one"),
        ({"columns": {"t": "redact"}, "key": "short"}, "neither hash nor token is asked for"),
        ({"columns": {"t": "hash"}, "key": "nosuch"}, "there is no connection 'nosuch'"),
        ({"columns": {"t": "hash"}, "key": "tiny"}, "has 15 characters; expected a key of at least 16"),
        ({"columns": {"t": "hash"}, "key": "none"}, "has 0 characters"),
        ({"columns": {"tt": "redact"}}, "unknown column 'tt'"),
        ({"columns": {"f": "hash"}, "key": "short"}, "column 'f' is double"),
        ({"columns": {"m": "token"}, "key": "short"}, "column 'm' is map<string,int>"),
        ({"columns": {"i": "partial"}}, "column 'i' is int; expected text"),
        ({"detect": ["email"], "among": ["i"]}, "column 'i' is int; expected a text column"),
        ({"detect": ["email"], "among": ["t"], "columns": {"t": "redact"}}, "'t' stands in columns too"),
        ({"columns": {"i": "redact"}, "among": ["t"]}, "nothing is looked for"),
        (
            {"columns": {"s.emial": "redact"}},
            "'s' has no field 'emial'; expected one of 'email', 'at'; did you mean 'email'",
        ),
        ({"columns": {"t.x": "redact"}}, "'t' is string, and has no field 'x'"),
        ({"columns": {"s": "redact", "s.email": "redact"}}, "'s.email' lies in 's'"),
        ({"columns": {"s.email": "redact", "s": "redact"}}, "'s' is masked twice"),
        ({"columns": {"s.at": "hash"}, "key": "short"}, "column 's.at' is double"),
        ({"columns": {"s": "token"}, "key": "short"}, "column 's' is struct<"),
        ({"detect": ["email"], "among": ["s.at"]}, "column 's.at' is double; expected a text column"),
    ],
)
def test_what_cannot_be_masked_is_an_error_of_the_file(
    spark: SparkSession, options: dict[str, Any], words: str
) -> None:
    rows = spark.createDataFrame(
        [], "t string, i int, f double, m map<string,int>, s struct<email: string, at: double>"
    )
    with pytest.raises(ConfigError) as error:
        masked(rows, **options)
    assert words in str(error.value)
    assert not any(key in str(error.value) for key in KEYS.values() if key)
