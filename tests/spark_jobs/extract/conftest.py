"""What the tests of sources share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.spark_jobs.extract.drops import Drops


@pytest.fixture
def drops(spark: Any, tmp_path: Path) -> Drops:
    """An empty folder for files, and a window: 2013-01-01 in UTC."""
    return Drops(spark, tmp_path)
