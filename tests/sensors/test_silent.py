"""A ledger that only Spark can ask: nobody waits for it for ever, and every window runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_provider_etl.hooks.tables import ledger_of
from airflow_provider_etl.sensors.pipeline import _lacking
from spark_jobs.errors import ConfigError

SPAN = (datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC))


def test_a_sensor_says_that_it_cannot_ask_and_a_run_finds_nothing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER_DB", '{"conn_type": "jdbc", "extra": {"driver": "a.B", "subprotocol": "a"}}')
    table = {"type": "jdbc", "connection": "other_db", "table": "orders"}
    assert ledger_of(table).windows("orders", "mart") == []
    load = {"pipeline": "orders", "destination": "mart", "table": table, "snapshot": False}
    with pytest.raises(ConfigError, match=r"load\.mart: the ledger of pipeline orders .* of type jdbc"):
        _lacking(load, SPAN, [SPAN], [], same=False)
