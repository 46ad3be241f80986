"""All benchmarks by one command: `python -m benchmarks [NAME…] [--tiny]`; figures as JSON, and one page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.catalogue import FOREIGN, ISSUE, SHARED, names, opened
from benchmarks.harness import machine, page, sections
from benchmarks.harness.model import ROOT, Benchmark, Options
from benchmarks.harness.running import Measured, UnequalError, picked, run
from benchmarks.harness.summing import Verdict, lines, verdicts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0, 1 where contenders did other work. A goal that is missed is told, and no error."""
    asked = _asked(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    try:
        for name in asked.names or ISSUE:
            print(f"\n=== {name}", flush=True)
            facts = _facts(asked)
            html = _shared(name, asked, facts) if name in SHARED else _foreign(name, asked)
            sections.keep(asked.out, name, facts, html)
    except UnequalError as error:
        print(error, file=sys.stderr)
        return 1
    target = asked.out / "index.html"
    print(f"\n{target}")
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--tiny", action="store_true", help="sizes of seconds, for correctness: times say nothing")
    parser.add_argument(
        "--rounds", type=int, help="rounds after the one that warms up (default: 3; tiny: 1, none before)"
    )
    parser.add_argument("--records", type=int, help="records, in place of a benchmark's own number")
    parser.add_argument("--only", nargs="+", default=(), metavar="CONTENDER", help="these contenders alone")
    parser.add_argument("--out", type=Path, default=ROOT / "data/benchmarks", help="where JSON and page go")
    parser.add_argument("--data", type=Path, default=ROOT / ".cache/benchmark", help="where generated records are kept")
    asked = parser.parse_args(arguments)
    if unknown := sorted({*asked.names} - {*names()}):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    asked.rounds = asked.rounds or (1 if asked.tiny else 3)
    return asked


def _facts(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.machine(),
        "versions": machine.versions(),
        "rounds": asked.rounds,
        "tiny": asked.tiny,
    }


def _shared(name: str, asked: argparse.Namespace, facts: Mapping[str, Any]) -> str:
    """Run a benchmark of the harness, tell its tables, write its JSON; its part of the page."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as scratch:
        options = Options(
            data=asked.data.resolve(),
            scratch=Path(scratch),
            tiny=asked.tiny,
            records=asked.records,
            only=tuple(asked.only),
        )
        with opened(name)(options) as whole:
            benchmark = picked(whole, options)
            cases = [run(case, asked.rounds, not asked.tiny, options) for case in benchmark.cases]
    found = verdicts(benchmark.goals, {each.case.name: each for each in cases})
    for line in (line for measured in cases for line in lines(measured)):
        print(line)
    for verdict in found:
        print(f"{verdict.goal.says}: {verdict.words()}")
    told = json.dumps({**facts, **_json(benchmark, cases, found)}, indent=2)
    (asked.out / f"{name}.json").write_text(told, encoding="utf-8")
    return page.section(benchmark, cases, found)


def _json(benchmark: Benchmark, cases: Sequence[Measured], found: Sequence[Verdict]) -> dict[str, Any]:
    """Of this form `airflow-etl capacity --figures` reads what `pipeline` writes."""
    return {
        "benchmark": benchmark.name,
        "cases": [
            {
                "case": each.case.name,
                "count": each.case.count,
                "base": each.case.base,
                "rows": each.rows.count,
                "digest": f"{each.rows.digest:016x}",
                "load": each.load,
                "turns": each.turns,
            }
            for each in cases
        ],
        "goals": [{"goal": each.goal.says, "found": each.found, "met": each.met} for each in found],
    }


def _foreign(name: str, asked: argparse.Namespace) -> str:
    """Run a benchmark that measures by itself; its part of the page.

    Raises:
        SystemExit: it failed.
    """
    what = FOREIGN[name]
    command = ["-m", what.module, *(what.tiny if asked.tiny else what.full)]
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        said = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            said.append(line)
    if process.returncode:
        sys.exit(f"{name} ended with {process.returncode}")
    return page.foreign(name, what.title, f"python {' '.join(command)}", "".join(said))


if __name__ == "__main__":
    sys.exit(main())
