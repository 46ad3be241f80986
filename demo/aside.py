"""What the demo's quarantine holds at the end, and how it is run again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import load_file
from demo.runs import DemoError
from spark_jobs.window import Window

_RECORD = 44  # characters of a record that the table shows


def quarantine(console: Console, files: Sequence[Path], environment: str) -> None:
    """A line for each rule that rows of a pipeline broke, and the command that runs their windows again.

    Args:
        console: where it is printed.
        files: pipeline files.
        environment: name of the environment that they ran in.

    Raises:
        DemoError: a file has errors.
    """
    found = {file: _lines(file, environment) for file in files}
    waiting = [file for file, lines in found.items() if lines]
    if not waiting:
        console.print("  no row in quarantine")
        return
    table = Table(title="What was set aside, and waits", title_justify="left")
    for name in ("pipeline", "refused by", "rules", "rows", "windows", "retries", "one of the records"):
        table.add_column(name, justify="right" if name in {"rows", "windows", "retries"} else "left")
    for lines in found.values():
        for line in lines:
            table.add_row(*line)
    console.print(table)
    console.print("  Mend the file or its source, then run the windows again; no row is loaded twice:")
    file = waiting[0].relative_to(Path.cwd()) if waiting[0].is_relative_to(Path.cwd()) else waiting[0]
    command = f".venv/bin/airflow-etl quarantine replay {file} --environment {environment}"
    console.print(f"  {command}", soft_wrap=True, highlight=False, markup=False)


def _lines(file: Path, environment: str) -> list[list[str]]:
    """The rules of one pipeline, those with most rows first."""
    pipeline = load_file(file, environment=environment).pipeline
    if pipeline is None:
        raise DemoError(f"{file} has errors; airflow-etl lint {file} tells them")
    hook, by_rule = QuarantineHook(pipeline), defaultdict[tuple[str, str], _Rule](_Rule)
    for row in hook.rows(Wanted()):
        by_rule[f"{row['dataset']}.{row['stage']}", ", ".join(row["rules"])].add(hook.window(row), row)
    ordered = sorted(by_rule.items(), key=lambda item: (-item[1].rows, item[0]))
    return [[pipeline.name, *key, *found.told()] for key, found in ordered]


@dataclass
class _Rule:
    """Rows that broke one rule, counted: there may be more of them than the memory holds."""

    rows: int = 0
    retries: int = 0
    record: str | None = None
    windows: set[Window] = field(default_factory=set)

    def add(self, window: Window, row: dict[str, Any]) -> None:
        """Count a row."""
        self.rows += 1
        self.retries = max(self.retries, row["retries"])
        self.windows.add(window)
        raw = row["raw"]
        self.record = raw if self.record is None else min(self.record, raw or self.record)

    def told(self) -> list[str]:
        """As cells of the table."""
        record = self.record or "-"
        cut = record if len(record) <= _RECORD else f"{record[:_RECORD]}…"
        return [str(self.rows), str(len(self.windows)), str(self.retries), cut.replace("[", r"\[")]
