"""Given a connection's failures, when tasks ask for it, then they are let through or left out; the clock is ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_etl.breaker.machine import CLOSED, State, admit, answered, counted, failed, phase, until
from spark_jobs.extract.breaker import Breaker

OPTIONS = Breaker(failures=3, within=timedelta(minutes=10), cool_down=timedelta(minutes=15))
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def opened_at(minutes: float) -> State:
    return State(opened=at(minutes))


def test_closed_lets_everybody_through_and_remembers_nothing_of_it() -> None:
    assert admit(CLOSED, OPTIONS, at(0), "a") == (True, CLOSED)
    assert answered(CLOSED, "a") == CLOSED
    assert until(CLOSED, OPTIONS, at(0)) is None


def test_enough_failures_within_the_time_open_it() -> None:
    state = CLOSED
    for minute, expected in ((0, "closed"), (5, "closed"), (9, "open")):
        state = failed(state, OPTIONS, at(minute), "a")
        assert phase(state, OPTIONS, at(minute)) == expected
    assert state == opened_at(9), "what led to it is forgotten: the next opening needs a probe"
    assert until(state, OPTIONS, at(9)) == at(24)


def test_failures_that_are_too_far_apart_never_open_it() -> None:
    state = CLOSED
    for minute in range(0, 60, 6):
        state = failed(state, OPTIONS, at(minute), "a")
        assert state.opened is None
        assert counted(state, OPTIONS, at(minute)) <= 2


def test_a_source_s_own_time_hides_no_failure_from_the_connection_s_others() -> None:
    hasty = Breaker(failures=2, within=timedelta(seconds=30))
    state = CLOSED
    for minute in (0, 1, 2):
        state = failed(state, hasty, at(minute), "hasty")
        assert (phase(state, hasty, at(minute)), counted(state, hasty, at(minute))) == ("closed", 1)
    assert counted(state, OPTIONS, at(3)) == 3
    assert failed(state, OPTIONS, at(3), "patient") == opened_at(3)
    once = Breaker(failures=1)
    assert failed(state, once, at(3), "once") == opened_at(3)


def test_the_last_hundred_failures_of_the_last_day_are_remembered() -> None:
    most = Breaker(failures=100, within=timedelta(days=1))
    state = CLOSED
    for minute in range(0, 24 * 60 * 3, 15):  # 96 a day
        state = failed(state, most, at(minute), "a")
    assert (len(state.failures), state.opened) == (96, None)
    for minute in range(300):  # one after another leaves each alone in its time
        state = failed(state, Breaker(failures=2, within=timedelta(seconds=1)), at(5000 + minute), "a")
    assert len(state.failures) == 100
    assert failed(state, most, at(5300), "a") == opened_at(5300)


def test_a_success_takes_no_failure_back() -> None:
    state = failed(failed(CLOSED, OPTIONS, at(0), "a"), OPTIONS, at(1), "b")
    assert failed(answered(state, "c"), OPTIONS, at(2), "d") == opened_at(2)


def test_open_lets_nobody_through_until_it_has_cooled_down() -> None:
    for minute in (0, 14.9):
        assert admit(opened_at(0), OPTIONS, at(minute), "a") == (False, opened_at(0))
    let, state = admit(opened_at(0), OPTIONS, at(15), "a")
    assert let
    assert phase(state, OPTIONS, at(15)) == "half-open"


def test_half_open_lets_one_through_and_its_retries() -> None:
    _, state = admit(opened_at(0), OPTIONS, at(15), "a")
    assert admit(state, OPTIONS, at(16), "b") == (False, state)
    assert until(state, OPTIONS, at(16)) == at(30)
    assert admit(state, OPTIONS, at(16), "a") == (True, state), "a retry doesn't make its time longer"


def test_the_probe_s_end_closes_it_or_opens_it_again() -> None:
    _, state = admit(opened_at(0), OPTIONS, at(15), "a")
    assert answered(state, "a") == CLOSED
    again = failed(state, OPTIONS, at(17), "a")
    assert again == opened_at(17)
    assert not admit(again, OPTIONS, at(31.9), "a")[0]
    assert admit(again, OPTIONS, at(32), "b")[0]


def test_those_let_through_before_it_opened_change_nothing() -> None:
    _, probing = admit(opened_at(0), OPTIONS, at(15), "a")
    for state in (opened_at(0), probing):
        assert failed(state, OPTIONS, at(16), "late") == state
        assert answered(state, "late") == state


def test_a_probe_that_nobody_hears_of_gives_way_after_one_more_cool_down() -> None:
    _, state = admit(opened_at(0), OPTIONS, at(15), "dead")
    assert not admit(state, OPTIONS, at(29.9), "b")[0]
    let, after = admit(state, OPTIONS, at(30), "b")
    assert let
    assert after.probe == "b"
    assert failed(after, OPTIONS, at(31), "dead") == after, "it isn't the probe any more"


def test_a_probe_that_is_slower_than_the_cool_down_closes_it_still() -> None:
    _, state = admit(opened_at(0), OPTIONS, at(15), "a")
    _, after = admit(state, OPTIONS, at(30), "b")
    assert answered(after, "a") == CLOSED
    assert answered(after, "b") == CLOSED
    assert answered(failed(after, OPTIONS, at(31), "b"), "a") == opened_at(31), "it was opened since"
    for minute in range(45, 45 + 15 * 30, 15):
        _, after = admit(after, OPTIONS, at(minute), f"at {minute}")
    assert len(after.probes) == 20
    assert after.probes[-1] == after.probe


@given(st.lists(st.tuples(st.sampled_from(["ask", "fail", "answer"]), st.sampled_from("abc"), st.integers(0, 400))))
def test_whatever_happens_it_can_be_asked_again_after_two_cool_downs(events: list[tuple[str, str, int]]) -> None:
    state, now = CLOSED, START
    for event, who, seconds in events:
        now += timedelta(seconds=seconds)
        if event == "ask":
            state = admit(state, OPTIONS, now, who)[1]
        else:
            state = failed(state, OPTIONS, now, who) if event == "fail" else answered(state, who)
        assert counted(state, OPTIONS, now) < OPTIONS.failures
    assert admit(state, OPTIONS, now + 2 * OPTIONS.cool_down, "later")[0]


@pytest.mark.parametrize("bad", [{"failures": 0}, {"within": "0s"}, {"cool_down": "2d"}, {"when_open": "wait"}])
def test_bounds_of_the_options_are_those_of_the_language(bad: dict[str, object]) -> None:
    from airflow_provider_etl.spec.mappings import from_mapping
    from airflow_provider_etl.spec.problems import Problems
    from airflow_provider_etl.spec.reading import Reading
    from airflow_provider_etl.spec.shape import build

    problems = Problems()
    build(Breaker, from_mapping(bad, "x", problems), Reading(problems=problems, substitute=lambda node, _: node.text))
    assert problems.failed
