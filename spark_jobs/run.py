"""The only entry of the Spark side: a plan (JSON) in, a report (JSON) out; or a list of plans, and a list of reports.

Or an order for whole tables (orders.py), and its report. The plans of a list, several windows of one pipeline, run one
after the other in one Spark; the first that fails is the last that ran.

`python -m spark_jobs.run --plan PLAN --report REPORT [--lifeline]`

Exit code 0: the plan ran (loaded, already done, superseded, or staged for the next verb). 1: it failed, the report says
why. 2: the plan can't be read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from spark_jobs import results
from spark_jobs.connect import is_connect
from spark_jobs.connect.limits import refuse
from spark_jobs.connections import Connections, received
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.failures import classify, of_java, without_values
from spark_jobs.hiding import Hiding
from spark_jobs.ledger import attempt_number
from spark_jobs.metering import Metering
from spark_jobs.orders import Order, is_order
from spark_jobs.orders import execute as carry_out
from spark_jobs.plan import Plan
from spark_jobs.privacy import Privacy
from spark_jobs.report import Report
from spark_jobs.window import iso

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_jobs.session import Shared


def main(arguments: list[str] | None = None) -> int:
    """Run a plan, or a list of them, from the command line."""
    options = arguments_of("python -m spark_jobs.run", __doc__.splitlines()[0]).parse_args(arguments)
    if options.lifeline:
        hold_lifeline()
    try:
        plans, connections = read(options.plan), received()
    except (ConfigError, OSError, ValueError) as error:
        say(f"error: {error}")
        return 2
    from spark_jobs.session import Shared

    spark = Shared()
    told = perform(plans, spark, connections)
    write_report(options.report, told)
    code = 1 if (told[-1] if isinstance(told, list) else told)["state"] == "failed" else 0
    if options.lifeline and not spark.has_more_to_write:
        leave(code)
    spark.stop()
    return code


def arguments_of(prog: str, description: str) -> argparse.ArgumentParser:
    """What every entry takes: where its order is, where its report goes, and how it is held."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--plan", required=True, help="a file with what is to be done, JSON")
    parser.add_argument("--report", required=True, help="where the report goes, JSON")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input ends: the owner is gone")
    return parser


def leave(code: int) -> NoReturn:
    """End at once: whoever holds the lifeline ends our JVM, which needs no second to tidy what goes with its folder."""
    sys.stdout.flush()
    os._exit(code)


def read(path: str) -> Plan | list[Plan] | Order:
    """The plan, the plans or the order of a local file.

    Raises:
        ConfigError: it can't be read, or the list is empty.
    """
    with open(path, encoding="utf-8") as file:
        return parsed(json.load(file))


def parsed(found: Any) -> Plan | list[Plan] | Order:
    """A plan, plans or an order from JSON.

    Raises:
        ConfigError: it can't be read, or the list is empty.
    """
    if is_order(found):
        return Order.from_json(found)
    if not isinstance(found, list):
        return Plan.from_json(found)
    if not found:
        raise ConfigError("an empty list", where="plan", expected="a plan, or a list of at least one")
    return [Plan.from_json(item) for item in found]


def perform(work: Plan | list[Plan] | Order, spark: Shared, connections: Connections) -> Any:
    """Do what was read; the report (JSON), or a list of them for a list of plans."""
    if isinstance(work, Order):
        hiding = connections.hiding
        session = admitted(spark.session, connections)
        return hiding.json(carry_out(replace(work, connections=connections), session, hiding.saying(say)))
    told = [report.to_json() for report in run_all(work if isinstance(work, list) else [work], spark, connections)]
    return told if isinstance(work, list) else told[0]


def run_all(plans: list[Plan], spark: Shared, connections: Connections | None = None) -> list[Report]:
    """Run plans one after the other in one Spark, each in a session of its own, up to the first that fails."""
    reports: list[Report] = []
    for place, plan in enumerate(plans):
        reports.append(run(_renewed(plan) if place else plan, spark.session, connections))
        if reports[-1].state == "failed":
            break
    return reports


