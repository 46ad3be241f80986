"""The same pipelines four times: as files for us, as a loop written by hand, and as files for dag-factory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ENVIRONMENT: Final = """\
variables: {raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}
roots: [data]
engines:
  local: {kind: local, cores: 2, memory: 2g}
defaults: {engine: local, retries: {attempts: 2, delay: 10s}}
"""

PIPELINE: Final = """\
description: Orders of shop {number}, one day a window
owner: team-{team}
tags: [shop, orders]
schedule: "@daily"
start: 2024-01-01
timezone: Europe/Berlin
max_active_windows: 2
retries: {{attempts: 3, delay: 1m}}
timeout: 1h
execution: staged
extract:
  orders:
    type: files
    path: ${{env.raw}}/shop_{number}/${{window.start:%Y-%m-%d}}.csv
    format: csv
    columns:
      order_id: {{type: bigint, required: true}}
      customer: {{type: string, required: true}}
      ordered_at: {{type: timestamp, required: true}}
      amount: {{type: double}}
      currency: {{type: string}}
transform:
  - from: orders
  - dedupe: {{keys: [order_id], keep: last, order_by: [ordered_at]}}
  - derive: {{order_date: to_date(ordered_at)}}
check:
  - not_null: [order_id, customer]
  - in_range: {{column: amount, min: 0, mostly: 0.99}}
  - row_count: {{min: 1}}
load:
  lake:
    type: delta
    path: ${{env.lake}}/shop_{number}
    write: {{strategy: replace_window, column: ordered_at}}
"""

LOADER: Final = """\
# Airflow: every file in pipelines/ is one DAG.
from airflow_provider_etl import load_pipelines

load_pipelines(globals())
"""

# What somebody writes by hand who has the same operators: the very DAGs that the factory builds, to the byte.
# `usual` hands the form to `DAG(params=...)`, as the documentation of Airflow does; `loop` and the factory set it when
# the tasks are there, which spares each of them a copy; `bare` has no form, and nobody can run a window by hand there.
LOOP: Final = """\
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, get_parsing_context

from airflow_provider_etl import CheckOperator, ExtractOperator, FinishOperator, LoadOperator, TransformOperator

EMPTY = " Empty: the window of the schedule."
FORM = {{
    "window_start": "First instant of the window, such as 2013-01-01 or 2013-01-01T05:00;"
    " Europe/Berlin where it has no offset.",
    "window_end": "First instant after the window.",
}}


def form():
    return {{
        name: Param(None, type=["null", "string"], title=name, description=text + EMPTY) for name, text in FORM.items()
    }}


asked = get_parsing_context().dag_id
for number in range({count}):
    name = f"p{{number:04}}"
    if asked and asked != name:
        continue
    with DAG(
        name,
        description=f"Orders of shop {{number}}, one day a window",
        doc_md=f"Orders of shop {{number}}, one day a window\\n\\nPipeline file: `pipelines/{{name}}.yaml`",
        schedule=CronDataIntervalTimetable("0 0 * * *", timezone="Europe/Berlin"),
        start_date=datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC),
        catchup=False,
        max_active_runs=2,
        tags=["orders", "shop"],
        params={params},
        default_args={{
            "owner": f"team-{{number % 10}}",
            "retries": 3,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=30),
            "execution_timeout": timedelta(hours=1),
        }},
    ) as dag:
        file = f"pipelines/{{name}}.yaml"
        extract = ExtractOperator(task_id="extract", pipeline=file)
        transform = TransformOperator(task_id="transform", pipeline=file, staged=extract.output)
        check = CheckOperator(task_id="check", pipeline=file, staged=transform.output)
        load = LoadOperator(task_id="load", pipeline=file, staged=check.output, outlets=[Asset(name=f"{{name}}.lake")])
        FinishOperator(task_id="finish", pipeline=file, staged=load.output, retries=0).as_teardown()
    {last}
    globals()[name] = dag
"""
LOOPS: Final = {
    "loop": {"params": "None", "last": "dag.params.update(form())"},
    "usual_loop": {"params": "form()", "last": ""},
    "bare_loop": {"params": "None", "last": ""},
}

# As near as its language allows: no timetable, no assets by name, XComs as templates.
DAG_FACTORY: Final = """\
p{number:04}:
  description: Orders of shop {number}, one day a window
  schedule: "0 0 * * *"
  catchup: false
  max_active_runs: 2
  tags: [orders, shop]
  default_args:
    owner: team-{team}
    start_date: 2024-01-01
    retries: 3
    retry_delay: {{__type__: datetime.timedelta, seconds: 60}}
    execution_timeout: {{__type__: datetime.timedelta, seconds: 3600}}
  tasks:
    - task_id: extract
      operator: airflow_provider_etl.operators.extract.ExtractOperator
      pipeline: pipelines/p{number:04}.yaml
    - task_id: transform
      operator: airflow_provider_etl.operators.transform.TransformOperator
      pipeline: pipelines/p{number:04}.yaml
      staged: "{{{{ ti.xcom_pull('extract') }}}}"
      dependencies: [extract]
    - task_id: check
      operator: airflow_provider_etl.operators.check.CheckOperator
      pipeline: pipelines/p{number:04}.yaml
      staged: "{{{{ ti.xcom_pull('transform') }}}}"
      dependencies: [transform]
    - task_id: load
      operator: airflow_provider_etl.operators.load.LoadOperator
      pipeline: pipelines/p{number:04}.yaml
      staged: "{{{{ ti.xcom_pull('check') }}}}"
      dependencies: [check]
    - task_id: finish
      operator: airflow_provider_etl.operators.finish.FinishOperator
      pipeline: pipelines/p{number:04}.yaml
      staged: "{{{{ ti.xcom_pull('load') }}}}"
      retries: 0
      trigger_rule: all_done
      dependencies: [load]
"""

DAG_FACTORY_LOADER: Final = """\
# Airflow: every file in pipelines/ is one DAG.
from pathlib import Path

from airflow.sdk import DAG  # the processor looks for the word
from dagfactory import load_yaml_dags

load_yaml_dags(globals_dict=globals(), dags_folder=str(Path(__file__).parent / "dag_factory"))
"""

WARM_UP: Final = """\
from datetime import datetime

from airflow.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator

with DAG("warm_up", schedule="@daily", start_date=datetime(2024, 1, 1)):
    EmptyOperator(task_id="first") >> EmptyOperator(task_id="second")
"""


def generate(folder: Path, count: int) -> None:
    """Write a project with `count` pipelines, and the other ways to the same DAGs beside it."""
    dags = folder / "dags"
    for name in ("dags/pipelines", "dags/dag_factory", "config/environments"):
        (folder / name).mkdir(parents=True)
    (folder / "config/environments/local.yaml").write_text(ENVIRONMENT)
    for number in range(count):
        values = {"number": number, "team": number % 10}
        (dags / f"pipelines/p{number:04}.yaml").write_text(PIPELINE.format(**values))
        (dags / f"dag_factory/p{number:04}.yml").write_text(DAG_FACTORY.format(**values))
    (dags / "etl.py").write_text(LOADER)
    for name, form in LOOPS.items():
        (dags / f"{name}.py").write_text(LOOP.format(count=count, **form))
    (dags / "dag_factory.py").write_text(DAG_FACTORY_LOADER)
    (dags / "warm_up.py").write_text(WARM_UP)
