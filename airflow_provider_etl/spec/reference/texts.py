"""What docs/language.md says between the tables."""

from __future__ import annotations

from typing import Final

HEAD: Final = """\
# The pipeline file

<!-- made of the classes that check the file by `make docs`: change it there -->

One YAML file is one pipeline, one DAG; the DAG's id is the file's name. `airflow-etl lint` checks it and tells what
is wrong at `file:line:column` ([the rules](rules.md)); `airflow-etl schema` prints the JSON Schema that gives an
editor completion: put `# yaml-language-server: $schema=…` in the first line.

Four verbs: `extract` names the sources, `transform` the steps, `check` what must hold of the result, `load` where it
goes. Every run loads one **window** of time, `[start, end)`, and may be repeated: a repeat replaces what the window
loaded before.
"""

VARIABLES: Final = """\
## Variables

`${…}` is the only substitution, in the options that say so below: paths and queries. In queries a value becomes a SQL
literal, so no quotes stand around it.

| | stands for |
|---|---|
| `${window.start}`, `${window.end}` | the window's ends; `${window.start:%Y-%m-%d}` formats one in the local zone |
| `${window.key}` | the window's start at the schedule's precision, safe in file names |
| `${env.NAME}` | a variable of the environment file |
| `${param.NAME}` | a parameter of the run |
| `${pipeline}` | the pipeline's name |
"""

WAITS: Final = """\
A list: what must be there before a window begins. Each condition is a task of its own that waits without taking a
worker's slot where Airflow can.
"""

SOURCES: Final = """\
A mapping: name → source; `type` is the kind. Each says which of its rows belong to a window: by a path that names
`${window…}`, by `window: {column: …}`, or with `window: all` (reference data, whole for every window).

Where an option of a source names `${window…}` and the schedule cuts time (cron, `every`), a run takes the schedule's
windows alone: another span, asked for by hand, would read one file and clear the rows of the others.

Each source takes `contract: contracts/orders.yaml` too: its columns, rules and modes stand in a file of their own,
which others keep as well ([contracts](contracts.md)).
"""

STEPS: Final = """\
A list: first `from`, the source, then the steps in their order; what comes out is the dataset `result`. Or a mapping
of named datasets, each of them `{from: …, steps: […]}`; then `check` is a mapping by dataset, and each load says
`from`.

Expressions are Spark SQL, each of them exactly one scalar expression. Columns are followed through the steps: `lint`
tells one that can't be there, before anything runs.
"""

CHECKS: Final = """\
A list, or a mapping: dataset → list. All checks of a dataset are answered in one pass over what was staged, before
anything is published. A list is short for `{columns: […]}`.

Beside the kinds below, an expectation of Great Expectations may stand by its own name, and a whole suite of them:
`suite: suites/orders.json`, or `suite: {file: suites/orders.json, on_fail: warn}`, relative to the pipeline file
([checks](checks.md)).
"""

LOAD: Final = """\
A mapping: name → destination; `type` is the kind, `from` the dataset (default: `result`), `write` the strategy: how
rows reach the table, and why a repeat can't harm. `contract: contracts/orders.yaml` is held against what is about to be
published ([contracts](contracts.md)).
"""

ENVIRONMENT: Final = """\
## The environment file

`config/environments/NAME.yaml` holds what differs between environments; a pipeline file never does. It is chosen by
`--environment`, `AIRFLOW__ETL__ENVIRONMENT` or `[etl] environment` in airflow.cfg; the default is `local`. Relative
paths start from the folder that holds `config`.

```yaml
variables: {raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}
roots: [data]
engines:
  local: {kind: local, cores: 2, memory: 2g}
catalogs: # of Iceberg tables; docs/iceberg.md
  lake: {type: hadoop, warehouse: data/iceberg}
defaults: {engine: local, retries: {attempts: 2, delay: 10s}}
```
"""
