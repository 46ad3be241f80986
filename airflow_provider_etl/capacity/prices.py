"""A price table: what a machine's hour and storage cost, by whom and when that was said."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from airflow_provider_etl.capacity.quantities import size, within
from airflow_provider_etl.capacity.reading import entries, mapping, place, text
from airflow_provider_etl.capacity.sizing import Sizing
from airflow_provider_etl.spec.nodes import Node
from spark_jobs.errors import ConfigError

HOURS: Final = 730.0  # of a month, on the mean
_GIB: Final = 2.0**30
_TEXTS: Final = ("currency", "as_of", "source")


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What things cost.

    Args:
        currency: its code.
        as_of: the date of the prices.
        source: who says so.
        machine_hour: of one machine.
        machine_cores, machine_memory: of that machine; bytes.
        storage_month: of a GiB of loaded rows.
        kafka_month: of a GiB of Kafka's disks.
    """

    currency: str
    as_of: str
    source: str
    machine_hour: float
    machine_cores: int
    machine_memory: float
    storage_month: float
    kafka_month: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a month of 730 hours, in the table's currency; Kafka's brokers aren't among it, their disks are."""

    machines: float
    storage: float
    kafka: float

    @property
    def month(self) -> float:
        """All of it."""
        return self.machines + self.storage + self.kafka


def read(path: str) -> Prices:
    """The price table of a file; every key has to be there.

    Raises:
        ConfigError: the file, with place and remedy.
    """
    known = {item.name: None for item in fields(Prices)}
    top = mapping(path)
    said = dict(entries(top, known))
    missing = [name for name in known if name not in said]
    if missing:
        raise ConfigError(f"no {', '.join(missing)}", where=path, expected=", ".join(known))
    values = {name: text(said[name]) if name in _TEXTS else _amount(name, said[name]) for name in known}
    for name in _TEXTS:
        if not values[name]:
            raise ConfigError("nothing", where=place(said[name]), expected="who says so, and when")
    return Prices(**values)  # type: ignore[arg-type]


def _amount(name: str, node: Node) -> float:
    if name == "machine_memory":
        return within(size(text(node), place(node)), place(node), least=_GIB, most=2.0**50)
    try:
        value = float(text(node))
    except ValueError:
        raise ConfigError(repr(text(node)), where=place(node), expected="a number") from None
    if name == "machine_cores":
        return int(within(value, place(node), least=1, most=10_000))
    return within(value, place(node), least=0, most=1e9)


def cost(found: Sizing, prices: Prices, machine_cores: int) -> Cost:
    """What a month costs, machines on all the time and storage at the end of the retention.

    Args:
        found: what is needed.
        prices: the table.
        machine_cores: of a machine; one of another size than the table's costs in proportion to its cores.
    """
    hour = prices.machine_hour * machine_cores / prices.machine_cores
    return Cost(
        machines=found.machines * hour * HOURS,
        storage=found.storage / _GIB * prices.storage_month,
        kafka=found.kafka_storage / _GIB * prices.kafka_month,
    )
