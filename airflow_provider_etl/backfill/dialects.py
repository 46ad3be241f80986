"""From flags of any dialect to a request; a flag that means nothing here is told, one that would mislead refused."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from airflow_provider_etl.backfill.facts import Reprocess
from airflow_provider_etl.backfill.flags import IDLE, REFUSED
from airflow_provider_etl.backfill.request import Request
from airflow_provider_etl.spec import scalars
from spark_jobs.errors import ConfigError

_WINDOW: Final = ("window_start", "window_end")


def request_of(options: argparse.Namespace) -> Request:
    """What the flags ask for.

    Args:
        options: parsed by `flags.add_arguments`.

    Raises:
        ConfigError: flags that are missing, that contradict each other, or that can't be kept.
    """
    _refuse(options)
    native = bool(options.native_first or options.native_last)
    if native and (options.first or options.last):
        raise ConfigError(
            "--from/--to and the flags of Airflow's own commands are mixed",
            expected="one pair: --from and --to are starts of windows in the pipeline's timezone",
        )
    first, last = (options.native_first, options.native_last) if native else (options.first, options.last)
    return Request(
        dag=_dag(options),
        first=first or last,
        last=last or first,
        native=native,
        reprocess=_reprocess(options),
        missing=options.missing,
        outdated=options.outdated,
        max_active=options.max_active,
        backwards=options.backwards,
        conf=_conf(options.conf),
        latest=options.latest,
        dry_run=options.dry_run,
        unpause=options.unpause,
        wait=options.wait,
        yes=options.yes,
        batch=_batch(options),
        environment=options.environment,
        notes=_notes(options),
    )


def _dag(options: argparse.Namespace) -> str:
    named = {name for name in (options.dag, options.dag_id) if name}
    if len(named) != 1:
        raise ConfigError("no DAG is named" if not named else f"two DAGs are named: {', '.join(sorted(named))}")
    if not any((options.first, options.last, options.native_first, options.native_last)):
        raise ConfigError("no range is given", expected="--from 2013-01-01 --to 2013-01-07, both included")
    return str(named.pop())


def _refuse(options: argparse.Namespace) -> None:
    for flag, (why, remedy) in REFUSED.items():
        if _given(options, flag):
            raise ConfigError(f"{flag} can't be kept: {why}", remedy=remedy)


def _notes(options: argparse.Namespace) -> tuple[str, ...]:
    told = [f"{flag} changes nothing here: {why}" for flag, why in IDLE.items() if why and _given(options, flag)]
    if options.rerun_failed_tasks:
        told.append("--rerun-failed-tasks is --reprocess failed here: runs that failed run again whole")
    if options.reset_dagruns:
        told.append("--reset-dagruns is --reprocess completed here: every window of the range runs again")
    return tuple(told)


def _given(options: argparse.Namespace, flag: str) -> bool:
    return getattr(options, flag.removeprefix("--").replace("-", "_")) not in (None, False)


def _reprocess(options: argparse.Namespace) -> Reprocess:
    asked: set[Reprocess] = {options.reprocess} if options.reprocess else set()
    asked |= {"completed"} if options.reset_dagruns else set()
    asked |= {"failed"} if options.rerun_failed_tasks and not options.reset_dagruns else set()
    if len(asked) > 1:
        raise ConfigError(f"reprocess is asked to be {' and '.join(sorted(asked))}", expected="one of them")
    if asked and (options.missing or options.outdated):
        raise ConfigError(
            "--missing and --outdated say by themselves which windows run, whatever runs there are",
            remedy="leave --reprocess out",
        )
    return asked.pop() if asked else "none"


def _conf(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return None
    try:
        conf = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"the configuration isn't JSON: {error}", expected="""such as '{"key": 1}'""") from None
    if not isinstance(conf, dict):
        raise ConfigError(f"the configuration is {text}", expected="""a JSON object, such as '{"key": 1}'""")
    if named := [key for key in _WINDOW if conf.get(key)]:
        raise ConfigError(
            f"the configuration sets {' and '.join(named)}",
            expected="none of them: every run of the backfill would load that one window",
            remedy="say --from and --to, or start one run by hand",
        )
    return conf


def _batch(options: argparse.Namespace) -> timedelta | None:
    if options.batch is None:
        return None
    try:
        length = scalars.duration(options.batch)
    except ValueError as error:
        raise ConfigError(f"--batch {options.batch}: expected {error}") from None
    if not length:
        raise ConfigError(f"--batch {options.batch} is no time at all", expected="such as 30d")
    if options.backwards or options.conf:
        raise ConfigError("--batch takes neither --run-backwards nor --conf", remedy="leave them out, or --batch")
    return length
