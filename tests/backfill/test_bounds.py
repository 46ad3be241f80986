"""Ranges that are wider than a pipeline's life, or than anybody means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_etl.backfill.bounds import bounded
from airflow_provider_etl.backfill.dates import Range, starts
from airflow_provider_etl.backfill.facts import Dag, Slot
from airflow_provider_etl.backfill.look import look
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.schedule import Cuts
from spark_jobs.errors import ConfigError
from tests.airflow.project import FLIGHTS, Project
from tests.backfill.conftest import pipeline_of
from tests.backfill.fakes import FakeAirflow, day, slot
from tests.backfill.test_preview import asked, shown

NEW_YORK = "America/New_York"
NOW = datetime(2013, 1, 10, 12, tzinfo=UTC)


def pipeline(project: Project, *changes: tuple[str, str]) -> Pipeline:
    """The pipeline, which starts on the first of January 2013 and ends with the third, changed."""
    text = FLIGHTS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    project.pipeline("flights", text)
    return pipeline_of(project)


@pytest.fixture
def asked_for_cuts(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The instants of which the next cut is asked, on the way: what a refusal takes."""
    asked_for: list[datetime] = []
    following = Cuts.next

    def counted(cuts: Cuts, instant: datetime) -> datetime:
        asked_for.append(instant)
        return following(cuts, instant)

    monkeypatch.setattr(Cuts, "next", counted)
    return asked_for


def test_windows_before_the_start_and_behind_the_end_are_left_out_and_counted(project: Project) -> None:
    found = bounded(starts("2012-12-25", "2013-01-10", NEW_YORK), pipeline(project), NOW)
    assert (found.first, found.last) == (day(1), day(4) - timedelta(microseconds=1))
    assert found.left_out == (
        "7 windows left out: before its start, 2013-01-01 00:00",
        "7 windows left out: behind its end, 2013-01-04 00:00",
    )


def test_windows_that_have_not_begun_are_left_out_and_the_one_that_goes_on_is_shown(project: Project) -> None:
    endless = pipeline(project, ("end: 2013-01-04\n", ""))
    found = bounded(starts("2013-01-09", "2013-01-12", NEW_YORK), endless, NOW)
    assert found.left_out == ("2 windows left out: not begun yet",)
    assert found.last == NOW


def test_a_range_inside_the_life_stays_as_it_is(project: Project) -> None:
    asked_for = starts("2013-01-01", "2013-01-03", NEW_YORK)
    found = bounded(asked_for, pipeline(project), NOW)
    assert (found.first, found.last, found.left_out) == (asked_for.first, asked_for.last, ())
    assert bounded(starts("1900-01-01", "2100-01-01", NEW_YORK), None, NOW).left_out == ()


@pytest.mark.parametrize(
    ("schedule", "years"),
    [('"* * * * *"', 1), ('"*/5 * * * *"', 1), ('"* * 1-15 * *"', 1), ('"* 3,4 * * 1-5"', 5), ("{every: 1m}", 1)],
)
def test_a_range_that_nobody_means_is_refused_at_once(
    project: Project, schedule: str, years: int, asked_for_cuts: list[datetime]
) -> None:
    many = pipeline(project, ("end: 2013-01-04\n", ""), ('"@daily"', schedule))
    with pytest.raises(ConfigError, match="more than 100,000 windows start in that range"):
        bounded(starts("1900-01-01", "2199-12-31", NEW_YORK), many, NOW + years * timedelta(days=355))
    assert len(asked_for_cuts) < 2_500


@pytest.mark.parametrize("schedule", ['"* * 1-5 * *"', '"*/6 * * * *"', '"* 0 * * *"', '"0 * * 1-3 *"', "{every: 6m}"])
def test_a_range_is_refused_for_the_windows_that_it_has_and_not_for_those_of_its_first_days(
    project: Project, schedule: str, asked_for_cuts: list[datetime]
) -> None:
    few = pipeline(project, ("end: 2013-01-04\n", ""), ('"@daily"', schedule))
    year = starts("2013-01-01", "2013-12-31", NEW_YORK)
    found = bounded(year, few, NOW + timedelta(days=400))
    assert (found.first, found.last, found.left_out) == (year.first, year.last, ())
    assert len(asked_for_cuts) < 2_500


def test_a_range_that_is_allowed_may_hold_a_long_time_before_the_start(
    project: Project, asked_for_cuts: list[datetime]
) -> None:
    many = pipeline(project, ("end: 2013-01-04\n", ""), ('"@daily"', '"*/5 * * * *"'))
    found = bounded(starts("1900-01-01", "2199-12-31", NEW_YORK), many, NOW)
    assert [text.split(":")[0] for text in found.left_out] == ["more than 1,000 windows left out"] * 2
    assert len(asked_for_cuts) < 5_000


def test_a_range_that_is_allowed_stays(project: Project) -> None:
    many = pipeline(project, ("end: 2013-01-04\n", ""), ('"@daily"', '"*/5 * * * *"'))
    year = Range(first=day(1), last=day(300), timezone=NEW_YORK)
    assert bounded(year, many, NOW + timedelta(days=355)).left_out == ()


def test_the_preview_says_what_it_leaves_out(project: Project) -> None:
    preview = look(FakeAirflow(), asked(project, "1900-01-01", "2013-01-02"))
    assert [item.start for item in preview.order.slots] == [day(1), day(2)]
    assert shown(preview)[1] == "more than 1,000 windows left out: before its start, 2013-01-01 00:00"


def test_looking_at_many_windows_is_told(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    class Quarters(FakeAirflow):
        def slots(self, dag: Dag, first: datetime, last: datetime) -> list[Slot]:
            days = super().slots(dag, first, last)
            return [slot(item.start + part * timedelta(minutes=15)) for item in days for part in range(96)]

    pipeline(project, ("end: 2013-01-04\n", ""))
    look(Quarters(), asked(project, "2013-01-01", "2013-01-10"))
    assert capsys.readouterr().err == ""
    look(Quarters(), asked(project, "2013-01-01", "2013-01-11"))
    assert capsys.readouterr().err == "looking at 1,056 windows\n"


def test_a_range_of_which_nothing_is_left_says_why(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"no window starts in 2000.*; 2 windows left out: before its start"):
        look(FakeAirflow(), asked(project, "2000-01-01", "2000-01-02"))
