"""The project's own files, and what is built from them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> dict[str, str]:
    """Package -> version of a lock, markers left out; of several versions the first."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    found: dict[str, str] = {}
    for package, version in re.findall(r"^([\w.-]+)(?:\[[^]]*])?==([^ ;\\]+)", text, re.MULTILINE):
        found.setdefault(package, version)
    return found


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from that sdist alone."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return out
