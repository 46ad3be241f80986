"""The answer in words, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from airflow_provider_etl.capacity.asking import Ask
from airflow_provider_etl.capacity.figures import Figures, ours
from airflow_provider_etl.capacity.prices import HOURS, Cost, Prices
from airflow_provider_etl.capacity.quantities import (
    DAY,
    HOUR,
    bytes_told,
    memory_told,
    number,
    share_told,
    span_told,
)
from airflow_provider_etl.capacity.sensitivity import Effect
from airflow_provider_etl.capacity.sizing import Sizing


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that is told.

    Args:
        ask, figures: what it was made of.
        sizing: what is needed.
        effects: what it hangs on.
        prices, cost: None without a price table.
        machines, carried: how many were asked about, and the records an hour that they carry.
    """

    ask: Ask
    figures: Figures
    sizing: Sizing
    effects: Sequence[Effect]
    prices: Prices | None = None
    cost: Cost | None = None
    machines: int | None = None
    carried: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON: bytes, seconds, bytes a second and shares without units."""
        return {
            "capacity_version": 1,
            "ask": asdict(self.ask),
            "sizing": asdict(self.sizing) | {"mean": self.sizing.mean, "emptied": self.sizing.emptied},
            "cost": {**asdict(self.cost), "month": self.cost.month} if self.cost else None,
            "prices": asdict(self.prices) if self.prices else None,
            "machines": None if self.machines is None else {"machines": self.machines, "carried": self.carried},
            "effects": [asdict(effect) for effect in self.effects],
            **self.figures.to_json(),
        }


def told(answer: Answer) -> Iterator[str]:
    """Lines."""
    for title, rows in (
        ("the load", _load(answer.ask)),
        ("what it needs", _needs(answer)),
        ("what it costs", _costs(answer)),
        ("what the answer hangs on", _hangs(answer.effects)),
        ("what it rests on", _rests(answer)),
    ):
        yield from (title, *(f"  {line}".rstrip() for line in rows), "")


def _load(ask: Ask) -> list[str]:
    more = f", {number(ask.grown)} times today's" if ask.grown > 1 else ""
    each = ask.records * ask.window / ask.sources
    return _aligned(
        ("records", f"{number(ask.records)} a second on the mean{more}, of {bytes_told(ask.record_bytes)}"),
        ("bytes", f"{bytes_told(ask.bytes)} a second, {bytes_told(ask.bytes * DAY)} a day"),
        ("windows", f"{number(ask.windows * DAY)} a day: {number(ask.sources)} sources, {span_told(ask.window)} each"),
        ("a window", f"{number(each)} records, {bytes_told(each * ask.record_bytes)}"),
    )


def _needs(answer: Answer) -> list[str]:
    ask, found = answer.ask, answer.sizing
    busy = f"{number(found.work)} with records, {number(found.starts)} with the starts of windows"
    room = f"the peak, {number(ask.peak)} times the mean, takes {share_told(ask.utilisation)} of them"
    spare = f", {ask.spare} of them spare" if ask.spare else ""
    kept = f"{span_told(ask.retention)} of {bytes_told(found.stored_per_day)} a day"
    rows = [
        ("busy cores", f"{number(found.mean)} on the mean ({busy}), {number(found.peak)} in the peak"),
        ("cores", f"{number(found.cores)}: {room}"),
        ("executors", f"{found.executors} of {ask.executor_cores} cores, {memory_told(found.executor_memory)} each"),
        ("applications", f"{found.applications} at once in the peak: as many slots of Airflow, a driver each"),
        ("memory", f"{memory_told(found.memory)} of executors and drivers"),
        ("machines", f"{found.machines} of {ask.machine_cores} cores, {memory_told(ask.machine_memory)}{spare}"),
        ("all at once", f"an hour's windows, all due at once, are done after {span_told(found.emptied)}"),
        ("outage", f"an hour is made up for in {span_told(found.made_up)} at mean load"),
        ("storage", f"{bytes_told(found.storage)}: {kept}"),
        ("network", f"{_bits(found.read)} read, {_bits(found.written)} written in the peak"),
        ("Kafka", f"if records come by it (assumed): {found.partitions} partitions, {_kafka(found)}"),
    ]
    if answer.machines is not None and answer.carried is not None:
        times = number(answer.carried / (ask.records_per_hour * ask.grown))
        rows.append((f"{answer.machines} machines", f"carry {number(answer.carried)} records an hour, {times} times"))
    return _aligned(*rows)


def _kafka(found: Sizing) -> str:
    return f"{bytes_told(found.kafka_storage)} of disks, {_bits(found.kafka)} between brokers and their producers"


def _costs(answer: Answer) -> list[str]:
    prices, cost = answer.prices, answer.cost
    if prices is None or cost is None:
        return ["no price table: --prices FILE, or config/prices.yaml"]
    each = {"machines": cost.machines, "storage": cost.storage, "Kafka's disks": cost.kafka}
    parts = ", ".join(f"{name} {cost_told(value)}" for name, value in each.items())
    records = answer.ask.records * HOUR * HOURS / 1e6
    return _aligned(
        ("a month", f"{cost_told(cost.month)} {prices.currency}: {parts}"),
        ("a million", f"{cost_told(cost.month / records)} {prices.currency} per million records"),
        ("prices", f"of {prices.as_of}, {prices.source}; without network, requests, brokers, Airflow and people"),
    )


def cost_told(value: float) -> str:
    """An amount: whole from 100 on, else two decimals, or what is there of less."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 or not value else f"{value:.4f}"


def _hangs(effects: Sequence[Effect]) -> list[str]:
    rows = []
    for effect in [effect for effect in effects if effect.felt]:
        by = "twice" if effect.by > 1 else "half"
        changes = [f"{name} x {getattr(effect, name):.2f}" for name in ("cores", "memory", "storage")]
        rows.append((f"{by} {effect.name}", ", ".join(item for item in changes if not item.endswith("1.00"))))
    return _aligned(*rows)


def _rests(answer: Answer) -> list[str]:
    figures = answer.figures
    rows = []
    for name, figure in figures.known.items():
        basis = f"{figure.basis}, {figure.run}" if figure.run else figure.basis
        rows.append((name, f"{figure.told} [{basis}]"))
        if figure.why:
            rows.append(("", figure.why))
    used = {figure.run for figure in figures.known.values()}
    for name, run in figures.runs.items():
        if name in used:
            size = f"{number(run.records)} records of {bytes_told(run.record_bytes)}" if run.records else "no records"
            rows.append((f"run {name}", f"{run.what}: {size}"))
            rows.append(("", f"{run.date}, {run.commit}; {run.machine}; {run.versions}"))
            rows += [("", run.remark)] if run.remark else []
    not_yours = figures.run_of("cpu") in ours().runs.values()
    return [*_aligned(*rows), *([_OURS] if not_yours else []), *_NOT_IN_IT]


_OURS: Final = (
    "cores are those of the machine that measured, two virtual ones: measure a window on yours, then --from its report"
)
_NOT_IN_IT: Final = (
    "one machine measured: what a cluster's network adds to a shuffle isn't in it, nor Airflow's own processes",
    "assumed: cpu grows with a record's bytes, and not with how many records a window has",
)


def _bits(value: float) -> str:
    return f"{number(round(value * 8 / 1e9, 2))} Gbit/s"


def _aligned(*rows: tuple[str, str]) -> list[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name.ljust(width)}  {text}" for name, text in rows]
