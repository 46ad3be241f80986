"""Rules about schedules, dates and durations."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import Rule

_BY_COLUMN: Final = """\
extract:
  orders:
    type: files
    path: ${env.raw}/orders
    format: csv
    new_columns: freeze
    window: {column: ordered_at}
    columns:
      id: {type: int, required: true}
      customer: {type: string}
      amount: {type: "decimal(10,2)"}
      ordered_at: {type: timestamp, required: true}
"""
_DATABASE: Final = """\
extract:
  orders:
    type: jdbc
    connection: shop
    table: sales.orders
    window: {column: ordered_at}
    columns:
      id: {type: int, required: true}
      customer: {type: string}
      amount: {type: "decimal(10,2)"}
      ordered_at: {type: timestamp}
"""
_STEPS: Final = "transform:\n  clean: {from: orders, steps: [{filter: amount > 0}]}\n"
_LAKE: Final = """\
  lake:
    from: clean
    type: delta
    path: ${env.lake}/orders
    write: {strategy: replace_window, column: ordered_at}
"""
_LOG: Final = '  log: {from: clean, type: delta, path: "${env.lake}/log", write: {strategy: append}}\n'
_APPEND: Final = 'load:\n  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}\n'
_MODIFIED: Final = """\
extract:
  orders:
    type: files
    path: ${env.raw}/orders
    format: csv
    window: modified
    new_columns: freeze
    columns: {id: {type: int}, amount: {type: int}, ordered_at: {type: timestamp}}
"""
_FEED: Final = """\
extract:
  orders:
    type: table
    path: ${env.lake}/bronze
    changes: true
    columns: {id: {type: int}, amount: {type: int}, ordered_at: {type: timestamp}}
"""
_CUSTOMERS: Final = """\
  customers: {type: files, path: "${env.raw}/customers.csv", format: csv, window: all}
