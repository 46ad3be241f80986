"""Given a load and figures, then cores, machines and bytes are what arithmetic says, and more load never needs less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_etl.capacity.asking import Ask
from airflow_provider_etl.capacity.figures import Figures, ours
from airflow_provider_etl.capacity.prices import Prices, cost
from airflow_provider_etl.capacity.sensitivity import effects
from airflow_provider_etl.capacity.sizing import Sizing, carried, cpu_of_million, sized
from spark_jobs.errors import ConfigError

DAY = 86_400.0
GIB = 2.0**30
ROUND = {
    "cpu": 36.0, "cpu_small": 6.0, "start_cpu": 36.0, "start_seconds": 36.0, "memory": 1.2, "stored": 0.5,
    "storage_spare": 1.0, "memory_room": 0.6, "driver": 1.0, "machine_cores": 1.0, "machine_memory": 0.125,
    "kafka_partition": 5.0, "kafka_retention": 2.0, "kafka_copies": 3.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Round ones: 36 CPU s per million records of 1,000 bytes, 6 of which each record costs whatever its size."""
    found = ours()
    for name, value in ROUND.items():
        found = found.with_value(name, value)
    run = replace(found.runs["pipeline"], record_bytes=1000.0)
    return replace(found, runs={**found.runs, "pipeline": run})


ASK = Ask(
    records_per_hour=100e6, record_bytes=1000.0, sources=100, peak=3.0, utilisation=0.5, retention=30 * DAY, spare=0
)


def test_the_answer_is_the_arithmetic_of_its_figures(figures: Figures) -> None:
    found = sized(ASK, figures)
    assert found.work == pytest.approx(1.0), "100 million an hour, 36 CPU s each million"
    assert found.starts == pytest.approx(1.0), "100 an hour, 36 CPU s each"
    assert (found.mean, found.peak, found.cores) == pytest.approx((2.0, 4.0, 8.0))
    assert (found.executors, found.executor_memory) == (2, 8 * GIB)
    assert found.applications == 2, "one starting at any time, and three busy cores of work in executors of four"
    assert found.memory == (2 * 8 + 2) * GIB
    assert found.machines == 1
    assert found.stored_per_day == pytest.approx(1.2e12)
    assert found.storage == pytest.approx(36e12)
    assert found.partitions == 100, "one for each source; by bytes 17, by cores 8"
    assert found.kafka_storage == pytest.approx(2.4e12 * 2 * 3)
    assert (found.read, found.written) == pytest.approx((100e9 / 3600 * 3, 50e9 / 3600 * 3))
    assert (found.emptied, found.made_up) == pytest.approx((900.0, 1200.0))


def test_a_record_costs_something_however_small_it_is(figures: Figures) -> None:
    assert cpu_of_million(figures, 0) == pytest.approx(6.0)
    assert cpu_of_million(figures, 1000) == pytest.approx(36.0)
    assert cpu_of_million(figures, 2000) == pytest.approx(66.0)


def test_growth_years_and_spare_machines(figures: Figures) -> None:
    grown = sized(replace(ASK, growth=1.0, years=2.0, spare=2), figures)
    assert grown.work == pytest.approx(4.0)
    assert grown.starts == pytest.approx(1.0), "as many pipelines as before"
    assert grown.machines == 2 + 3, "26 cores: seven executors of four, three on a machine"


def test_what_machines_carry_is_the_load_that_needs_them(figures: Figures) -> None:
    for machines in (2, 10):
        ask = replace(ASK, spare=1)
        load = carried(ask, figures, machines)
        assert sized(replace(ask, records_per_hour=load), figures).machines == machines
        assert sized(replace(ask, records_per_hour=load * 1.01), figures).machines == machines + 1
    assert carried(replace(ASK, spare=1), figures, 1) == 0.0


def test_an_executor_that_fits_on_no_machine_is_told(figures: Figures) -> None:
    for wrong in (replace(ASK, executor_cores=16), replace(ASK, machine_memory=4 * GIB)):
        with pytest.raises(ConfigError, match=r"doesn't fit on a machine.*fewer --executor-cores"):
            sized(wrong, figures)


def test_a_month_costs_what_machines_and_disks_cost(figures: Figures) -> None:
    prices = Prices(
        currency="EUR", as_of="2026-11-23", source="x", machine_hour=1.0, machine_cores=16, machine_memory=64 * GIB,
        storage_month=0.02, kafka_month=0.1,
    )  # fmt: skip
    found = sized(ASK, figures)
    told = cost(found, prices, 16)
    assert told.machines == pytest.approx(730.0)
    assert told.storage == pytest.approx(36e12 / GIB * 0.02)
    assert told.kafka == pytest.approx(14.4e12 / GIB * 0.1)
    assert told.month == told.machines + told.storage + told.kafka
    assert cost(found, prices, 32).machines == pytest.approx(1460.0), "a machine twice as large costs twice as much"


def test_what_it_hangs_on_is_told_by_weight(figures: Figures) -> None:
    found = {effect.name: effect for effect in effects(ASK, figures)}
    assert next(iter(found)) == "utilisation"
    assert found["records_per_hour"].cores == pytest.approx(7 / 4)
    assert found["records_per_hour"].storage == pytest.approx(2.0)
    assert (found["utilisation"].by, found["utilisation"].cores) == pytest.approx((0.5, 2.0))
    assert (found["sources"].cores, found["window"].cores) == pytest.approx((5 / 4, 5 / 4))
    assert (found["retention"].cores, found["retention"].storage) == pytest.approx((1.0, 2.0))
    assert found["memory"].memory > 1.5


ASKS = st.builds(
    Ask,
    records_per_hour=st.floats(1, 1e12), record_bytes=st.floats(1, 1e6), sources=st.integers(1, 10_000),
    window=st.floats(60, 30 * DAY), peak=st.floats(1, 50), utilisation=st.floats(0.05, 1),
    retention=st.floats(DAY, 3650 * DAY), growth=st.floats(0, 3), years=st.floats(0, 5), spare=st.integers(0, 3),
)  # fmt: skip


def needs(found: Sizing) -> tuple[float, ...]:
    """All that one has to buy."""
    return (
        found.cores, found.executors, found.applications, found.memory, found.machines, found.storage, found.partitions,
        found.kafka_storage, found.read, found.written,
    )  # fmt: skip


@given(
    ask=ASKS,
    factor=st.floats(1, 10),
    name=st.sampled_from(["records_per_hour", "record_bytes", "sources", "peak", "retention", "growth", "years"]),
)
def test_more_never_needs_less(ask: Ask, factor: float, name: str) -> None:
    more = replace(ask, **{name: getattr(ask, name) * factor})
    both = zip(needs(sized(ask, ours())), needs(sized(more, ours())), strict=True)
    assert all(less <= most * (1 + 1e-9) for less, most in both)


@given(ask=ASKS)
def test_the_machines_hold_what_is_put_on_them(ask: Ask) -> None:
    found, left = sized(ask, ours()), ours().value("machine_cores")
    machines = found.machines - ask.spare
    assert machines * (ask.machine_cores - left) >= found.executors * ask.executor_cores >= found.cores * (1 - 1e-9)
    assert machines * ask.machine_memory >= found.memory
    assert found.cores * ask.utilisation == pytest.approx(found.peak)
