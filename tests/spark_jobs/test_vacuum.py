"""VACUUM in few tasks: in Delta's ten thousand a table of three files takes half a minute."""

from __future__ import annotations

import re
from pathlib import Path

import spark_jobs


def test_nobody_asks_for_it_but_the_module_that_holds_the_tasks_down() -> None:
    root = Path(spark_jobs.__file__).parent
    asking = {str(path.relative_to(root)) for path in root.rglob("*.py") if _asks(path.read_text())}
    assert asking == {"vacuum.py"}


def _asks(code: str) -> bool:
    return bool(re.search(r"\.vacuum\(|\"VACUUM \{", code))
