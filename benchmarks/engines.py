"""`local`, `local_warm` and `local_connect` side by side: a small window, as a task runs it, with Spark's start.

`.venv/bin/python -m benchmarks.engines [WINDOWS]`, from the repository's root: the median of all windows but the first.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

_KINDS: Final = ("local", "local_warm", "local_connect")
_ENVIRONMENT: Final = """
variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
roots: [data]
engines:
  here: {{kind: {kind}, cores: 2, memory: 1g, small: true, jars: {root}/jars, archive: {root}/.cache/spark.jsa}}
defaults: {{engine: here}}
"""
_PIPELINE: Final = """
schedule: "@daily"
start: 2013-01-01
execution: fused
extract:
  flights:
    type: files
    path: ${env.raw}/${window.start:%Y-%m-%d}.csv
    format: csv
    columns: {flight: {type: int, required: true}, carrier: {type: string}, at: {type: timestamp}}
transform:
  - from: flights
  - derive: {late: "flight % 2 = 0"}
check:
  - not_null: [flight, carrier]
  - row_count: {min: 1}
load:
  lake: {type: delta, path: "${env.lake}/flights", write: {strategy: replace_window, column: at}}
"""
_ROWS: Final = 1000


def main() -> None:
    """Measure, and print a line for each engine."""
    windows = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    measured = {kind: _measured(kind, windows) for kind in _KINDS}
    base = statistics.median(measured["local"][1:])
    for kind, seconds in measured.items():
        rest = statistics.median(seconds[1:])
        print(f"{kind:14} first {seconds[0]:6.2f} s, then {rest:6.2f} s a window: {rest / base:.2f} of local")


def _measured(kind: str, windows: int) -> list[float]:
    from airflow_provider_etl.cli.run import run
    from airflow_provider_etl.engines import local_connect, local_warm
    from airflow_provider_etl.spec import load_file

    folder, root = Path(tempfile.mkdtemp(prefix="etl-engines-")), Path(__file__).resolve().parents[1]
    os.environ["AIRFLOW_HOME"] = str(folder)
    for name in ("config/environments", "dags/pipelines", "data/raw"):
        (folder / name).mkdir(parents=True)
    (folder / "config/environments/local.yaml").write_text(_ENVIRONMENT.format(kind=kind, root=root))
    (folder / "dags/pipelines/flights.yaml").write_text(_PIPELINE)
    for day in range(1, windows + 1):
        rows = "".join(f"{place},UA,2013-01-{day:02} 10:00:00\n" for place in range(_ROWS))
        (folder / f"data/raw/2013-01-{day:02}.csv").write_text(f"flight,carrier,at\n{rows}")
    os.chdir(folder)
    loaded = load_file(folder / "dags/pipelines/flights.yaml")
    if loaded.pipeline is None:
        raise SystemExit("\n".join(map(str, loaded.errors)))
    taken = []
    try:
        for day in range(1, windows + 1):
            begin = time.monotonic()
            report = run(loaded.pipeline, loaded.pipeline.window_of(f"2013-01-{day:02}"))
            taken.append(time.monotonic() - begin)
            if report["state"] != "loaded":
                raise SystemExit(report["error"])
    finally:
        local_warm.close_all(str(folder))
        local_connect.close_all(str(folder))
    return taken


if __name__ == "__main__":
    main()
