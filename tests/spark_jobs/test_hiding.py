"""A secret is hidden in whatever form it is said, wherever it begins in what was encoded."""

from __future__ import annotations

import html
import json
import re
import shlex
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.errors import EtlError
from spark_jobs.failures import classify
from spark_jobs.hiding import HIDDEN, Hiding, cut, forms
from spark_jobs.load.databases.telling import told

SECRET = "p4 'w\"@:/?#&;=%41+\\ü-long?>~"
HIDE = Hiding([SECRET]).text

WAYS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "URL": lambda text: quote(text, safe=""),
    "URL in small letters": lambda text: quote_plus(text).replace("%3A", "%3a").replace("%2F", "%2f").lower(),
    "read as part of a URL": unquote,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps({"password": text})),
    "Python": repr,
    "a shell": shlex.quote,
    "SQL": lambda text: "'{}'".format(text.replace("'", "''")),
    "a page": html.escape,
    "hexadecimal": lambda text: text.encode().hex(),
    "HEXADECIMAL": lambda text: text.encode().hex().upper(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_form_is_hidden(way: str) -> None:
    said = HIDE(f"user me:{WAYS[way](SECRET)}@db said no")
    assert HIDDEN in said
    assert said.startswith("user me:")
    assert said.endswith("@db said no")
    assert "long" not in said
    assert "6c6f6e67" not in said.lower()


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "m", "me", "me:", "user:"])
@pytest.mark.parametrize("after", ["", "@", "@d", "@db"])
def test_base64_is_hidden_wherever_it_begins(encode: Callable[[bytes], bytes], before: str, after: str) -> None:
    """Nothing is left but, at its ends, digits that the neighbours decide too."""
    code = encode(f"{before}{SECRET}{after}".encode()).decode()
    said = HIDE(f"Authorization: Basic {code}").removeprefix("Authorization: Basic ")
    assert HIDDEN in said
    left = [part.rstrip("=") for part in said.split(HIDDEN)]
    assert len(left[0]) <= len(before) * 8 // 6 + 1
    assert len(left[-1]) <= len(after) * 8 // 6 + 2


def test_base64_of_json_is_hidden() -> None:
    """As Kubernetes keeps its secrets."""
    code = b64encode(json.dumps({"password": SECRET}).encode()).decode()
    assert b"long" not in b64decode(HIDE(code).split(HIDDEN)[0] + "==", validate=False)
    assert HIDDEN in HIDE(code)


@settings(deadline=None)
@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=8, max_size=30),
    before=st.binary(max_size=5),
    after=st.binary(max_size=5),
)
def test_any_secret_is_found_in_any_code(secret: str, before: bytes, after: bytes) -> None:
    raw = before + secret.encode() + after
    for code in (b64encode(raw), urlsafe_b64encode(raw), raw.hex().encode()):
        assert any(form in code.decode() for form in forms(secret))


@settings(deadline=None)
@given(
    secrets=st.lists(st.text("ab|(", min_size=4, max_size=8), min_size=1, max_size=8),
    pieces=st.lists(st.text("ab|( ", max_size=6), max_size=6),
)
def test_the_longest_secret_at_a_place_is_hidden_whatever_others_begin_alike(
    secrets: list[str], pieces: list[str]
) -> None:
    text = "".join(piece + secret for piece, secret in zip(pieces, secrets, strict=False)) + "".join(pieces)
    longest_first = sorted({form for secret in secrets for form in forms(secret)}, key=len, reverse=True)
    assert Hiding(secrets).text(text) == re.sub("|".join(map(re.escape, longest_first)), HIDDEN, text)


def test_a_short_secret_has_no_codes_that_chance_would_write() -> None:
    assert not [form for form in forms("pass") if form != "pass"]


def test_what_is_no_secret_stays() -> None:
    told = f"{b64encode(b'a table of orders and nothing else').decode()} 2013-01-01 {'ab' * 20}"
    assert HIDE(told) == told


@pytest.mark.parametrize("way", WAYS)
def test_no_first_part_is_left_where_a_text_was_cut(way: str) -> None:
    text = f"$$$$ {WAYS[way](SECRET)} $$$$"
    for longest in range(1, len(text) + 1):
        said = HIDE(cut(text, longest))
        assert len(cut(text, longest)) <= longest
        assert not [form for form in forms(SECRET) if form[:3] in said], said


CUT_BY: dict[str, Callable[[str], EtlError]] = {
    "Spark": lambda text: classify(RuntimeError(text)),
    "JDBC": lambda text: classify(RuntimeError(f"org.postgresql.util.PSQLException: {text}")),
    "a driver": lambda text: told(text, "table t", "config", broken=False),
}


@pytest.mark.parametrize("by", CUT_BY)
def test_a_secret_that_straddles_the_end_of_an_error_is_hidden_to_its_first_letter(by: str) -> None:
    for place in range(470, 502):
        error = CUT_BY[by]("$" * place + SECRET)
        for said in (HIDE(str(error)), Hiding([SECRET]).json(error.to_json())["message"]):
            assert SECRET[:2] not in said
            assert "$" * 400 in said


def test_a_text_that_is_short_enough_and_one_without_secrets_stay_as_they_are() -> None:
    assert cut("as long", 7) == "as long"
    assert cut("too long", 7) == "too lo…"
    assert HIDE("3 … of 5 …") == "3 … of 5 …"
    assert Hiding().text("p4…") == "p4…"