def _renewed(plan: Plan) -> Plan:
    """A plan with a number of the moment, where it reads its sources now and not when the first plan was made.

    Otherwise another run that has read older rows meanwhile would count as the later one.
    """
    if "extract" not in plan.verbs:
        return plan
    number = attempt_number(plan.fingerprint, plan.attempt.number)
    return replace(plan, attempt=replace(plan.attempt, number=number, since=number))


def run(
    plan: Plan, spark: Callable[[str, Mapping[str, Any]], SparkSession], connections: Connections | None = None
) -> Report:
    """Run a plan and return its report; an error is in the report, never raised, and no secret is in it.

    Args:
        plan: what to run.
        spark: gives a session for (name, engine settings).
        connections: those that the plan's kinds name.
    """
    begin = time.monotonic()
    report, known = _begin(plan), connections or Connections()
    tell = known.hiding.saying(say)
    where, started, metering = "start", None, None
    try:
        from spark_jobs.verbs import Run

        back = f", looking back to {iso(plan.reach.start)}" if plan.reach else ""
        tell(f"{plan.pipeline} {plan.window}{back}: {', '.join(plan.verbs)}")
        if plan.spark.get("remote"):
            refuse(plan)
        session = admitted(spark, known)(f"{plan.pipeline} {plan.window.key}", plan.spark)
        report.seconds["start"] = round(report.seconds.get("start", 0.0) + time.monotonic() - begin, 3)
        started = session
        metering = None if is_connect(session) else Metering(session, tell)  # what it needed, its server knows
        work = Run(session, plan, report, tell, connections=known)
        try:
            work.execute()
        finally:
            where = work.where
    except Exception as error:  # noqa: BLE001 - whatever happened becomes the report's error
        told = of_java(error, where) or classify(error, where)
        _fail(report, without_values(told) if Privacy(plan).anything else told, error, known.hiding)
    if started is not None:
        _keep_results(started, plan, report, known.hiding)
    if metering is not None:
        metering.end(plan, report)
    report.seconds["total"] = round(report.seconds.get("total", 0.0) + time.monotonic() - begin, 3)
    return report


def _keep_results(spark: SparkSession, plan: Plan, report: Report, hiding: Hiding) -> None:
    begin = time.monotonic()
    report.results = hiding.json(results.keep(spark, plan, report))
    if report.results is not None:
        report.seconds["results"] = round(time.monotonic() - begin, 3)
        if report.results["state"] == "lost":
            say(f"warning: {report.results['message']}")


def admitted(
    spark: Callable[[str, Mapping[str, Any]], SparkSession], known: Connections
) -> Callable[[str, Mapping[str, Any]], SparkSession]:
    """What gives sessions that get at the buckets of their plans.

    Args:
        spark: gives a session for (name, engine settings).
        known: the connections that the buckets are reached by.
    """

    def session(name: str, engine: Mapping[str, Any]) -> SparkSession:
        from spark_jobs.object_store import s3

        made = spark(name, engine)
        s3.admit(made, engine.get("s3") or {}, known)
        return made

    return session


def _begin(plan: Plan) -> Report:
    if plan.previous is None:
        return Report.begun(plan)
    report = Report.from_json(plan.previous)
    report.attempt, report.state = plan.attempt.to_json(), "running"
    return report


def _fail(report: Report, told: EtlError, error: Exception, hiding: Hiding) -> None:
    report.state, report.error = "failed", hiding.json(told.to_json())
    say(hiding.text(f"error[{told.kind}]: {told}"))
    if told is not error and os.environ.get("ETL_DEBUG"):
        import traceback

        print(hiding.text("".join(traceback.format_exception(error))), file=sys.stderr)


def write_report(path: str, report: Any) -> None:
    """Write the report's JSON whole: under another name first, then renamed."""
    hidden = f"{path}.writing"
    with open(hidden, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2, allow_nan=False)
    Path(hidden).replace(path)


def say(line: str) -> None:
    """One line of progress."""
    print(f"[etl] {line}", flush=True)


def hold_lifeline() -> None:
    """End this process, and with it the JVM behind it, as soon as the owner's end of standard input is closed."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(3)  # without a word: whoever would have read it is gone, and a broken pipe would keep us alive

    threading.Thread(target=wait, daemon=True, name="lifeline").start()


if __name__ == "__main__":
    sys.exit(main())
