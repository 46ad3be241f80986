"""One suite that runs in the lane of every supported Airflow (`make test-airflow`): the same YAML means the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).with_name("project")
GOLDEN: Final = Path(__file__).with_name("golden.json")
