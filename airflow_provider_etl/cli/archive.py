"""The class data sharing archive: classes that a real run loaded, mapped into memory by the next one (JEP 350)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.engines.local import child_environment
from airflow_provider_etl.spec import Engine, load_mapping
from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt
from spark_jobs.session import option

_PATIENCE: Final = 600  # seconds
_ROWS: Final = "id,day,text\n1,2020-01-01T10:00:00Z, a \n2,2020-01-01T11:00:00Z,b\n2,2020-01-01T11:00:00Z,b\nx,,c\n"
_NAMES: Final = "text,name\na,A\nb,B\n"
_ENVIRONMENT: Final = {
    "variables": {"lake": "data/lake", "staging": "data/staging", "quarantine": "data/quarantine"},
    "roots": ["data"],
    "engines": {"local": {"kind": "local"}},
}
# One of everything that most pipelines have, so that their classes are in the archive.
_PIPELINE: Final[dict[str, Any]] = {
    "schedule": "@daily",
    "start": "2020-01-01",
    "extract": {
        "rows": {
            "type": "files",
            "path": "data/${window.key}.csv",
            "format": "csv",
            "columns": {"id": {"type": "int"}, "day": {"type": "timestamp"}, "text": {"type": "string"}},
        },
        "names": {"type": "files", "path": "data/names.csv", "format": "csv", "window": "all"},
    },
    "transform": [
        {"from": "rows"},
        {"clean": {"trim": "all"}},
        {"dedupe": {"keys": ["id"]}},
        {"join": {"with": "names", "on": ["text"], "how": "left"}},
        {"filter": "id < 100"},
        {"derive": {"local_day": "to_date(day)"}},
    ],
    "check": [
        {"not_null": ["id"]},
        {"unique": ["id"]},
        {"row_count": {"min": 1}},
        {"in_range": {"column": "id", "min": 1, "max": 1, "on_fail": "quarantine"}},
        {"references": {"column": "text", "dataset": "names", "key": "text"}},
    ],
    "load": {
        "lake": {
            "type": "delta",
            "path": "${env.lake}/rows",
            "write": {"strategy": "replace_window", "column": "day"},
            "partition_by": ["local_day"],
        }
    },
}


def make(engine: Engine, path: Path) -> Path:
    """Make the archive by a small real run into a scratch table.

    Args:
        engine: whose Java options and jars the archive is made with: it serves no others.
        path: the archive; replaced in one step.

    Raises:
        InfrastructureError: the run failed, or left no archive.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=path.parent) as scratch:
        made = Path(scratch, "spark.jsa")
        said = _run(Path(scratch), engine, made)
        states = _states(Path(scratch, "report.json"))
        if not made.is_file() or states != ["loaded", "loaded"]:
            raise InfrastructureError(f"the run that makes the archive failed:\n{said[-2000:]}", where=str(path))
        return made.replace(path)


def _states(reports: Path) -> list[str]:
    return [report["state"] for report in json.loads(reports.read_text())] if reports.is_file() else []


def _run(scratch: Path, engine: Engine, made: Path) -> str:
    (scratch / "plan.json").write_text(json.dumps(_plans(scratch, engine, made)), encoding="utf-8")
    command = [sys.executable, "-m", "spark_jobs.run", "--plan", "plan.json", "--report", "report.json"]
    # The output is read to its end: that is when the JVM, which writes the archive after Python has gone, has ended.
    done = subprocess.run(
        command,
        cwd=scratch,
        env=child_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    return done.stdout


def _plans(scratch: Path, engine: Engine, made: Path) -> list[dict[str, Any]]:
    """A window, and the same window again: what only a table with a past needs is in the archive too."""
    environment = scratch / "config/environments/archive.yaml"
    environment.parent.mkdir(parents=True)
    environment.write_text(json.dumps(_ENVIRONMENT), encoding="utf-8")  # JSON is YAML
    data = scratch / "data"
    data.mkdir()
    (data / "2020-01-01.csv").write_text(_ROWS, encoding="utf-8")
    (data / "names.csv").write_text(_NAMES, encoding="utf-8")
    loaded = load_mapping(_PIPELINE, name="archive", environment=str(environment), base=scratch)
    if loaded.pipeline is None:
        raise InfrastructureError("\n".join(map(str, loaded.errors)), where="archive")
    pipeline = loaded.pipeline
    spark = engine.settings()
    making = option(f"-XX:ArchiveClassesAtExit={made}")
    # Of the classes of no archive that is there: Java makes none on top of another.
    spark |= {"archive": None, "conf": {**spark["conf"], "spark.driver.extraJavaOptions": making}}
    window, first = pipeline.window_of("2020-01-01"), attempt_number(pipeline.fingerprint)
    attempts = [
        Attempt(number=number, token=str(number), run="archive")
        for number in (first, attempt_number(pipeline.fingerprint, first))
    ]
    return [pipeline.plan(window, attempt).to_json() | {"spark": spark} for attempt in attempts]
