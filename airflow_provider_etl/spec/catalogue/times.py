"""Rules about schedules, dates and durations."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import Rule

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
)
