"""The numbers that order attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.ledger import LoadUnit, attempt_number, entry_of, same_configuration
from tests.spark_jobs.plans import day

FINGERPRINTS = st.text("0123456789abcdef", min_size=64, max_size=64)
INSTANTS = st.floats(1.6e9, 5.8e9)  # the years 2020 to 2153
LARGEST = 2**63 - 1


@given(FINGERPRINTS, INSTANTS, FINGERPRINTS, INSTANTS)
def test_the_next_attempt_is_always_larger_whatever_the_clock_says(
    one: str, now: float, two: str, later: float
) -> None:
    first = attempt_number(one, now=now)
    second = attempt_number(two, last=first, now=later)
    assert first < second <= LARGEST
    assert same_configuration(second, two)


@given(FINGERPRINTS, INSTANTS, INSTANTS, st.integers(1, 27), st.integers(1, 27))
def test_a_snapshot_is_ordered_by_window_end_first(mark: str, now: float, later: float, one: int, two: int) -> None:
    units = [LoadUnit(pipeline="p", destination="d", window=day(number), snapshot=True) for number in (one, two)]
    numbers = [unit.commit_number(attempt_number(mark, now=now)) for unit, now in zip(units, (now, later), strict=True)]
    assert max(numbers) <= LARGEST
    if one != two:
        assert (numbers[0] < numbers[1]) == (one < two)


@given(FINGERPRINTS, INSTANTS, INSTANTS)
def test_a_snapshot_run_again_gets_a_larger_number_than_the_ledger_holds(mark: str, now: float, later: float) -> None:
    unit = LoadUnit(pipeline="p", destination="d", window=day(1), snapshot=True)
    held = unit.commit_number(attempt_number(mark, now=now))
    again = attempt_number(mark, last=unit.last_attempt(held), now=later)
    assert unit.commit_number(again) > held


def test_units_of_a_snapshot_share_one_key_and_others_do_not() -> None:
    keys = {
        LoadUnit(pipeline="p", destination="d", window=day(number), snapshot=flag).key
        for number in (1, 2)
        for flag in (True, False)
    }
    assert keys == {
        "etl:p:d:snapshot",
        "etl:p:d:2013-01-01T00:00:00Z/2013-01-02T00:00:00Z",
        "etl:p:d:2013-01-02T00:00:00Z/2013-01-03T00:00:00Z",
    }


def test_foreign_commit_metadata_is_no_entry() -> None:
    assert entry_of(None) == {}
    assert entry_of("somebody's note") == {}
    assert entry_of('["a"]') == {}
    assert entry_of('{"etl": {"unit": "u"}}') == {"unit": "u"}
