"""Orders: what is done to whole tables, beside running windows: adopt, purge, refresh, and their upkeep.

As with a plan, one JSON document goes in and one report comes out, by the same engines. An order carries plans, for
what they say of the pipeline: where its tables, quarantine and staging are.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError
from spark_jobs.failures import classify
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ORDER_VERSION: Final = 1
ORDERS: Final = {
    "adopt": "spark_jobs.tables.adopt:adopt",
    "purge": "spark_jobs.tables.purge:purge",
    "refresh": "spark_jobs.tables.refresh:refresh",
    "maintain": "spark_jobs.upkeep.orders:maintain",
    "history": "spark_jobs.upkeep.orders:history",
    "restore": "spark_jobs.upkeep.orders:restore",
    "quarantine": "spark_jobs.giving_up:drop",
    "rows": "spark_jobs.alone.replay:replay",
    "checks": "spark_jobs.results:tell",
    "audit": "spark_jobs.tables.recount:audit",
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to do to the tables of one pipeline.

    Args:
        name: a key of ORDERS.
        plans: of the pipeline; one where windows mean nothing.
        options: the order's own.
        connections: those that the plans' kinds name; no part of its JSON.
    """

    name: str
    plans: tuple[Plan, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    connections: Connections = field(default_factory=Connections)

    @property
    def plan(self) -> Plan:
        """The first plan."""
        return self.plans[0]

    def to_json(self) -> dict[str, Any]:
        """As JSON; `spark` stands where a plan has it, since engines ask there."""
        return {
            "order_version": ORDER_VERSION,
            "order": self.name,
            "plans": [plan.to_json() for plan in self.plans],
            "options": dict(self.options),
            "spark": dict(self.plan.spark),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Order:
        """The inverse of `to_json`.

        Raises:
            ConfigError: another version, or an unknown order.
        """
        if value.get("order_version") != ORDER_VERSION or value.get("order") not in ORDERS:
            raise ConfigError(
                f"order {value.get('order')!r} of version {value.get('order_version')!r}",
                where="order",
                expected=f"one of {', '.join(ORDERS)}, version {ORDER_VERSION}",
                remedy="install the same release of airflow-provider-etl on both sides",
            )
        plans = tuple(Plan.from_json(item) for item in value["plans"])
        return cls(name=value["order"], plans=plans, options=value["options"])


def is_order(value: Any) -> bool:
    """Whether a JSON document is an order, and no plan."""
    return isinstance(value, Mapping) and "order" in value


def execute(
    order: Order, session: Callable[[str, Mapping[str, Any]], SparkSession], say: Callable[[str], None]
) -> dict[str, Any]:
    """Carry an order out.

    Args:
        order: what to do.
        session: gives a session for (name, engine settings).
        say: takes one line of progress.

    Returns:
        The report (JSON): `order`, `pipeline`, `id`, `state` (done, shown, failed), `seconds`, `error`, and what the
        order itself tells.
    """
    begin = time.monotonic()
    report: dict[str, Any] = {
        "order_version": ORDER_VERSION,
        "order": order.name,
        "pipeline": order.plan.pipeline,
        "id": order.plan.id,
        "state": "failed",
        "error": None,
    }
    try:
        module, _, function = ORDERS[order.name].partition(":")
        carry_out = getattr(importlib.import_module(module), function)
        report |= carry_out(session(f"{order.name} {order.plan.id}", order.plan.spark), order, say)
    except Exception as error:  # noqa: BLE001 - whatever happened becomes the report's error
        told = classify(error, order.name)
        report["error"] = told.to_json()
        say(f"error[{told.kind}]: {told}")
    report["seconds"] = round(time.monotonic() - begin, 3)
    return report
