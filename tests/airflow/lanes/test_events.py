"""Given a run that asset events started, then their windows are found, those too that Airflow overlooked, in the shapes
of each version. The context is a fake in these shapes; real contexts are those of the runs in test_parity."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.airflow.lanes.versions import AIRFLOW_3, AIRFLOW_VERSION

pytestmark = pytest.mark.airflow

ASKED = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event(minutes: int) -> Any:
    """An event so many minutes after the one that asked for the run."""
    return SimpleNamespace(timestamp=ASKED + timedelta(minutes=minutes), extra={"number": minutes})


class Since:
    """An asset's events as 3.2 and later hand them out: they are asked for by time."""

    def __init__(self, events: list[Any]) -> None:
        self._events = events

    def after(self, moment: str) -> list[Any]:
        return [item for item in self._events if item.timestamp >= datetime.fromisoformat(moment)]


class ByAsset:
    """As 3.x's accessors: iterates over assets and answers to them; 3.1's assets can't be keys of a dict."""

    def __init__(self, asset: Any, events: Any) -> None:
        self._asset, self._events = asset, events

    def __iter__(self) -> Iterator[Any]:
        return iter([self._asset])

    def __getitem__(self, asset: Any) -> Any:
        assert asset == self._asset
        return self._events


def context() -> dict[str, Any]:
    """A first try of a run that was asked for at ASKED and began three minutes later."""
    from airflow_provider_etl.compat import Asset

    asset = Asset(name="daily.lake")
    known = [event(-60), event(0), event(1), event(2), event(9)]
    since = Since(known) if AIRFLOW_VERSION >= (3, 2) else known
    if AIRFLOW_3:
        run = {"run_type": "asset_triggered", "run_after": ASKED}
        triggering: dict[str, Any] = {"triggering_asset_events": ByAsset(asset, [event(0)])}
    else:
        run = {"run_type": "dataset_triggered", "execution_date": ASKED}
        triggering = {"triggering_dataset_events": {"daily.lake": [event(0)]}}
    return {
        **triggering,
        "dag_run": SimpleNamespace(**run, start_date=ASKED + timedelta(minutes=3)),
        "inlets": [asset],
        "inlet_events": ByAsset(asset, since),
        "ti": SimpleNamespace(max_tries=3, try_number=1, task=SimpleNamespace(retries=3)),
    }


def test_a_run_gets_the_events_that_asked_for_it_and_those_that_came_before_it_began() -> None:
    from airflow_provider_etl.compat import asset_triggered, triggering_extras

    found = context()
    assert asset_triggered(found)
    assert triggering_extras(found) == [("daily.lake", {"number": minutes}) for minutes in (0, 1, 2)]


def test_a_cleared_task_gets_those_alone_that_airflow_names() -> None:
    from airflow_provider_etl.compat import triggering_extras

    found = context()
    found["ti"].max_tries = 5
    assert triggering_extras(found) == [("daily.lake", {"number": 0})]


def test_an_asset_and_the_event_s_key_have_one_name() -> None:
    from airflow_provider_etl.compat import Asset, asset_name

    assert asset_name(Asset(name="daily.lake")) == asset_name("daily.lake") == "daily.lake"
    assert asset_name(object()) is None
