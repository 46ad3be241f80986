"""`backfill DAG --from D --to D`: shows what would run and why, starts it on whichever Airflow is here, follows it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.backfill import flags
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.backfill.backend import Backend
    from airflow_provider_etl.backfill.request import Request

NAME: Final = "backfill"
HELP: Final = "run windows of the past again or for the first time: what would run and why, start it, follow it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    flags.add_arguments(parser)


def execute(options: argparse.Namespace) -> int:
    """Show, start, follow or cancel: 0 all loaded, 1 not all, 2 it can't be asked for so, 130 no longer followed."""
    from airflow_provider_etl.backfill.backend import installed
    from airflow_provider_etl.backfill.dialects import request_of

    if options.follow and options.cancel:
        raise ConfigError("--follow and --cancel are both given", expected="one of them")
    request = None if options.follow or options.cancel else request_of(options)
    backend = installed()  # which imports Airflow: for sound arguments only
    try:
        with backend.quiet():
            return _new(request, backend) if request else _later(backend, options)
    except KeyboardInterrupt:
        print("\ninterrupted before anything was started")
        return 130


def _later(backend: Backend, options: argparse.Namespace) -> int:
    from airflow_provider_etl.backfill.follow import follow
    from airflow_provider_etl.backfill.starting import cancelled, labels

    if options.cancel:
        return cancelled(backend, options.cancel)
    return follow(backend, options.follow, labels(backend.progress(options.follow)))


def _new(request: Request, backend: Backend) -> int:
    from airflow_provider_etl.backfill.look import look
    from airflow_provider_etl.backfill.render import render
    from airflow_provider_etl.backfill.starting import go

    preview = look(backend, request)
    show = "\n".join(render(preview))
    print(show, flush=True)
    if request.dry_run:
        return 1 if preview.of("refused") else 0
    return go(backend, preview)
