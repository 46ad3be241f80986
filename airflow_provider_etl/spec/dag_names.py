"""What a DAG's id may be: the name of a pipeline's file."""

from __future__ import annotations

import re
from typing import Final

from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.nodes import Node
from airflow_provider_etl.spec.problems import Problems

# Airflow takes 250 characters, but names a folder `dag_id=…` in its logs: 255 bytes are all that a file name has.
_MAX_NAME: Final = 200
_UPKEEP: Final = re.compile(r"\.maintenance(_\d+)?$")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def check(name: str, top: Node, problems: Problems) -> None:
    """Report a name that none can be, at the top of its file."""
    complaint = name_problem(name)
    if complaint:
        problems.add(top, "invalid-name", *complaint)


def name_problem(name: str) -> tuple[str, str] | None:
    """Why a text can't be a DAG's id, and what to do; None where it can."""
    if len(name) > _MAX_NAME:
        message = f"the DAG's id {shown(name)} has {len(name)} characters, {_MAX_NAME} is the most"
        return message, "rename the file: Airflow's log folders bear the id"
    if not _NAME.fullmatch(name) or ".." in name:
        return (
            f"{shown(name)} can't be a DAG's id",
            "name the file with ASCII letters, digits, _ - and . (not two together)",
        )
    if _UPKEEP.search(name):
        return f"{shown(name)} is what the DAG of a pipeline's upkeep is called", "rename the file"
    return None
