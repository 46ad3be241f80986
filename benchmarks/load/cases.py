"""Four strategies beside the plain calls of Delta and Iceberg; a million rows into PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.harness.model import ROOT, Benchmark, Case, Command, Contender, Options
from benchmarks.harness.rows import Rows, of_parquet
from benchmarks.harness.running import measured
from benchmarks.load.data import COLUMNS, DAYS, prepare
from benchmarks.load.postgres import CREATE, SERVER

if TYPE_CHECKING:
    from tests.servers.postgres import PostgreSQL

_ABOUT: Final = {
    "replace_window": "one day in thirty comes anew, into a table partitioned by day",
    "append": "a thirty-first day, into a table partitioned by day",
    "merge": "one row in a hundred has changed",
    "scd2": "one row in a hundred has changed, and the table holds each one's history",
}
_WHO: Final = {
    "ours": "ours: a fused run of a pipeline without checks, with ledger, quarantine and counts, to Delta",
    "delta": "Delta's plain call, Spark's and Delta's defaults",
    "iceberg": "Iceberg's plain call in a Hadoop catalog, Spark's and Iceberg's defaults",
}
_LOADS: Final = {
    "spark": "Spark's JDBC writer at its defaults",
    "rewritten": "Spark's JDBC writer, batches of 10,000 that the driver rewrites",
    "copy": "COPY by hand, without Spark: pyarrow and psycopg",
    "ours": "ours: a fused run of replace_window, with ledger, quarantine and counts",
}
_DIGEST: Final = "SELECT count(*), coalesce(sum(hashtextextended(ROW({0})::text, 0)), 0) FROM facts"


@contextmanager
def opened(options: Options) -> Iterator[Benchmark]:
    """Ten million rows in tables, a million in PostgreSQL, which runs until the end."""
    count = options.size(10_000_000, 3_000) // DAYS * DAYS
    fewer = max(DAYS, count // 10 // DAYS * DAYS)
    data, less = prepare(options.data, count), prepare(options.data, fewer)
    with ExitStack() as until:
        cases = [_tables(strategy, data, count, options) for strategy in _ABOUT]
        yield Benchmark(
            name="load",
            title="Load: strategies beside plain calls",
            about="Each turn starts Spark, reads Parquet and loads it; `work` is the seconds after the start. Plain"
            " calls keep no ledger, set nothing aside, and can't be repeated or come late without harm. The server's"
            " CPU isn't in PostgreSQL's figures; it doesn't wait for its disk (fsync is off).",
            cases=[*cases, _database(less, fewer, until, options)],
        )


def _tables(strategy: str, data: Path, count: int, options: Options) -> Case:
    name = f"{strategy} into {count:,} rows"
    found = [_table(who, strategy, data, options) for who in ("delta", "iceberg", "ours")]
    return Case(name=name, about=_ABOUT[strategy], count=count, base="delta", contenders=found)


def columns_of(strategy: str) -> dict[str, str]:
    """What is compared of a strategy's table: histories keep their event's instant as `valid_from`."""
    if strategy != "scd2":
        return dict(COLUMNS)
    kept = {name: kind for name, kind in COLUMNS.items() if name != "at"}
    return kept | {"valid_from": "timestamp", "valid_to": "timestamp", "is_current": "boolean"}


def _table(who: str, strategy: str, data: Path, options: Options) -> Contender:
    columns = columns_of(strategy)

    def rows(folder: Path) -> Rows:
        argv = [*_argv(who, strategy, "export", data), str(folder)]
        subprocess.run(argv, check=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
        return of_parquet(map(str, (folder / "exported").glob("*.parquet")), columns)

    before = options.scratch / f"before {strategy} {who}"
    made = Contender(name=who, about=_WHO[who], command=_command(who, strategy, "work", data), rows=rows, before=before)
    if not options.only or who in options.only:
        # Iceberg's metadata holds absolute paths, so the table is made where the turns are.
        turn = options.scratch / "turn"
        turn.mkdir()
        seed = Contender(name=f"{who}, seed", about="", command=_command(who, strategy, "seed", data), rows=rows)
        measured(seed, turn)
        turn.rename(before)
    return made


def _command(who: str, strategy: str, phase: str, data: Path) -> Callable[[Path], Command]:
    return lambda folder: Command(
        argv=[*_argv(who, strategy, phase, data), str(folder)], env={"PYSPARK_PYTHON": sys.executable}
    )


def _argv(who: str, strategy: str, phase: str, data: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.load.one", who, strategy, phase, str(data)]


def _database(data: Path, count: int, until: ExitStack, options: Options) -> Case:
    from tests.servers.postgres import postgres_server

    found = [each for each in _LOADS if not options.only or each in options.only]
    server = until.enter_context(postgres_server())
    server.run(f"ALTER ROLE {server.user} SET log_statement = 'none'")  # Spark's way has a million of them
    about = f"{count:,} rows into a new table with a primary key"
    made = [into(server, who, data) for who in found]
    base = found[0] if found else ""
    return Case(name=f"PostgreSQL, {count:,} rows", about=about, count=count, base=base, contenders=made)


def into(server: PostgreSQL, who: str, data: Path) -> Contender:
    """A way into the server's table `facts`, which each turn finds new."""

    def command(folder: Path) -> Command:
        server.run("DROP TABLE IF EXISTS facts, _etl_loads, _etl_owners", CREATE)
        told = {"host": server.host, "port": server.port, "schema": server.database, "login": server.user}
        argv = [sys.executable, "-m", "benchmarks.load.postgres", who, str(data), str(folder)]
        return Command(argv=argv, env={SERVER: json.dumps(told | {"password": server.password})})

    def rows(_: Path) -> Rows:
        ((count, digest),) = server.rows(_DIGEST.format(", ".join(COLUMNS)))
        sums = {name: int(server.rows(_DIGEST.format(name))[0][1]) for name in COLUMNS}
        return Rows(count=count, digest=int(digest), columns=sums)

    return Contender(name=who, about=_LOADS[who], command=command, rows=rows)
