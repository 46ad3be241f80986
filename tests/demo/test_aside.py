"""Given rows that wait, then the demo's end shows them by rule, and the command that runs their windows again."""

from __future__ import annotations

from rich.console import Console

from demo.aside import quarantine
from tests.cli.test_quarantine import Shelf
from tests.spec.conftest import PIPELINE, Project


def test_it_shows_what_waits_and_how_to_run_it_again(project: Project) -> None:
    console = Console(record=True, width=160)
    quarantine(console, [project.write(PIPELINE)], "local")
    assert "no row in quarantine" in console.export_text()
    shelf = Shelf(project)
    quarantine(console, [shelf.path], "local")
    said = console.export_text()
    assert "orders.extract" in said
    assert "type amount" in said
    assert "6,never" not in said, "an attempt's that no ledger names"
    assert f"airflow-etl quarantine replay {shelf.path} --environment local" in said.replace("\n", "")
