"""Rules about columns and their types, followed through the steps."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import Rule

_STEPS: Final = "transform:\n  - from: orders\n  - "
_CUSTOMERS: Final = """\
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
    columns: {id: {type: int}, customer: {type: string}, ordered_at: {type: timestamp}}
    new_columns: freeze
  customers:
    type: files
    path: ${env.raw}/customers.csv
    format: csv
    window: all
    columns: {id: {type: string}, name: {type: string}}
    new_columns: freeze
"""

_PII: Final = """\
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
    columns: {id: {type: int}, email: {type: string, pii: true}, ordered_at: {type: timestamp}}
    new_columns: freeze
transform:
  - from: orders
  - STEP
"""

RULES: Final = (
    Rule(
        code="unknown-column",
        why="A column is named that can't be there: the source's contract is closed (`new_columns: freeze`, `discard` or"
        " `quarantine`), or a step before took the column away. In the options of steps and checks letter case counts, in"
        " SQL it doesn't.",
        wrong=f"{_STEPS}filter: amuont > 0\n",
        right=f"{_STEPS}filter: amount > 0\n",
        mend="Take the name that was meant; the message lists the columns that are there.",
    ),
    Rule(
        code="column-not-promised",
        severity="warning",
        why="The contract names columns and lets others come (`new_columns: evolve`); this one is among neither. It may come"
        " with the files, or it may be a typing error that ends the run.",
        wrong="extract:\n  orders:\n    type: files\n    path: ${env.raw}/orders/${window.key}.csv\n    format: csv\n"
        "    columns: {id: {type: int}, ordered_at: {type: timestamp}}\n",
        right="extract:\n  orders:\n    type: files\n    path: ${env.raw}/orders/${window.key}.csv\n    format: csv\n"
        "    columns: {id: {type: int}, amount: {type: double}, ordered_at: {type: timestamp}}\n",
        mend="Add it to the source's `columns`.",
    ),
    Rule(
        code="column-collision",
        why="A step gives two columns one name, or names that differ only in letter case, which Spark can't tell apart.",
        wrong=f"{_STEPS}rename: {{customer: Amount}}\n",
        right=f"{_STEPS}rename: {{customer: client}}\n",
        mend="Choose another name; in a join say which `columns` to take.",
    ),
    Rule(
        code="duplicate-column",
        why="A column stands twice in a list that lays a table out. Large and small letters are the same to Spark, and a"
        " table can't be partitioned twice by one column.",
        wrong="load:\n  lake:\n    type: delta\n    path: ${env.lake}/orders\n    write: {strategy: append}\n"
        "    partition_by: [customer, Customer]\n",
        right="load:\n  lake:\n    type: delta\n    path: ${env.lake}/orders\n    write: {strategy: append}\n"
        "    partition_by: [customer]\n",
        mend="Keep one of them.",
    ),
    Rule(
        code="ambiguous-column",
        why="A name in a query is that of a column of several of its tables.",
        wrong=f"{_CUSTOMERS}{_STEPS}sql: SELECT id, name, ordered_at FROM input i JOIN customers c ON i.customer = c.id\n",
        right=f"{_CUSTOMERS}{_STEPS}sql: SELECT i.id, name, ordered_at FROM input i JOIN customers c ON i.customer = c.id\n",
        mend="Say which table's: `i.id`.",
    ),
    Rule(
        code="unknown-type",
        why="Spark SQL has no type of that name, so the column could never be read or cast.",
        wrong=f"{_STEPS}cast: {{id: integr}}\n",
        right=f"{_STEPS}cast: {{id: integer}}\n",
        mend="Take one of Spark's types: `int`, `bigint`, `decimal(10,2)`, `double`, `string`, `date`, `timestamp`.",
    ),
    Rule(
        code="type-mismatch",
        why="Two values are compared that never can be, or a column is used as a type that it hasn't: Spark refuses it, or"
        " the first row ends the run. Texts that Spark casts (`ordered_at > '2013-01-01'`) are fine, and a column of text"
        " may hold anything.",
        wrong=f"{_STEPS}filter: amount > 'many'\n",
        right=f"{_STEPS}filter: amount > '100'\n",
        mend="Compare like with like, or cast one side.",
    ),
    Rule(
        code="date-window",
        why="A window is cut by a date column, and the schedule's windows aren't whole local days: a date can't say to"
        " which of a day's windows a row belongs.",
        wrong='schedule: "@hourly"\n' + f"{_STEPS}derive: {{day: to_date(ordered_at)}}\n"
        "load:\n  lake:\n    type: delta\n    path: ${env.lake}/orders\n    write: {strategy: replace_window, column: day}\n",
        right='schedule: "@hourly"\n' + f"{_STEPS}derive: {{day: to_date(ordered_at)}}\n",
        mend="Name a timestamp, or cut windows at local midnights (`@daily` in the pipeline's timezone) and look back whole days.",
    ),
    Rule(
        code="pii-unmasked",
        severity="warning",
        why="A column that a source's contract marks as personal (`pii: true`) reaches a table as it is: no step masks or drops"
        " it. It is followed through the steps, under other names and in expressions too, but not through queries and python.",
        wrong=_PII.replace("STEP", "derive: {mail: lower(email)}\n  - drop: [email]"),
        right=_PII.replace("STEP", "mask: {columns: {email: redact}}"),
        mend="Mask it (`mask`), drop it, or ignore the warning where the table may hold it.",
    ),
)
