"""Three dialects, one request: what each flag becomes, what is refused, what is only told."""

from __future__ import annotations

import argparse
from datetime import timedelta

import pytest

from airflow_provider_etl.backfill.dialects import request_of
from airflow_provider_etl.backfill.flags import IDLE, REFUSED, add_arguments
from airflow_provider_etl.backfill.request import Request
from spark_jobs.errors import ConfigError


def asked(line: str) -> Request:
    """The request of a command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--environment")
    add_arguments(parser)
    return request_of(parser.parse_args(line.split()))


def test_ours() -> None:
    request = asked("flights --from 2013-01-01 --to 2013-01-07 --reprocess completed --max-active 3 --no-wait -y")
    assert request == Request(
        dag="flights",
        first="2013-01-01",
        last="2013-01-07",
        reprocess="completed",
        max_active=3,
        wait=False,
        yes=True,
    )
    assert asked("flights --from 2013-01-01 --batch 30d").batch == timedelta(days=30)


def test_the_flags_of_2_11() -> None:
    line = "flights -s 2013-01-01 -e 2013-01-07 --reset-dagruns -B -n -y"
    request = asked(line)
    assert (request.first, request.last, request.native) == ("2013-01-01", "2013-01-07", True)
    assert (request.reprocess, request.backwards, request.dry_run, request.yes) == ("completed", True, True, True)
    assert request.notes == ("--reset-dagruns is --reprocess completed here: every window of the range runs again",)
    assert asked("flights -s 2013-01-01 --rerun-failed-tasks").reprocess == "failed"
    assert asked("""flights -s 2013-01-01 -c {"a":1}""").conf == {"a": 1}


def test_the_flags_of_3() -> None:
    line = "--dag-id flights --from-date 2013-01-01 --to-date 2013-01-07 --reprocess-behavior failed"
    request = asked(f'{line} --max-active-runs 4 --run-backwards --dag-run-conf {{"a":1}} --dry-run')
    assert (request.dag, request.native, request.reprocess) == ("flights", True, "failed")
    assert (request.max_active, request.backwards, request.conf, request.dry_run) == (4, True, {"a": 1}, True)
    assert request.latest is None
    assert asked(f"{line} --no-run-on-latest-version").latest is False


@pytest.mark.parametrize("line", ["--from 2013-01-02", "--to 2013-01-02", "-s 2013-01-02", "-e 2013-01-02"])
def test_one_date_alone_is_both_ends(line: str) -> None:
    request = asked(f"flights {line}")
    assert (request.first, request.last) == ("2013-01-02", "2013-01-02")


@pytest.mark.parametrize("flag", REFUSED)
def test_a_flag_that_would_mislead_is_refused_with_a_way_out(flag: str) -> None:
    value = " x" if flag in ("--task-regex", "--pool") else ""
    with pytest.raises(ConfigError, match=f"^{flag} can't be kept: ") as told:
        asked(f"flights -s 2013-01-01 {flag}{value}")
    assert told.value.remedy


@pytest.mark.parametrize("flag", [flag for flag in IDLE if IDLE[flag]])
def test_a_flag_that_changes_nothing_is_accepted_and_told(flag: str) -> None:
    value = " 5" if flag in ("--subdir", "--delay-on-limit") else ""
    assert asked(f"flights -s 2013-01-01 {flag}{value}").notes == (f"{flag} changes nothing here: {IDLE[flag]}",)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--from 2013-01-01", "no DAG is named"),
        ("flights --dag-id weather --from 2013-01-01", "two DAGs are named: flights, weather"),
        ("flights", "no range is given"),
        ("flights --from 2013-01-01 -e 2013-01-02", "are mixed"),
        ("flights --from 2013-01-01 --reprocess failed --reset-dagruns", "asked to be completed and failed"),
        ("flights --from 2013-01-01 --missing --reprocess completed", "say by themselves which windows run"),
        ("flights --from 2013-01-01 --conf {", "isn't JSON"),
        ("flights --from 2013-01-01 --conf [1]", r"the configuration is \[1\]"),
        ("""flights --from 2013-01-01 --conf {"window_start":"2013-01-01"}""", "would load that one window"),
        ("flights --from 2013-01-01 --batch soon", "--batch soon: expected a duration"),
        ("flights --from 2013-01-01 --batch 0d", "no time at all"),
        ("flights --from 2013-01-01 --batch 9d -B", "takes neither"),
    ],
)
def test_what_contradicts_itself_is_refused(line: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        asked(line)
