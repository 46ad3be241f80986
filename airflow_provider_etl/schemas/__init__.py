"""The JSON Schemas of the language as they ship, for editors and other programs.

They are made of the classes that check the files (`python -m airflow_provider_etl.schemas`), and a test holds them to
that: making one imports every kind, and takes longer than a command may that people wait for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

Name = Literal["pipeline", "tests", "contract"]
_FOLDER: Final = Path(__file__).parent


def path_of(name: Name) -> Path:
    """The file of a schema: that of pipeline files, of test files (`FILE.test.yaml`) or of contracts."""
    return _FOLDER / f"{name}.json"


def text_of(name: Name) -> str:
    """A schema as JSON."""
    return path_of(name).read_text(encoding="utf-8")
