"""How a number may stand in raw records. Spark reads the pattern by Java; its number part is common to both."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.tables.forms import Form, pattern

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)


def compiled(text: str) -> re.Pattern[str]:
    # Python's re has no \p{…}; its \w is those letters, numbers and _.
    return re.compile(pattern("given", [Form(kind="double", text=text)]).replace(r"[\p{L}\p{N}_]", r"\w"))


def found(text: str, raw: str) -> bool:
    return compiled(text).search(raw) is not None


@pytest.mark.parametrize(
    ("text", "raws"),
    [
        ("100000", ["1e+05", "1E5", "1.0e+005", "100000", "0100000.00", "10e4", "0.1E+06", ".1E6", "100000e+00"]),
        ("1000000", ["1e+06"]),
        ("1500", ["1.5e+03", "15e2", "150e1", "1.500000e+03", "0.15E+04"]),
        ("0.5", [".5", "0.5", "00.50", "5e-01", "5.0E-1", ".5e0", "+.5"]),
        ("-0.5", ["-.5", "-0.50", "-5e-1"]),
        ("1.5", ["1.5e+00", "15e-1", "1.5E-0"]),
        ("0", ["0", "0.00", ".0", "0e+00", "0.000000e+00"]),
        ("1.0E10", ["1e10", "10000000000", "1e+10"]),
    ],
)
def test_a_number_is_found_with_any_exponent_that_a_program_writes(text: str, raws: list[str]) -> None:
    assert [raw for raw in raws if not found(text, f"{raw},a,b")] == []


@pytest.mark.parametrize(
    ("text", "raws"),
    [
        ("100000", ["1e+06", "1e+050", "1e-05", "1e+0", "1", "11e+05"]),
        ("1500", ["15e3", "1.5e2", "1.5e-03", "1.05e3"]),
        ("0.5", ["1.5", "5", ".55", ".05", "x.5", "5e1", "5e+01"]),
        ("0", ["1", "10", "1e0", "x0"]),
    ],
)
def test_a_number_near_it_is_another(text: str, raws: list[str]) -> None:
    assert [raw for raw in raws if found(text, f"{raw},a,b")] == []


@given(number=NUMBERS, form=st.sampled_from(["{:f}", "{:e}", "{:E}", "{:.40e}", "{:+.30e}", "{:g}"]))
def test_what_python_writes_is_found(number: Decimal, form: str) -> None:
    assert found(f"{number:f}", f"x,{form.format(number)},y")


@settings(deadline=None)  # 300 places take Python's re a while to compile
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_what_c_writes_of_a_double_is_found(number: float) -> None:
    assert found(repr(number), f"x,{number:.16e},y") is (Decimal(f"{number:.16e}") == Decimal(repr(number)))


@given(
    number=st.integers(-200, 200),
    raw=st.from_regex(r"[-+]?([0-9]{1,3}(\.[0-9]{0,2})?|\.[0-9]{1,3})(e[-+]?0?[0-3])?", fullmatch=True),
)
def test_a_number_alone_is_found_for_itself_only(number: int, raw: str) -> None:
    assert compiled(str(number)).fullmatch(raw) is None or Decimal(raw) == number


@pytest.mark.parametrize("raw", ["1.5", "1.0000000000000001e-05", "5.07", "5e3", "1.5e2", "0.5"])
def test_a_part_of_a_longer_number_is_another(raw: str) -> None:
    assert not found("5", f"x,{raw},y")
    assert not found("1e-05", f"x,{raw},y")
