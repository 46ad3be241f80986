"""Where figures come from: machine, versions, revision."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from benchmarks.harness.model import ROOT

PEERS: Final = ROOT / ".venv-airflow/bench-peers/bin/python"
_OURS: Final = ("pyspark", "delta-spark", "deltalake", "apache-airflow", "pyarrow", "pandas")
_PEERS: Final = ("pyspark", "delta-spark", "great-expectations", "dlt", "duckdb", "deltalake")
_ASK: Final = "import importlib.metadata as m, sys; print(*(f'{n}={m.version(n)}' for n in sys.argv[1:]))"


def machine() -> dict[str, Any]:
    """cpu, cores, memory_gib, kernel."""
    return {
        "cpu": _first("/proc/cpuinfo", r"model name\s*: (.+)") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(_first("/proc/meminfo", r"MemTotal:\s+(\d+)") or 0) / 2**20, 1),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """This package's revision, Python, Java, and of each package that is there; peers' with `peers:` before them."""
    told = {"this package": revision(), "python": platform.python_version(), "java": _java()}
    for name in _OURS:
        try:
            told[name] = version(name)
        except PackageNotFoundError:
            continue
    return told | {f"peers: {name}": found for name, found in _asked(PEERS, _PEERS).items()}


def revision() -> str:
    """The commit that is checked out; with a plus where files differ from it."""
    commit = _said("git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD")
    changed = _said("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return f"{commit or 'unknown'}{'+' if changed else ''}"


def _asked(python: Path, names: Sequence[str]) -> dict[str, str]:
    if not python.exists() or python == Path(sys.executable):
        return {}
    return dict(pair.split("=", 1) for pair in _said(str(python), "-c", _ASK, *names).split())


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    said = _said(f"{home}/bin/java" if home else "java", "-version")
    found = re.search(r'version "([^"]+)"', said)
    return found.group(1) if found else "unknown"


def _said(*command: str) -> str:
    """What a command says, on either stream; empty where there is no such command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout.strip() or done.stderr.strip()) if done.returncode == 0 else ""


def _first(file: str, pattern: str) -> str:
    found = re.search(pattern, Path(file).read_text(encoding="utf-8"))
    return found.group(1).strip() if found else ""