transform:
  - from: customers
  - join: {with: orders, on: [customer], how: inner}
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}
"""
_ORDERS: Final = _CUSTOMERS.replace("from: customers", "from: orders").replace("with: orders", "with: customers")

RULES: Final = (
    Rule(
        code="invalid-schedule",
        why="The text is no cron expression of five fields, no preset, and not `manual`.",
        wrong='schedule: "61 * * * *"\n',
        right='schedule: "1 * * * *"\n',
        mend="Write minute, hour, day of month, month, day of week; or `@daily`, `{every: 15m}`, `{assets: [..]}`.",
    ),
    Rule(
        code="cron-never-fires",
        why="No day of any year fits the cron expression, so the pipeline would never run, and nothing would say so.",
        wrong='schedule: "0 0 30 2 *"\n',
        right='schedule: "0 0 28 2 *"\n',
        mend="Correct day and month.",
    ),
    Rule(
        code="relative-date",
        why="A date is told by the clock. It would be another one whenever Airflow reads the file, and windows would move.",
        wrong="start: yesterday\n",
        right="start: 2013-01-01\n",
        mend="Write an absolute date.",
    ),
    Rule(
        code="inverted-dates",
        why="`end` isn't after `start`: there is no time between them.",
        wrong="start: 2013-01-02\nend: 2013-01-01\n",
        right="start: 2013-01-01\nend: 2013-01-02\n",
        mend="The end is the first instant that is left out.",
    ),
    Rule(
        code="no-window",
        severity="warning",
        why="No window of the schedule lies whole between `start` and `end`: the pipeline never runs.",
        wrong='schedule: "@monthly"\nstart: 2013-01-02\nend: 2013-01-31\n',
        right='schedule: "@monthly"\nstart: 2013-01-01\nend: 2013-02-01\n',
        mend="Move start or end so that a window fits in.",
    ),
    Rule(
        code="freshness-short",
        severity="warning",
        why="The load is expected before the first retry would even begin: every hiccup would raise the alarm.",
        wrong="freshness: 5m\nretries: {attempts: 3, delay: 10m}\n",
        right="freshness: 1h\nretries: {attempts: 3, delay: 10m}\n",
        mend="Expect the load later, or retry sooner.",
    ),
    Rule(
        code="timeout-short",
        severity="warning",
        why="A task may take less than half a minute, some of which Spark needs to start.",
        wrong="timeout: 5s\n",
        right="timeout: 5m\n",
        mend="Give it a minute at least.",
    ),
    Rule(
        code="retries-inverted",
        severity="warning",
        why="The longest wait between retries is shorter than the first one, which then never applies.",
        wrong="retries: {attempts: 3, delay: 10m, max_delay: 1m}\n",
        right="retries: {attempts: 3, delay: 1m, max_delay: 10m}\n",
        mend="Make `max_delay` at least as long as `delay`.",
    ),
    Rule(
        code="wait-too-short",
        why="A condition is asked less often, or must be stable for longer, than the wait may take: it is asked once.",
        wrong="wait_for:\n  - file: {path: data/raw/orders.csv, every: 2h, timeout: 1h}\n",
        right="wait_for:\n  - file: {path: data/raw/orders.csv, every: 5m, timeout: 1h}\n",
        mend="Give it a longer timeout, or ask more often.",
    ),
    Rule(
        code="settle-missing",
        severity="warning",
        why="A database's rows are chosen by a column that was written before the transaction committed. A window that is"
        " read at its end misses rows of transactions that are still open, and no later window has them. Rows that are"
        " updated in place leave their old window for good: a repeat of it can't find them, which only a change stream"
        " mends.",
        wrong=_DATABASE,
        right=_DATABASE + "    settle: 10m\n",
        mend="Say how long the longest transaction that writes there takes, or `settle: 0s` where each commits at once.",
    ),
    Rule(
        code="consumed-unkept",
        why="A source gives a window what no window has read before (`window: modified`, `changes: true`). So that a repeat"
        " reads the same, each load keeps beside its table what that was, and this one can't.",
        wrong=f"{_MODIFIED}load:\n  lake: {{type: delta, path: data/lake/orders, write: {{strategy: snapshot}}}}\n",
        right=f"{_MODIFIED}{_APPEND}",
        mend="Load it into a `delta` table, by any strategy but `snapshot`.",
    ),
    Rule(
        code="changes-unordered",
        why="A window of a change feed goes on where the one before has ended, so windows can't run side by side.",
        wrong=f"{_FEED}{_APPEND}",
        right=f"{_FEED}{_APPEND}depends_on_previous: true\n",
        mend="Say `depends_on_previous: true`.",
    ),
    Rule(
        code="history-needs-order",
        severity="warning",
        why="A check compares a figure with those of the windows before, and decides by it whether the window is loaded."
        " While windows may run in any order, or side by side as in a backfill, it depends on which ran first.",
        wrong="check:\n  - row_count: {last: 7, tolerance: 50%}\n",
        right="depends_on_previous: true\ncheck:\n  - row_count: {last: 7, tolerance: 50%}\n",
        mend="Say `depends_on_previous: true`, or `on_fail: warn` in the check.",
    ),
    Rule(
        code="lookback-unused",
        why="`lookback` widens what is read by a window column, and no source has one: a path that names the window, and"
        " `window: all`, are read as ever.",
        wrong="lookback: 2d\n",
        right=f"lookback: 2d\n{_BY_COLUMN}",
        mend="Say `window: {column: …}` in a source that holds more than a window, or take `lookback` out.",
    ),
    Rule(
        code="lookback-path",
        why="A source has a window column, so that `lookback` applies to it, and its path names the window: it would find"
        " the window's own files alone, and the rows that were loaded from earlier files would go.",
        wrong=f"lookback: 2d\n{_BY_COLUMN.replace('/orders', '/${window.key}.csv')}",
        right=f"lookback: 2d\n{_BY_COLUMN}",
        mend="Name all files, such as a folder or a glob, and let the window column choose the rows.",
    ),
    Rule(
        code="lookback-mixed",
        why="One load of a dataset replaces all that was read with `lookback`, by the window's column; another takes the"
        " window's rows alone. Checks, and the counts of the report, are of one dataset and can't be of both.",
        wrong=f"lookback: 2d\n{_BY_COLUMN}{_STEPS}check: {{}}\nload:\n{_LAKE}{_LOG}",
        right=f"lookback: 2d\n{_BY_COLUMN}{_STEPS}  own: {{from: clean}}\ncheck: {{}}\nload:\n"
        f"{_LAKE}{_LOG.replace('clean', 'own')}",
        mend="Give one of them a dataset of its own that starts from the other.",
    ),
    Rule(
        code="lookback-context",
        why="With `lookback` a step brings rows from before the window into a dataset that comes from another source, which"
        " has no window column: nothing tells them from the window's own rows, and each of several windows would load them.",
        wrong=f"lookback: 2d\n{_BY_COLUMN}{_CUSTOMERS}",
        right=f"lookback: 2d\n{_BY_COLUMN}{_ORDERS}",
        mend="Begin with the source that has the window column and join the other; or load it without `lookback`.",
    ),
    Rule(
        code="lookback-column",
        why="With `lookback` a load that doesn't replace all that was read takes the window's rows alone. They are told"
        " from those before it by the window column of the source, which a step has taken out.",
        wrong=f"lookback: 2d\n{_BY_COLUMN}transform:\n  - from: orders\n  - drop: [ordered_at]\n{_APPEND}",
        right=f"lookback: 2d\n{_BY_COLUMN}transform:\n  - from: orders\n  - drop: [customer]\n{_APPEND}",
        mend="Keep the column through the steps: select it, group by it.",
    ),
)
