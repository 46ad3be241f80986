"""`capacity`: how many cores, machines, bytes and what money a load takes, by measured figures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.capacity.asking import YEAR, Ask
from airflow_provider_etl.capacity.figures import Figures, ours, replaced
from airflow_provider_etl.capacity.prices import Prices, cost
from airflow_provider_etl.capacity.prices import read as read_prices
from airflow_provider_etl.capacity.quantities import DAY, HOUR, count, share, size, span, within
from airflow_provider_etl.capacity.reports import measured_by
from airflow_provider_etl.capacity.results import benchmarked
from airflow_provider_etl.capacity.sensitivity import effects
from airflow_provider_etl.capacity.sizing import carried, sized
from airflow_provider_etl.capacity.telling import Answer, told
from spark_jobs.errors import ConfigError

NAME: Final = "capacity"
HELP: Final = "how many cores, machines, bytes and what money a load takes, by measured figures"
_PRICES: Final = "config/prices.yaml"

# option -> how it is read, its least and its most, what it is. Those of Ask are named as its fields are.
_Reader = Callable[[str, str], float]
_OPTIONS: Final[dict[str, tuple[_Reader, float, float, str]]] = {
    "records-per-hour": (count, 1, 1e15, "the mean load, such as 100M"),
    "record-bytes": (size, 1, 1e9, "of a record as it is read, such as 1000 or 1KB"),
    "bytes-per-day": (size, 1, 1e21, "such as 10TB, instead of one of the two"),
    "sources": (count, 1, 1e6, "pipelines, each with windows of its own; default 1"),
    "window": (span, 1, YEAR, "length of a window, such as 15m; default 1h"),
    "peak": (count, 1, 1000, "the busiest hour over the mean; default 2"),
    "utilisation": (share, 0.05, 1, "of the cores by the peak; default 60%%"),
    "retention": (span, DAY, 10 * YEAR, "of loaded rows, such as 90d; default 365d"),
    "growth": (share, 0, 10, "of the load in a year, such as 30%%; default none"),
    "years": (count, 0, 20, "after which the answer still holds; default 1"),
    "executor-cores": (count, 1, 256, "of each executor; default 4"),
    "machine-cores": (count, 1, 10_000, "of each machine; default the price table's, else 16"),
    "machine-memory": (size, 2.0**30, 2.0**50, "of each machine; default the price table's, else 64GiB"),
    "spare": (count, 0, 1000, "machines that may fail; default 1"),
    "machines": (count, 1, 1e6, "say too what so many machines carry"),
}
_WHOLE: Final = ("executor-cores", "machine-cores", "spare", "machines", "sources")
_LOAD: Final = ("records-per-hour", "record-bytes", "bytes-per-day")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    for name, (_, _, _, what) in _OPTIONS.items():
        parser.add_argument(f"--{name}", metavar=name.rpartition("-")[2].upper(), help=what)
    parser.add_argument("--prices", metavar="FILE", help=f"price table; default {_PRICES}, where it is there")
    parser.add_argument(
        "--figures",
        metavar="FILE",
        action="append",
        default=[],
        help="figures of yours (YAML), or the JSON of `make bench-pipeline`; may be given several times",
    )
    parser.add_argument(
        "--from",
        dest="reports",
        metavar="REPORTS",
        help="a report of `run --json`, or a folder of them: figures of your own pipeline, in place of ours and FILE's",
    )
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="REPORT", help="the answer as JSON, to this file or, without, instead"
    )


def execute(options: argparse.Namespace) -> int:
    """Tell: 0, 2 where an argument or a file is bad."""
    answer = _answer(options)
    text = json.dumps(answer.to_json(), indent=2)
    if options.json == "-":
        print(text)
        return 0
    if options.json:
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    print("\n".join(told(answer)).rstrip())
    return 0


def _answer(options: argparse.Namespace) -> Answer:
    figures, prices = _figures(options), _prices(options)
    said = _said(options)
    machines = int(said.pop("machines")) if "machines" in said else None
    ask = _ask(said, prices)
    found = sized(ask, figures)
    return Answer(
        ask=ask,
        figures=figures,
        sizing=found,
        effects=effects(ask, figures),
        prices=prices,
        cost=cost(found, prices, ask.machine_cores) if prices else None,
        machines=machines,
        carried=carried(ask, figures, machines) if machines is not None else None,
    )


def _figures(options: argparse.Namespace) -> Figures:
    figures = ours()
    for file in options.figures:
        figures = benchmarked(figures, file) if file.endswith(".json") else replaced(figures, file)
    return measured_by(figures, options.reports) if options.reports else figures


def _prices(options: argparse.Namespace) -> Prices | None:
    if options.prices:
        return read_prices(options.prices)
    return read_prices(_PRICES) if Path(_PRICES).is_file() else None


def _said(options: argparse.Namespace) -> dict[str, float]:
    """What was given, read and within its bounds.

    Raises:
        ConfigError: an option, with what it takes.
    """
    found = {}
    for name, (reader, least, most, _) in _OPTIONS.items():
        text = getattr(options, name.replace("-", "_"))
        if text is None:
            continue
        value = within(reader(text, f"--{name}"), f"--{name}", least=least, most=most)
        if name in _WHOLE and value != int(value):
            raise ConfigError(repr(text), where=f"--{name}", expected="a whole number")
        found[name] = value
    return found


def _ask(said: dict[str, float], prices: Prices | None) -> Ask:
    values: dict[str, Any] = {key.replace("-", "_"): value for key, value in said.items() if key not in _LOAD}
    if prices:
        values = {"machine_cores": prices.machine_cores, "machine_memory": prices.machine_memory, **values}
    whole = {name.replace("-", "_") for name in _WHOLE} & set(values)
    values |= {name: int(values[name]) for name in whole}
    return Ask(**_load(said), **values)


def _load(said: dict[str, float]) -> dict[str, Any]:
    """Records an hour and bytes of each, of the two that were given.

    Raises:
        ConfigError: one alone, or all three.
    """
    given = [name for name in _LOAD if name in said]
    if len(given) != 2:
        expected = "two of --records-per-hour, --record-bytes and --bytes-per-day"
        raise ConfigError(", ".join(f"--{name}" for name in given) or "nothing", where="the load", expected=expected)
    hourly = said.get("bytes-per-day", 0.0) * HOUR / DAY
    records = said.get("records-per-hour") or hourly / said["record-bytes"]
    each = said.get("record-bytes") or hourly / said["records-per-hour"]
    within(each, "bytes of a record", least=1, most=1e9)
    return {"records_per_hour": records, "record_bytes": each}
