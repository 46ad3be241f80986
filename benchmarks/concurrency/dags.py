"""The same DAGs three times: pipeline files, a loop with the same operators, and a loop with Airflow's own alone.

Each has one window that is due, and one task that looks for a file that isn't there, says so, and is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.generate import LOADER

SAYS: Final = "skipped, since nothing is at"
"""What each task says when it runs, once."""
FILES: Final = "pipeline files"
OPERATORS: Final = "loop, our operators"
PLAIN: Final = "loop, Airflow's own"

_ENVIRONMENT: Final = """\
variables: {raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}
roots: [data]
engines:
  local: {kind: local, cores: 1, memory: 1g}
defaults: {engine: local}
"""
_PIPELINE: Final = """\
description: Orders of shop {number}, of which there are none
schedule: "@yearly"
start: {year}-01-01
execution: fused
max_active_windows: 1
skip_if: {{missing: "${{env.raw}}/shop_{number}/none"}}
extract:
  orders:
    type: files
    path: ${{env.raw}}/shop_{number}/${{window.start:%Y}}.csv
    format: csv
    columns: {{order_id: {{type: bigint, required: true}}, ordered_at: {{type: timestamp}}, amount: {{type: double}}}}
check:
  - not_null: [order_id]
load:
  lake:
    type: delta
    path: ${{env.lake}}/shop_{number}
    write: {{strategy: replace_window, column: ordered_at}}
"""
# The window of last year is due as soon as the DAG is on, and no other one until New Year.
_LOOP: Final = """\
import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, get_parsing_context

{imports}

EMPTY = " Empty: the window of the schedule."
FORM = {{
    "window_start": "First instant of the window, such as 2013-01-01 or 2013-01-01T05:00;"
    " UTC where it has no offset.",
    "window_end": "First instant after the window.",
}}

asked = get_parsing_context().dag_id
for number in range({count}):
    name = f"p{{number:04}}"
    if asked and asked != name:
        continue
    told = f"Orders of shop {{number}}, of which there are none"
    with DAG(
        name,
        description=told,
        doc_md=f"{{told}}\\n\\nPipeline file: `pipelines/{{name}}.yaml`",
        schedule=CronDataIntervalTimetable("0 0 1 1 *", timezone="UTC"),
        start_date=datetime({year}, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args={{
            "owner": "airflow",
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=30),
            "execution_timeout": None,
        }},
    ) as dag:
        {task}
    for key, text in FORM.items():
        dag.params[key] = Param(None, type=["null", "string"], title=key, description=text + EMPTY)
    globals()[name] = dag
"""
_OURS: Final = {
    "imports": "from airflow_provider_etl import PipelineOperator",
    "task": """PipelineOperator(
            task_id="pipeline", pipeline=f"pipelines/p{number:04}.yaml", outlets=[Asset(name=f"{name}.lake")]
        )""",
}
_PLAIN: Final = {
    "imports": f"""\
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk.exceptions import AirflowSkipException


def run(path):
    if not os.path.exists(path):
        print(f"{SAYS} {{path}}")
        raise AirflowSkipException(path)""",
    "task": """PythonOperator(
            task_id="pipeline",
            python_callable=run,
            op_args=[f"data/raw/shop_{number}/none"],
            outlets=[Asset(name=f"{name}.lake")],
        )""",
}


def _files(folder: Path, _count: int) -> None:
    (folder / "dags/etl.py").write_text(LOADER)


def _loop(parts: Mapping[str, str]) -> Callable[[Path, int], None]:
    def write(folder: Path, count: int) -> None:
        text = _LOOP.format(count=count, year=_year(), **parts)
        (folder / "dags/loop.py").write_text(text)

    return write


CONTENDERS: Final[Mapping[str, Callable[[Path, int], None]]] = {
    FILES: _files,
    OPERATORS: _loop(_OURS),
    PLAIN: _loop(_PLAIN),
}


def project(folder: Path, contender: str, count: int) -> Path:
    """Write a project with so many DAGs, `p0000` and so on; its dags folder.

    Args:
        folder: of its own.
        contender: a key of CONTENDERS.
        count: how many.
    """
    for name in ("dags/pipelines", "config/environments"):
        (folder / name).mkdir(parents=True)
    if contender != PLAIN:
        (folder / "config/environments/local.yaml").write_text(_ENVIRONMENT)
        for number in range(count):
            text = _PIPELINE.format(number=number, year=_year())
            (folder / f"dags/pipelines/p{number:04}.yaml").write_text(text)
    CONTENDERS[contender](folder, count)
    return folder / "dags"


def _year() -> int:
    """Last year, whose window has ended."""
    return datetime.now(UTC).year - 1
